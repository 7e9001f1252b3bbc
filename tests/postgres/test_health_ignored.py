"""Findings that migrations leave out, with reasons: not reported, counted, shown when asked for, reported again."""

from __future__ import annotations

import json

import pytest

import schema_kit
from schema_kit import op
from schema_kit.errors import DeclarationError
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.health import S, health

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]

ARGUMENTS = ("--ignore", "setting_unsafe")


def test_a_finding_is_ignored_with_its_reason_and_heeded_again(database: Database) -> None:
    database.sql(
        f"CREATE SCHEMA {S}",
        f'CREATE TABLE {S}."t 1" (id bigint PRIMARY KEY, v int)',
        f'CREATE INDEX "v 1" ON {S}."t 1" (v)',
        f'CREATE INDEX "v 2" ON {S}."t 1" (v)',
        f"CREATE TABLE {S}.bare (v int)",
    )
    found = health(database)
    assert [one["code"] for one in found] == ["index_duplicate", "primary_key_missing"] or len(found) == 2
    for _ in range(2):
        with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
            op.ignore_health_finding("index_duplicate", "t 1", "v 1", schema="S.h", reason="it's \\ kept")
            op.ignore_health_finding("primary_key_missing", "bare", schema="S.h", reason="a log")
    assert health(database) == []
    done = shell(database, "health", *ARGUMENTS, "--ignored")
    assert done.returncode == 0
    assert f'ignored: index_duplicate of {S}."t 1": v 1: it\'s \\ kept' in done.stdout
    assert "nothing to do; 2 ignored" in done.stderr
    told = json.loads(shell(database, "health", *ARGUMENTS, "--format", "json").stdout)["ignored"]
    assert sorted(one["reason"] for one in told) == ["a log", "it's \\ kept"]
    assert "schema_kit_health_ignored 2\n" in shell(database, "health", *ARGUMENTS, "--format", "metrics").stdout
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.heed_health_finding("index_duplicate", "t 1", "v 1", schema="S.h")
    assert [one["code"] for one in health(database)] == ["index_duplicate"]
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.heed_health_finding("primary_key_missing", "bare", schema="S.h")
    assert health(database) == found
    assert database.sql("SELECT to_regclass('schema_kit.health_ignored')") == [(None,)]


def test_codes_and_reasons_are_checked_before_anything_is_written(database: Database) -> None:
    database.sql("CREATE TABLE t (v int)")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        with pytest.raises(DeclarationError, match="index_unsued"):
            op.ignore_health_finding("index_unsued", "t", reason="kept")
        with pytest.raises(DeclarationError, match="needs a reason"):
            op.ignore_health_finding("primary_key_missing", "t", reason=" ")
    assert shell(database, "health", "--ignore", "nothing").returncode == 2
    assert shell(database, "health", "no_such_table").returncode == 3
    assert database.sql("SELECT to_regnamespace('schema_kit')") == [(None,)]
