"""A name stands for another table by the time it is used: what was decided for the one is not done to the other."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from schema_kit import execute
from schema_kit.catalog import copying
from schema_kit.errors import ExecutionError, LockNotAvailable, SchemaKitError
from schema_kit.script import LockPolicy
from schema_kit.steps import Step, emptied
from tests.support.archives import archived, attached, build, retire, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.conversion, pytest.mark.archives, pytest.mark.majors]

ANOTHER = (
    "ALTER TABLE s.t DETACH PARTITION s.t_01",
    "ALTER TABLE s.t_01 RENAME TO elsewhere",
    "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-09-01') TO ('2026-10-01')",
    "INSERT INTO s.t VALUES (9999, '2026-09-05', 'new')",
)
"""What others make of the name of a partition that is about to leave."""


@contextmanager
def before(database: Database, step: str, *ddl: str) -> Iterator[None]:
    """Others commit as the first step of that kind is sent."""
    sent, happened = execute._send, list[str]()

    def send(connection: Any, one: Step, *arguments: Any) -> None:
        if type(one).__name__ == step and not happened:
            happened.append(step)
            database.sql(*ddl)
        sent(connection, one, *arguments)

    with mock.patch.object(execute, "_send", send):
        yield
    assert happened


def _set(database: Database) -> None:
    build(database, retention_keep_table=False, retention_grace="0")


def _with_default(database: Database) -> None:
    _set(database)
    database.sql("CREATE TABLE s.rest PARTITION OF s.t DEFAULT")


def _archive_with_default(database: Database) -> None:
    archived(database)
    database.sql("CREATE TABLE s.rest PARTITION OF s.t DEFAULT")


Leave = Callable[[Database], subprocess.CompletedProcess[str]]
LEAVING: dict[str, tuple[Callable[[Database], object], Leave, str]] = {
    "retire_recorded": (_set, lambda database: retire(database, "--yes"), "RecordRetired"),
    "retire": (_set, lambda database: retire(database, "--yes"), "DetachConcurrently"),
    "retire_blocking": (_with_default, lambda database: retire(database, "--yes"), "Detach"),
    "archive_recorded": (archived, run, "RecordMove"),
    "archive": (archived, run, "DetachConcurrently"),
    "archive_together": (_archive_with_default, run, "MovePartitionAcross"),
}


@pytest.mark.parametrize("way", LEAVING)
def test_another_partition_of_the_name_stays(database: Database, way: str) -> None:
    """A partition is known by its bounds: who retires January does not retire a September of that name."""
    begin, leave, step = LEAVING[way]
    begin(database)
    with before(database, step, *ANOTHER):
        assert leave(database).returncode == 0
    assert attached(database).startswith("01 03")
    assert database.sql("SELECT word FROM s.t WHERE id = 9999") == [("new",)]
    assert database.sql("SELECT count(*) FROM s.elsewhere") == [(31,)]


PLAIN = (
    "CREATE TABLE c (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "INSERT INTO c SELECT i, now() - i * interval '1 day' FROM generate_series(1, 90) i",
)
LIKE = "CREATE TABLE {0} (LIKE {1} INCLUDING ALL); INSERT INTO {0} SELECT * FROM {1} LIMIT 5"
OTHERS = {"of_another_shape": "CREATE TABLE {0} (i int); INSERT INTO {0} VALUES (1)", "alike": LIKE}


def _convert(database: Database, **choices: Any) -> None:
    perform(database, lambda op: op.convert_to_partitioned("c", "at", "1 month", **choices))


def _finish(database: Database) -> None:
    done = shell(database, "partitions", "convert", "c", "--finish", "--yes")
    if done.returncode:
        raise ExecutionError(done.stderr)


@pytest.mark.exhaustive
@pytest.mark.parametrize("gone", [True, False], ids=["dropped", "renamed"])
@pytest.mark.parametrize("other", OTHERS)
def test_another_table_with_the_name_of_what_was_kept_stays(database: Database, other: str, gone: bool) -> None:
    database.sql(*PLAIN)
    _convert(database, strategy="copy", keep_old=True)
    first = "DROP TABLE c__old" if gone else "ALTER TABLE c__old RENAME TO mine"
    database.sql(first, OTHERS[other].format("c__old", "c"))
    with pytest.raises(ExecutionError, match="is not the table whose rows were copied"):
        _finish(database)
    database.sql("ALTER TABLE c__old RENAME TO other")
    _finish(database)
    assert "nothing to do" in shell(database, "partitions", "check").stderr
    left = "SELECT to_regclass('mine') IS NULL, (SELECT count(*) > 0 FROM other), (SELECT count(*) FROM c)"
    assert database.sql(left) == [(gone, True, 90)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("what", ["convert", "split"])
def test_nor_is_it_dropped_right_after_the_swap(database: Database, what: str) -> None:
    database.sql(*PLAIN)
    name = "c"
    if what == "split":
        _convert(database, strategy="attach")
        [[name]] = database.sql("SELECT relname FROM pg_class WHERE relname LIKE 'c\\_before\\_%' AND relkind = 'r'")
    others = (f"ALTER TABLE {name}__old RENAME TO mine", LIKE.format(f"{name}__old", "c"))

    def operate(op: Any) -> None:
        if what == "split":
            op.split_partition_concurrently("c", name)
        else:
            op.convert_to_partitioned("c", "at", "1 month", strategy="copy")

    with before(database, "DropCopied", *others), pytest.raises(ExecutionError, match="is not the table whose rows"):
        perform(database, operate)
    assert database.sql(f"SELECT (SELECT count(*) FROM {name}__old), (SELECT count(*) FROM c)") == [(5, 90)]


ONCE = LockPolicy(first=50, longest=50, attempts=1)


def begun(database: Database) -> None:
    """A copy that has come to its swap, for which it waits in vain."""
    database.sql(*PLAIN)
    with database.connect(autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM c")
        with pytest.raises(LockNotAvailable):
            perform(database, lambda op: op.convert_to_partitioned("c", "at", "1 month", strategy="copy"), ONCE)


MOVED = {
    "renamed": "ALTER TABLE c RENAME TO d",
    "renamed_and_made_again": "ALTER TABLE c RENAME TO d; CREATE TABLE c (LIKE d INCLUDING ALL)",
    "in_another_schema": "CREATE SCHEMA z; ALTER TABLE c SET SCHEMA z",
    "schema_renamed": "ALTER SCHEMA public RENAME TO z; CREATE SCHEMA public",
    "dropped": "DROP TABLE c CASCADE",
    "trigger_dropped": "DROP TRIGGER schema_kit_copy_log ON c",
}
WORKS = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('public', 'z') AND c.relname LIKE 'c\\_\\_%' AND c.relkind IN ('r', 'p')
UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'c\\_\\_%'
UNION ALL SELECT tgname FROM pg_trigger WHERE tgname LIKE 'schema\\_kit%'
UNION ALL SELECT source_table FROM schema_kit.copy_run
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("moved", MOVED)
def test_check_ends_a_copy_whose_table_has_another_name(database: Database, moved: str) -> None:
    """Its trigger would log each write until the disk is full; what check says ends that, and leaves nothing."""
    begun(database)
    database.sql(*MOVED[moved].split("; "))
    if moved != "trigger_dropped":
        table, schema = ("c", "z") if "schema" in moved else ("d", "public")
        with pytest.raises(SchemaKitError):
            perform(database, lambda op: op.convert_to_partitioned(table, "at", "1 month", schema=schema))
    for _ in range(3):
        said = shell(database, "partitions", "check")
        for command in re.findall(r"schema_kit (partitions convert \S+ --abort)", said.stdout):
            assert shell(database, *command.split(), "--yes").returncode == 0
    assert "nothing to do" in said.stderr
    assert database.sql(WORKS) == []
    if moved != "dropped":
        where = {"renamed": "d", "renamed_and_made_again": "d", "trigger_dropped": "c"}.get(moved, "z.c")
        assert database.sql(f"SELECT count(*) FROM {where}") == [(90,)]


@pytest.mark.exhaustive
def test_another_table_with_the_name_of_a_partition_to_be_stays(database: Database) -> None:
    begun(database)
    [[built], *_] = database.sql("SELECT target_table FROM schema_kit.copy_target WHERE NOT is_default ORDER BY 1")
    database.sql(f"DROP TABLE {built}", f"CREATE TABLE {built} (i int)", f"INSERT INTO {built} VALUES (1)")
    done = shell(database, "partitions", "convert", "c", "--abort", "--yes")
    assert (done.returncode, built.partition(".")[2] in done.stderr) == (1, True)
    assert database.sql(f"SELECT i FROM {built}") == [(1,)]


@pytest.mark.exhaustive
def test_what_was_emptied_elsewhere_waits_for_none_here(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a dump and restore the transaction that moved the rows may be one that is still to come."""
    for module in (emptied, copying):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    database.sql(*PLAIN)
    _convert(database, strategy="copy")
    with database.connect(autocommit=False) as older:
        older.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        older.execute("SELECT count(*) FROM pg_class")
        perform(database, lambda op: op.unpartition("c", keep_primary_key=True))
        children = database.sql(
            "SELECT inhrelid::regclass::text, obj_description(inhrelid, 'pg_class') FROM pg_inherits "
            "WHERE inhparent = 'c'::regclass"
        )
        assert children
        for name, comment in children:
            database.sql(f"COMMENT ON TABLE {name} IS '{re.sub(r' in [0-9]+ ', ' in 900000000 ', comment)}'")
        perform(database, lambda op: op.unpartition("c", keep_primary_key=True))
        assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'c'::regclass") == [(0,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("lost", ["c", "c__old"])
def test_a_key_that_was_dropped_since_the_swap_is_named(database: Database, lost: str) -> None:
    database.sql(*PLAIN)
    _convert(database, strategy="copy", keep_old="fed")
    [[key]] = database.sql(f"SELECT conname FROM pg_constraint WHERE conrelid = '{lost}'::regclass AND contype = 'p'")
    database.sql(f"ALTER TABLE {lost} DROP CONSTRAINT {key}")
    done = shell(database, "partitions", "convert", "c", "--rollback", "--yes")
    assert (done.returncode, "the primary key of public.c" in done.stderr) == (3, True), done.stderr
