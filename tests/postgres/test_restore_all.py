"""op.restore_archive_table: whatever lies in an archive, or is in transit, comes back to its table."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

from schema_kit.errors import PlanError
from tests.support.archives import ROWS, VIEW, archived, attached, places, run
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]


def restore(database: Database, table: str = "t") -> None:
    perform(database, lambda op: op.restore_archive_table(table, schema="s"))


def gone(database: Database, view: str | None = None) -> None:
    """The empty archive can go, and what was known of it."""
    perform(database, lambda op: op.drop_archive_table("t", schema="s", view=view))
    assert database.sql("SELECT to_regclass('s.t_archive'), to_regclass('schema_kit.archive_policy')") == [(None, None)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("view", [None, VIEW])
def test_whole_partitions_come_back_and_no_row_is_copied(database: Database, view: str | None) -> None:
    archived(database, view=view)
    files = database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    before = places(database)
    assert run(database).returncode == 0
    for _ in range(2):
        restore(database)
        assert places(database) == before
        assert database.sql("SELECT count(*) FROM schema_kit.archive_policy") == [(0,)]
    assert files == database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    gone(database, view)
    restore(database)  # of an archive that is gone


@pytest.mark.exhaustive
@pytest.mark.parametrize("line", range(1, 7))
def test_what_was_in_transit_comes_back_too(database: Database, line: int) -> None:
    archived(database)
    before = places(database)
    one = subprocess.Popen(
        command(database, "archive", "run", "--now", "2026-05-20", "--format", "json"),
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert one.stderr is not None
    for number, _ in enumerate(one.stderr, 1):
        if number == line:
            one.send_signal(signal.SIGKILL)
    one.communicate()
    restore(database)
    assert places(database)[:2] == before[:2]
    assert places(database)[3] == before[3]
    gone(database)


@pytest.mark.exhaustive
def test_one_that_is_detach_pending_comes_back(database: Database) -> None:
    archived(database)
    before = places(database)
    with database.connect(autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM s.t")  # DETACH CONCURRENTLY waits for it, and is interrupted
        done = run(database, "--lock-timeout", "200ms")
        assert done.returncode == 1
    assert "01!" in attached(database)
    restore(database)
    assert places(database)[:2] == before[:2]
    gone(database)


@pytest.mark.exhaustive
def test_rows_come_back_where_the_table_has_partitions_meanwhile(database: Database) -> None:
    """The archive's first partition has no beginning; the table has a part of it, with rows old and new."""
    archived(database)
    before = places(database)[3][0]
    database.sql(
        "ALTER TABLE s.t DETACH PARTITION s.t_01",
        "ALTER TABLE s.t ATTACH PARTITION s.t_01 FOR VALUES FROM (MINVALUE) TO ('2026-02-01+00')",
        "INSERT INTO s.t VALUES (1000, '2025-11-11', 'far')",
    )
    assert run(database).returncode == 0
    assert attached(database, "s.t_archive") == "01 02"
    database.sql(
        "CREATE TABLE s.t_d5 PARTITION OF s.t FOR VALUES FROM ('2025-12-01+00') TO ('2026-01-01+00')",
        "INSERT INTO s.t VALUES (1001, '2025-12-12', 'new')",
    )
    restore(database)
    assert database.sql("SELECT count(*), count(DISTINCT id) FROM s.t") == [(before[0] + 2, before[0] + 2)]
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(0,)]
    assert database.sql("SELECT tableoid::regclass::text FROM s.t WHERE id = 1000") == [("s.t_p20251101",)]
    gone(database)


@pytest.mark.exhaustive
def test_rows_that_differ_are_refused_before_anything_is_written(database: Database) -> None:
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "CREATE TABLE s.t_k1 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')",
        "INSERT INTO s.t SELECT id, at, 'other' FROM s.t_archive WHERE id < 5",
    )
    before = places(database)
    with pytest.raises(PlanError, match="5 of them exist with the same key and other values, the first of them"):
        restore(database)
    assert places(database) == before
    assert database.sql("SELECT count(*) FROM schema_kit.archive_policy") == [(1,)]


def test_rows_that_were_archived_one_by_one_come_back(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.p (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, word text)",
        "CREATE INDEX ON s.p (at)",
        "INSERT INTO s.p (at, word) SELECT '2026-01-01'::timestamptz + i * interval '1 day', 'w' || i "
        "FROM generate_series(1, 100) i",
    )

    def operate(op: Any) -> None:
        op.create_archive_table("p", schema="s", archived_at=True)
        op.set_archive_policy("p", "30 days", schema="s", way="rows", control="at", archived_at="archived_at")

    perform(database, operate)
    total = "SELECT count(*), sum(hashtext(p::text)) FROM s.p"
    before = database.sql(total)
    assert run(database).returncode == 0
    assert database.sql("SELECT count(*) FROM s.p_archive") == [(100,)]
    for _ in range(2):
        restore(database, "p")
        assert database.sql(total) == before
    assert database.sql("SELECT count(*) FROM s.p_archive") == [(0,)]


@pytest.mark.exhaustive
def test_what_an_archive_has_retired_comes_back_before_it_is_dropped(database: Database) -> None:
    archived(database)
    before = places(database)
    assert run(database).returncode == 0
    perform(database, lambda op: op.set_partition_policy("t_archive", schema="s", retention="3 months"))
    done = shell(database, "partitions", "retire", "--now", "2026-06-20")
    assert "detach s.t_01 from s.t_archive concurrently" in done.stdout
    restore(database)
    assert attached(database, "s.t_archive") == ""
    with pytest.raises(PlanError, match=r"s\.t_01 left it and can come back \(op\.drop_retention\)"):
        gone(database)
    perform(database, lambda op: op.drop_retention("t_archive", schema="s"))
    restore(database)
    assert places(database) == before
    gone(database)


def test_another_tables_archive_is_refused(database: Database) -> None:
    archived(database)
    with pytest.raises(PlanError, match=r"it is the archive of s\.t\. Nothing was changed"):
        perform(database, lambda op: op.restore_archive_table("u", "t_archive", schema="s"))
    database.sql("ALTER TABLE s.t ALTER word TYPE varchar(10)")
    with pytest.raises(PlanError, match=r"column word of s\.t is character varying\(10\), and text in s\.t_archive"):
        restore(database)
    assert places(database)[3][0][0] == ROWS
