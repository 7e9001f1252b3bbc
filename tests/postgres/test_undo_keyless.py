"""A partitioned table without a primary key cannot become plain while writes continue: refused at the start."""

from __future__ import annotations

import pytest

from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

SET = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
    "CREATE INDEX ON s.t (at)",
    "CREATE TABLE s.t_05 PARTITION OF s.t FOR VALUES FROM ('2026-05-01+00') TO ('2026-06-01+00')",
)


def test_it_is_refused_before_anything_is_done(database: Database) -> None:
    database.sql(*SET, "INSERT INTO s.t VALUES (1, '2026-05-02')")
    for arguments in (["--dry-run"], ["--yes"]):
        done = shell(database, "partitions", "undo", "s.t", *arguments)
        assert done.returncode == 3, done
        assert "it has no primary key, by which changed rows are found again" in done.stderr
    assert database.sql("SELECT relkind::text FROM pg_class WHERE oid = 's.t'::regclass") == [("p",)]
