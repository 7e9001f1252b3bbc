"""What our own tables remember of others is found again by name and bounds after a dump and restore, or it is said."""

from __future__ import annotations

import subprocess
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit.embedded.tools import find_tools
from schema_kit.errors import PlanError
from schema_kit.sqlscripts import load
from tests.support.archives import archived, attached, build, later, places, retire, there
from tests.support.cli import called, shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.majors]

OLD_RETIRED = """
CREATE SCHEMA IF NOT EXISTS schema_kit;
CREATE TABLE schema_kit.retired_partition (
    partition_oid oid PRIMARY KEY, partition_name text NOT NULL, parent_table text NOT NULL, by_policy boolean NOT NULL,
    bounds text NOT NULL, retired_at timestamptz NOT NULL DEFAULT now(), by_ttl boolean NOT NULL DEFAULT false)
"""


def moved_on(database: Database) -> Database:
    """The database, dumped and restored into another one, where every oid is another."""
    name = database.sql("SELECT current_database()")[0][0]
    url = database.url.replace(f"/{name}?", f"/{name}_b?")
    database.sql(f'DROP DATABASE IF EXISTS "{name}_b" WITH (FORCE)', f'CREATE DATABASE "{name}_b"')
    database.stack.callback(database.sql, f'DROP DATABASE IF EXISTS "{name}_b" WITH (FORCE)')
    with psycopg.connect(url, autocommit=True) as there:
        there.execute("CREATE TABLE filler (i int); DROP TABLE filler")
    programs = find_tools(None).bindir
    dump = subprocess.run([programs / "pg_dump", database.url], capture_output=True, text=True, check=True)
    send = [str(programs / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", url]
    subprocess.run(send, input=dump.stdout, capture_output=True, text=True, check=True)
    return Database(url, database.stack)


def _archive(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return called(["schema_kit", "archive", *arguments, "--url", database.url])


def archive(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return _archive(database, "run", "--now", "2026-05-20", *arguments)


def retired(database: Database) -> str:
    found = database.sql("SELECT right(partition_name, 2) FROM schema_kit.retired_partition ORDER BY 1")
    return " ".join(row[0] for row in found)


def test_what_was_retired_is_dropped_when_its_grace_period_is_over(database: Database) -> None:
    build(database, retention_keep_table=False)
    assert retire(database).returncode == 0
    other = moved_on(database)
    done = retire(other)  # within the grace period
    assert (done.returncode, there(other), retired(other)) == (0, "01 02 03 04 05 06", "01 02"), done
    assert "know s.t_01 again" in done.stdout
    assert "know" not in retire(other).stdout
    later(other)
    assert retire(other, "--yes").returncode == 0
    assert (there(other), retired(other)) == ("03 04 05 06", "")


def test_at_once_where_it_is_said(database: Database) -> None:
    build(database, retention_keep_table=False)
    retire(database)
    later(database)
    other = moved_on(database)
    assert "retired_due" in shell(other, "partitions", "check", "--now", "2026-05-20").stdout
    assert retire(other, "--yes").returncode == 0
    assert there(other) == "03 04 05 06"


@pytest.mark.exhaustive
def test_it_moves_or_comes_back(database: Database) -> None:
    build(database)
    database.sql("CREATE SCHEMA cold")
    retire(database)
    other = moved_on(database)
    other.sql("UPDATE schema_kit.part_config SET retention_schema = 'cold'")
    assert retire(other).returncode == 0
    assert (there(other, "cold"), there(other), retired(other)) == ("01 02", "03 04 05 06", "01 02")
    third = moved_on(other)
    perform(third, lambda op: op.drop_retention("t", schema="s"))
    assert (attached(third), retired(third)) == ("01 02 03 04 05 06", "")


CHANGES = {
    "other_rows": ("INSERT INTO s.t_02 VALUES (1000, '2026-04-04', 'other')", "it holds rows outside of the bounds"),
    "null": (
        "ALTER TABLE s.t_02 DROP CONSTRAINT t_02_pkey; ALTER TABLE s.t_02 ALTER at DROP NOT NULL; "
        "INSERT INTO s.t_02 VALUES (1000, NULL, 'other')",
        "it holds rows outside of the bounds",
    ),
    "column": ("ALTER TABLE s.t_02 RENAME at TO of", "it has no such column at as s.t"),
    "type": ("ALTER TABLE s.t_02 ALTER at TYPE date", "it has no such column at as s.t"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_that_may_be_another_one_stays_and_is_said(database: Database, change: str) -> None:
    build(database, retention_keep_table=False)
    retire(database)
    later(database)
    other = moved_on(database)
    checks = other.sql(
        "SELECT format('ALTER TABLE s.t_02 DROP CONSTRAINT %I', conname) FROM pg_constraint "
        "WHERE conrelid = 's.t_02'::regclass AND contype = 'c'"
    )
    other.sql(*(row[0] for row in checks), *CHANGES[change][0].split("; "))
    found = shell(other, "partitions", "check", "--now", "2026-05-20")
    assert (found.returncode, "retired_unlike" in found.stdout, CHANGES[change][1] in found.stdout) == (4, True, True)
    for _ in range(2):
        done = retire(other, "--yes")
        assert (done.returncode, CHANGES[change][1] in done.stdout + done.stderr) == (0, True), done
        assert (there(other), retired(other)) == ("02 03 04 05 06", "02")
    other.sql("DELETE FROM schema_kit.retired_partition WHERE partition_name = 's.t_02'")  # as a user is asked to
    assert "retired_unlike" not in shell(other, "partitions", "check", "--now", "2026-05-20").stdout


def test_one_that_is_gone_is_forgotten_and_said(database: Database) -> None:
    build(database, retention_keep_table=False)
    retire(database)
    other = moved_on(database)
    other.sql("DROP TABLE s.t_02")
    assert "forget that s.t_02 was retired: there is no such table any more" in retire(other).stdout


def test_a_partition_of_another_table_with_its_old_oid_overwrites_nothing(database: Database) -> None:
    """After a restore an oid that is remembered may be that of any table."""
    build(database, retention_keep_table=False)
    retire(database)
    other = moved_on(database)
    other.sql(
        "UPDATE schema_kit.retired_partition SET partition_oid = 's.t_04'::regclass WHERE partition_name = 's.t_01'"
    )
    perform(other, lambda op: op.detach_partition_concurrently("t", "t_04", schema="s"))
    assert retired(other) == "01 02 04"
    assert "forget" not in retire(other).stdout


def test_drop_of_one_that_was_detached(database: Database) -> None:
    build(database)
    perform(database, lambda op: op.detach_partition_concurrently("t", "t_04", schema="s"))
    other = moved_on(database)
    perform(other, lambda op: op.drop_partition_concurrently("t", "t_04", schema="s"))
    assert (there(other), retired(other)) == ("01 02 03 05 06", "")
    database.sql("DROP TABLE s.t_04", "CREATE TABLE s.t_04 (LIKE s.t)")  # here, the oid says so
    with pytest.raises(PlanError, match="does not know it"):
        perform(database, lambda op: op.drop_partition_concurrently("t", "t_04", schema="s"))


def test_what_an_earlier_version_remembers(database: Database) -> None:
    """Its table is brought up to date; of two rows of a name, the later one says what is."""
    build(database, retention_keep_table=False)
    database.sql(
        OLD_RETIRED,
        "ALTER TABLE s.t DETACH PARTITION s.t_01",
        "ALTER TABLE s.t DETACH PARTITION s.t_02",
        "INSERT INTO schema_kit.retired_partition SELECT o, 's.t_' || n, 's.t', true, "
        "format('FOR VALUES FROM (''2026-%s-01 00:00:00+00'') TO (''2026-%s-01 00:00:00+00'')', n, m), '2026-05-01' "
        "FROM (VALUES (4711, '01', '02'), ('s.t_02'::regclass, '02', '03'), (4712, '02', '03')) v (o, n, m)",
    )
    assert retire(database, "--dry-run").returncode == 0
    done = retire(database, "--yes")
    assert (done.returncode, there(database), retired(database)) == (0, "03 04 05 06", ""), done
    for script in ("retired_partition", "archive_policy", "archive_file", "batch_progress"):
        database.sql(*load(f"tables/{script}.sql"), *load(f"tables/{script}.sql"))


@pytest.mark.exhaustive
def test_what_was_restored_by_hand_is_not_archived_again(database: Database) -> None:
    archived(database)
    assert archive(database).returncode == 0
    ends = ("--since", "2026-01-01", "--until", "2026-03-01")
    assert _archive(database, "restore", "s.t", *ends, "--now", "2026-05-20").returncode == 0
    other = moved_on(database)
    for _ in range(2):
        done = archive(other)
        assert (done.returncode, "was restored from the archive and stays" in done.stdout + done.stderr) == (0, True)
        assert attached(other) == "01 02 03 04 05 06"
    assert '"due": []' in _archive(other, "status", "--format", "json", "--now", "2026-05-20").stdout
    other.sql("ALTER TABLE s.t_01 RENAME TO t_k1")  # a partition is known by its bounds
    assert archive(other).returncode == 0
    assert attached(other) == "02 03 04 05 06 k1"
    assert archive(other, "--restored").returncode == 0
    assert attached(other) == "03 04 05 06"


def test_what_is_in_transit_to_the_archive_comes_there(database: Database) -> None:
    archived(database)
    before = places(database)[3]
    perform(database, lambda op: op.detach_partition_concurrently("t", "t_01", schema="s"))  # as the first half of it
    database.sql(
        "INSERT INTO schema_kit.archived_partition SELECT partition_name, parent_table, 's.t_archive', bounds, "
        "'s.t_archive' FROM schema_kit.retired_partition"
    )
    other = moved_on(database)
    assert places(other)[2] == [("s.t_01",)]
    done = archive(other)
    assert (done.returncode, places(other)[2:]) == (0, ([], before)), done
    assert attached(other, "s.t_archive") == "01 02"


def test_export_goes_on_with_what_it_has_detached(database: Database, tmp_path: Any) -> None:
    build(database)
    perform(database, lambda op: op.detach_partition_concurrently("t", "t_01", schema="s"))
    database.sql(*load("tables/archive_file.sql"), "INSERT INTO schema_kit.archive_file_due VALUES ('s.t_01', 's.t')")
    other = moved_on(database)
    done = _archive(other, "export", "s.t", "--to", str(tmp_path), "--until", "2026-02-01", "--drop", "--yes")
    assert (done.returncode, there(other), retired(other)) == (0, "02 03 04 05 06", ""), done
    assert other.sql("SELECT count(*) FROM schema_kit.archive_file_due") == [(0,)]


def _double(op: Any) -> None:
    op.update_in_batches("n", {"v": sa.text("v * 2")}, name="twice")


def test_an_update_that_is_finished_is_not_run_again(database: Database) -> None:
    database.sql("CREATE TABLE n (id int PRIMARY KEY, v int)", "INSERT INTO n SELECT i, i FROM generate_series(1, 9) i")
    perform(database, _double)
    other = moved_on(database)
    for _ in range(2):
        perform(other, _double)
        assert other.sql("SELECT sum(v) FROM n") == [(90,)]
    other.sql("ALTER TABLE n DROP v", "ALTER TABLE n ADD v int DEFAULT 3")  # made again, it is another one
    perform(other, _double)
    assert other.sql("SELECT sum(v) FROM n") == [(54,)]


def test_an_update_without_a_known_outcome_is_refused(database: Database) -> None:
    database.sql("CREATE TABLE n (id int PRIMARY KEY, x int, v int)", "INSERT INTO n VALUES (1, 1, 1)")
    perform(database, _double)
    database.sql("ALTER TABLE n DROP x")  # numbers close up in the dump
    other = moved_on(database)
    with pytest.raises(PlanError, match="If the database was dumped and restored since, it is finished here, too"):
        perform(other, _double)
    assert other.sql("SELECT v FROM n") == [(2,)]


@pytest.mark.exhaustive
def test_a_copy_in_progress_begins_again(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE TABLE c (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO c SELECT i, '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 90) i",
    )
    with database.connect(autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM c")  # the swap waits for it in vain
        with pytest.raises(Exception, match="locks could not be taken"):
            perform(database, _convert)
    assert database.sql("SELECT swapped_at IS NULL FROM schema_kit.copy_run") == [(True,)]
    other = moved_on(database)
    perform(other, _convert)
    assert other.sql(
        "SELECT count(*) FROM c",
        "SELECT count(*), relkind FROM c, pg_class p WHERE p.oid = 'c'::regclass GROUP BY relkind",
    ) == [(90, "p")]
    third = moved_on(other)
    perform(third, lambda op: op.unpartition("c"))  # it is fed, and found again
    assert third.sql("SELECT count(*), relkind FROM c, pg_class p WHERE p.oid = 'c'::regclass GROUP BY 2") == [
        (90, "r")
    ]


def _convert(op: Any) -> None:
    op.convert_to_partitioned("c", "at", "1 month", strategy="copy", keep_old="fed")


@pytest.mark.exhaustive
@pytest.mark.parametrize("strategy", ["attach", "copy"])
def test_a_conversion_after_one_that_was_rolled_back_can_be_undone(database: Database, strategy: str) -> None:
    database.sql(
        "CREATE TABLE c (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO c SELECT i, now() - i * interval '1 day' FROM generate_series(1, 90) i",
    )
    perform(database, _convert)
    for _ in range(2):
        perform(database, lambda op: op.unpartition("c"))
        assert database.sql("SELECT relkind FROM pg_class WHERE oid = 'c'::regclass") == [("r",)]
    perform(database, lambda op: op.convert_to_partitioned("c", "at", "1 month", strategy=strategy))
    perform(database, lambda op: op.unpartition("c"))
    assert database.sql("SELECT count(*), relkind FROM c, pg_class p WHERE p.oid = 'c'::regclass GROUP BY 2") == [
        (90, "r")
    ]
