"""Conversions while others write, alter the table, or hold its lock."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit.catalog import Catalog, publications
from schema_kit.errors import LockNotAvailable
from schema_kit.execute import Event, StepDone, Waiting
from schema_kit.model import Table
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import conversion
from tests.support.catalog import facts
from tests.support.cli import shell
from tests.support.conversion import PLAIN, Stopped, T, convert, scene, set_up, threads, until
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE app.t ADD COLUMN more text DEFAULT 'more' CHECK (more <> '')",
        "CREATE INDEX t_room ON app.t (room, body)",
        "ALTER TABLE app.t DROP COLUMN room",
        "ALTER TABLE app.t ALTER body SET DEFAULT 'other'",
        "GRANT SELECT ON app.t TO PUBLIC",
    ],
)
def test_a_table_that_changes_in_the_middle_has_its_parent_built_again(database: Database, change: str) -> None:
    database.sql(*scene(), change)
    convert(database, T, incoming="drop")
    whole = facts(database)
    set_up(database, *scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(conversion.Swap))
    database.sql(change)
    steps = convert(database, T, incoming="drop")
    assert any(isinstance(step, conversion.DropBuiltParent) for step in steps)
    assert facts(database) == whole


def test_a_change_right_before_the_swap_is_seen(database: Database) -> None:
    database.sql(*scene())

    def alter(event: Event) -> None:
        if isinstance(event, StepDone) and isinstance(event.step, conversion.BuildParent) and not altered:
            altered.append(True)
            database.sql("ALTER TABLE app.t ADD COLUMN more text")

    altered: list[bool] = []
    convert(database, T, incoming="drop", emit=alter)
    assert altered
    database.sql("INSERT INTO app.t (more) VALUES ('x')")


@pytest.mark.parametrize("dry", [True, False], ids=["dry run", "run"])
def test_another_run_swaps_between_two_halves_of_the_first_look(
    database: Database, monkeypatch: pytest.MonkeyPatch, dry: bool
) -> None:
    """A name was taken when the names were read, and is free when its table is looked at: no reason to refuse."""
    database.sql(*PLAIN, "CREATE TABLE app.t__new (id int)")
    table, gone = Catalog.table, list[QualifiedName]()

    def swapped_first(self: Catalog, name: QualifiedName) -> Table | None:
        if name == T.sibling("t__new") and not gone:
            database.sql("DROP TABLE app.t__new")
            gone.append(name)
        return table(self, name)

    monkeypatch.setattr(Catalog, "table", swapped_first)
    way = ["--strategy", "attach", *(["--dry-run"] if dry else [])]
    done = shell(database, "partitions", "convert", str(T), "--control", "at", "--interval", "1 month", *way)
    assert gone
    assert (done.returncode, "rename it" in done.stderr.lower()) == (0, False), done.stderr


@pytest.mark.parametrize("again", [True, False], ids=["replaced", "dropped"])
def test_a_table_that_goes_while_it_is_read(database: Database, monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    database.sql(*PLAIN)
    read, gone = publications.replica_identity, list[int]()

    def dropped_first(connection: sa.Connection, oid: int) -> str:
        if not gone:
            gone.append(oid)
            database.sql("DROP TABLE app.t", *(["CREATE TABLE app.t (other int)"] if again else []))
        return read(connection, oid)

    monkeypatch.setattr(publications, "replica_identity", dropped_first)
    table = Catalog(database.sqlalchemy()).table(T)
    assert gone
    assert [column.name for column in table.columns] == ["other"] if table else not again


HASTY = LockPolicy(first=20, longest=40, attempts=3)


@pytest.mark.exhaustive
def test_who_holds_the_lock_is_named_and_then_it_goes_on(database: Database) -> None:
    database.sql(*PLAIN)
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'the holder'")
    holder.execute("LOCK TABLE app.t IN ACCESS SHARE MODE")
    with pytest.raises(LockNotAvailable) as refused:
        convert(database, T, policy=HASTY)
    assert len(refused.value.blockers) == 1
    assert f"pid {holder.info.backend_pid} (the holder): AccessShareLock on app.t" in refused.value.blockers[0]
    assert "idle in transaction" in refused.value.blockers[0]
    assert str(holder.info.backend_pid) in str(refused.value)

    freed: list[Event] = []

    def free(event: Event) -> None:
        if isinstance(event, Waiting) and not freed:
            freed.append(event)
            holder.rollback()

    convert(database, T, emit=free)
    assert freed
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 'app.t'::regclass") == [("p",)]


@pytest.mark.exhaustive
def test_a_swap_that_cannot_have_its_locks_leaves_the_table_open(database: Database) -> None:
    database.sql(*scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(conversion.Swap))
    holder = database.connect(autocommit=False)
    holder.execute("SELECT 1 FROM app.child LIMIT 1")
    with pytest.raises(LockNotAvailable, match="swap"):
        convert(database, T, incoming="drop", policy=HASTY)
    database.sql("SET lock_timeout = '1s'", "INSERT INTO app.t (body) VALUES ('goes on')")
    holder.rollback()
    convert(database, T, incoming="drop")


def test_a_prepared_transaction_that_holds_the_lock_is_named(database: Database) -> None:
    database.sql(*PLAIN)
    name = database.sql("SELECT current_database()")[0][0] + " it's prepared"
    holder = database.connect(autocommit=False)
    holder.execute("INSERT INTO app.t (body) VALUES ('x')")
    holder.execute(f"PREPARE TRANSACTION {psycopg.sql.quote(name)}".encode())
    holder.rollback()
    try:
        with pytest.raises(LockNotAvailable) as refused:
            convert(database, T, policy=HASTY)
        assert f"prepared transaction {psycopg.sql.quote(name)}" in refused.value.blockers[0]
    finally:
        database.sql(f"ROLLBACK PREPARED {psycopg.sql.quote(name)}")
    convert(database, T)


@pytest.mark.exhaustive
def test_writers_fail_nowhere_and_wait_for_no_longer_than_the_budget(database: Database) -> None:
    database.sql(
        *scene(),
        "CREATE TABLE app.control (id bigint PRIMARY KEY, body text)",
        "INSERT INTO app.control SELECT id, body FROM app.t",
    )
    waits: list[float] = []
    writes: list[int] = []

    def write(number: int) -> Callable[[Callable[[], bool]], None]:
        def work(over: Callable[[], bool]) -> None:
            with psycopg.connect(database.url, autocommit=True) as connection:
                count = 0
                while not over():
                    count += 1
                    own = 1 + (count * 4 + number) % 2900  # no two writers touch the same row
                    with connection.transaction():
                        match count % 3:
                            case 0:
                                row = connection.execute(
                                    "INSERT INTO app.t (body) VALUES (%s) RETURNING id, body", [f"n{number}"]
                                ).fetchone()
                                connection.execute("INSERT INTO app.control VALUES (%s, %s)", row)
                            case 1:
                                for table in ("t", "control"):
                                    connection.execute(
                                        f"UPDATE app.{table} SET body = body || '.' WHERE id = {own}".encode()
                                    )
                            case _:
                                for table in ("t", "control"):
                                    connection.execute(
                                        f"DELETE FROM app.{table} WHERE id = {own} AND id > 2000".encode()
                                    )
                    time.sleep(0.002)
                writes.append(count)

        return work

    def probe(over: Callable[[], bool]) -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not over():
                started = time.monotonic()
                connection.execute("UPDATE app.t SET body = body WHERE id = 2950")
                waits.append(time.monotonic() - started)
                time.sleep(0.001)

    with threads(*(write(number) for number in range(3)), probe) as raised:
        convert(database, T, incoming="composite", policy=LockPolicy(first=50, longest=200, attempts=60))
        time.sleep(0.3)
    assert raised == []
    assert len(writes) == 3
    assert min(writes) > 10
    assert max(waits) < QUICK.longest / 1000 + 1
    difference = "SELECT id, body FROM app.t EXCEPT SELECT id, body FROM app.control"
    assert database.sql(difference) == []
    assert database.sql("SELECT count(*) FROM app.t") == database.sql("SELECT count(*) FROM app.control")
    stale = "SELECT count(*) FROM app.{0} c JOIN app.t ON t.id = c.t_id WHERE c.t_at IS DISTINCT FROM t.at"
    assert database.sql(stale.format("child")) == database.sql(stale.format("friend")) == [(0,)]
