"""``schema_kit status``: one screen of partitions, health and what is in progress."""

from __future__ import annotations

import json

import pytest

import schema_kit
from schema_kit import op
from tests.support.cli import shell
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]


def test_one_screen_of_what_is_wrong_and_what_is_in_progress(partitioned: Database) -> None:
    partitioned.sql(
        "CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "CREATE INDEX log_at ON log (at)",
        "CREATE INDEX log_at_2 ON log (at)",
    )
    with schema_kit.operations(partitioned.sqlalchemy(), policy=QUICK):
        op.set_ttl_policy("log", "at", age="90 days", schema="public")
    done = shell(partitioned, "status")
    assert done.returncode == 4, done.stderr
    assert len(done.stdout.splitlines()) <= 20
    assert "[foreign_key_unindexed]" in done.stdout
    told = json.loads(shell(partitioned, "status", "--format", "json").stdout)
    assert told["partitions"]["sets"] == 1
    assert told["health"]["due"] == 2
    assert told["time-to-live"] == ["public.log"]
    assert (told["copies"], told["batches"]) == ([], [])


def test_an_empty_database_has_nothing_to_say(database: Database) -> None:
    told = json.loads(shell(database, "status", "--format", "json").stdout)
    assert all("setting_unsafe" in one for one in told["worst"])
    assert told["copies"] == told["batches"] == told["archives"] == told["time-to-live"] == told["retired"] == []
