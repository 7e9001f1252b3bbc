"""Partitions that are foreign tables: what a policy asks of the others goes on, and they stay, which is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

LATE = "2026-06-20"


def build(database: Database, **policy: Any) -> None:
    """January to April; January and March are foreign."""
    database.sql(
        "CREATE EXTENSION file_fdw",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw",
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        *(
            f"CREATE {'FOREIGN ' * (month % 2)}TABLE s.t_{month:02} PARTITION OF s.t "
            f"FOR VALUES FROM ('2026-{month:02}-01 00:00+00') TO ('2026-{month + 1:02}-01 00:00+00')"
            + " SERVER nowhere OPTIONS (filename '/dev/null')"
            * (month % 2)
            for month in (1, 2, 3, 4)
        ),
        "INSERT INTO s.t VALUES (1, '2026-02-05'), (2, '2026-04-05')",
    )
    perform(database, lambda op: op.set_partition_policy("t", schema="s", control="at", interval="1 month", **policy))


def left(database: Database) -> list[str]:
    found = database.sql("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 's.t'::regclass")
    return sorted(name for (name,) in found)


@pytest.mark.parametrize("keep", [True, False])
def test_the_others_are_retired(database: Database, keep: bool) -> None:
    build(database, retention="1 month", retention_keep_table=keep, retention_grace="0")
    ended = shell(database, "partitions", "retire", "s.t", "--now", LATE, "--yes")
    assert ended.returncode == 0, ended.stderr
    assert "s.t_01 is left alone: it is a foreign table" in ended.stdout + ended.stderr
    assert left(database) == ["s.t_01", "s.t_03"]
    assert database.sql("SELECT to_regclass('s.t_02') IS NOT NULL") == [(keep,)]
    looked = shell(database, "partitions", "check", "--now", LATE)
    assert "retention_overdue" not in looked.stdout


@pytest.mark.exhaustive
def test_the_others_are_archived(database: Database) -> None:
    build(database)

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s")
        op.set_archive_policy("t", "1 month", schema="s")

    perform(database, operate)
    ended = shell(database, "archive", "run", "s.t", "--now", LATE)
    assert ended.returncode == 0, ended.stderr
    assert "s.t_03 is left alone: it is a foreign table" in ended.stdout + ended.stderr
    assert left(database) == ["s.t_01", "s.t_03"]
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(2,)]
