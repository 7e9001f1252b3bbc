"""After the swap of a conversion: the plain table that was kept takes its place again, with all that was written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import psycopg
import pytest

import schema_kit
from schema_kit import op
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.names import QualifiedName
from schema_kit.steps import Step
from schema_kit.steps.copy_changes import ReplayKeys, VerifyCopy
from schema_kit.steps.rollback import BeginReturn, SwapBack
from schema_kit.tasks.conversion import give_up, roll_back
from tests.support.copies import BY, PATIENT, PLAIN, READER, RICH, catalog, cli, convert, left_behind
from tests.support.database import Database
from tests.support.writers import same, writing

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")
RELATIONS = """
SELECT relname, relkind, relowner, reloptions, relfilenode FROM pg_class
WHERE relnamespace = 's'::regnamespace AND relname NOT LIKE 'control%' ORDER BY 1
"""


def back(database: Database) -> tuple[Step, ...]:
    return database.run(lambda catalog: roll_back(catalog, T), PATIENT)


def plain(database: Database) -> bool:
    return database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("r",)]


@pytest.mark.deep
def test_what_was_written_since_the_swap_is_in_the_plain_table(database: Database) -> None:
    """It is the very table of before, with its files, its indexes, its names."""
    database.sql(*PLAIN)
    relations, before = database.sql(RELATIONS), catalog_of(database)
    with writing(database, "s.t", "s.control", on_conflict="") as applications:
        convert(database, keep_old="fed")
        assert not plain(database)
        applications[0].stop.wait(1.5)
        back(database)
        assert plain(database)
    assert database.sql(RELATIONS) == relations
    assert catalog_of(database) == before
    assert left_behind(database) == []
    assert database.sql("SELECT count(*) FROM schema_kit.part_config") == [(0,)]
    assert max(application.longest for application in applications) < PATIENT.longest / 1000 + 1
    assert back(database) == ()
    convert(database, workers=2)  # and there again
    same(database, "s.t", "s.control")


def catalog_of(database: Database) -> set[tuple[Any, ...]]:
    database.sql("CREATE VIEW s.v AS SELECT 1 AS one")  # what the query of the catalog requires to exist
    try:
        return catalog(database)
    finally:
        database.sql("DROP VIEW s.v")


@pytest.mark.exhaustive
def test_what_belongs_to_the_table_comes_back(database: Database) -> None:
    try:
        database.sql(
            *RICH,
            "CREATE TABLE s.child (n serial PRIMARY KEY, t_id bigint REFERENCES s.t ON DELETE CASCADE)",
            "INSERT INTO s.child (t_id) SELECT id FROM s.t WHERE id % 2 = 0",
        )
        relations, before = database.sql(RELATIONS), catalog(database)
        children = "SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint "
        children += "WHERE contype = 'f' AND connamespace = 's'::regnamespace ORDER BY 1"
        keys = database.sql(children)
        convert(database, incoming_foreign_keys="composite", keep_old="fed")
        database.sql(
            "INSERT INTO s.t (body, place_id) SELECT 'since', 3 FROM generate_series(1, 100)",
            "UPDATE s.t SET at = '2026-03-04', body = 'moved' WHERE id < 300",
            "DELETE FROM s.t WHERE id BETWEEN 1000 AND 1500",
            "INSERT INTO s.child (t_id) SELECT id FROM s.t WHERE body = 'since'",
            f"GRANT DELETE ON s.t TO {READER}",
            "COMMENT ON TABLE s.t IS 'other things'",
        )
        content = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM s.t"
        expected, referring = database.sql(content), database.sql("SELECT count(*), sum(t_id) FROM s.child")
        with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
            op.unpartition("t", schema="s")
        assert plain(database)
        assert database.sql(content) == expected
        assert database.sql("SELECT count(*), sum(t_id) FROM s.child") == referring
        assert database.sql(RELATIONS) == relations
        assert database.sql(children) == keys
        after = catalog(database)
        assert {row[1] for row in before ^ after if row[0] != "grant"} == set()
        granted = next(row for row in after if row[0] == "grant")
        assert granted[3] == "other things"
        assert f"{READER}=rd/" in granted[1]
        last = 7 + 3 * 2099
        assert database.sql("INSERT INTO s.t (body) VALUES ('next') RETURNING id, number") == [(last + 3, 2101)]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            database.sql("INSERT INTO s.t (place_id) VALUES (99)")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            database.sql("INSERT INTO s.child (t_id) VALUES (-1)")
        database.sql("DELETE FROM s.t WHERE id = 16")
        assert database.sql("SELECT count(*) FROM s.child WHERE t_id = 16") == [(0,)]
    finally:
        database.sql(f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


@pytest.mark.deep
def test_killed_again_and_again_it_comes_back(database: Database) -> None:
    database.sql(*PLAIN)
    relations = database.sql(RELATIONS)
    killed = 0
    with writing(database, "s.t", "s.control", on_conflict="", writers=3):
        code, told = cli(database, "convert", "s.t", *BY, "--strategy", "copy", "--feed")
        assert code == 0, told
        for lines in range(1, 200):
            code, told = cli(database, "convert", "s.t", "--rollback", lines=lines)
            if code == 0:
                break
            assert code == -signal.SIGKILL, told
            killed += 1
    assert killed >= 5
    assert plain(database)
    assert database.sql(RELATIONS) == relations
    assert left_behind(database) == []
    same(database, "s.t", "s.control")


@pytest.mark.deep
def test_what_was_not_fed_comes_back_only_if_nothing_was_written(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, keep_old=True)
    back(database)
    assert plain(database)
    same(database, "s.t", "s.control")
    convert(database, keep_old=True)
    database.sql(
        "UPDATE s.t SET body = 'since' WHERE id BETWEEN 1 AND 3",
        "UPDATE s.control SET body = 'since' WHERE id BETWEEN 1 AND 3",
    )
    with pytest.raises(ExecutionError, match=r"s\.t__old has not all that was written since the swap.*It was not fed"):
        back(database)
    assert "in transit back to s.t__old" in listed(database)
    code, told = cli(database, "convert", "s.t", "--abort")
    assert code == 0, told
    assert left_behind(database) == ["t__old"]
    assert "swapped; s.t__old is kept, until --finish or --rollback" in listed(database)
    with schema_kit.operations(database.sqlalchemy()), pytest.raises(PlanError, match="not fed"):
        op.unpartition("t", schema="s")
    same(database, "s.t", "s.control")


def listed(database: Database) -> str:
    command = [sys.executable, "-m", "schema_kit", "partitions", "list", "s.t", "--url", database.url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.deep
def test_a_rollback_is_aborted(database: Database) -> None:
    """Before its swap; and the plain table is fed on, so that it can be begun again."""
    database.sql(*PLAIN)
    with writing(database, "s.t", "s.control", on_conflict="", writers=3):
        convert(database, keep_old="fed")
        for lines in (1, 3, 5):
            code, _ = cli(database, "convert", "s.t", "--rollback", lines=lines)
            assert code == -signal.SIGKILL
            code, told = cli(database, "convert", "s.t", "--abort")
            assert code == 0 or (code == 3 and lines == 1), told
            assert not plain(database)
            assert "kept, with a log of what changes since, until" in listed(database)
        assert database.run(lambda catalog: give_up(catalog, T)) == ()
        back(database)
    assert plain(database)


@pytest.mark.exhaustive
def test_rows_that_went_past_the_trigger_stop_it(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    database.sql("TRUNCATE s.t_p20260201")
    with pytest.raises(ExecutionError, match="TRUNCATE, a partition detached or attached"):
        back(database)
    assert not plain(database)


@pytest.mark.exhaustive
def test_between_the_comparison_and_the_swap_nothing_may_slip_through(database: Database) -> None:
    """A partition that is emptied in between has it compared again."""
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    connection, happened = database.sqlalchemy(), list[bool]()

    def tell(event: Any) -> None:
        if isinstance(getattr(event, "step", None), SwapBack) and not happened:
            happened.append(True)
            database.sql("TRUNCATE s.t_p20260201")

    with pytest.raises(ExecutionError, match="has not all that was written"):
        schema_kit.execute.run(connection, lambda: roll_back(Catalog(connection), T), PATIENT, tell)
    assert happened
    assert not plain(database)


@pytest.mark.deep
def test_partitions_may_come_and_be_drained_meanwhile(database: Database) -> None:
    """What moves between partitions changes no row."""
    database.sql(*PLAIN)
    with writing(database, "s.t", "s.control", on_conflict="", writers=3):
        convert(database, keep_old="fed")
        for table in ("s.t", "s.control"):
            database.sql(f"INSERT INTO {table} (id, at, body) VALUES (900001, '2025-02-03', 'early')")
        with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
            op.drain_default_concurrently("t", schema="s")
        assert database.sql("SELECT tableoid::regclass::text FROM s.t WHERE id = 900001") == [("s.t_p20250201",)]
        back(database)
    assert plain(database)


@pytest.mark.exhaustive
def test_its_own_key_holds_again_or_the_rollback_stops(database: Database) -> None:
    """The partitioned table takes an id once a month; the plain one takes it once."""
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    database.sql("INSERT INTO s.t (id, at) VALUES (7000000, '2026-01-05'), (7000000, '2026-02-05')")
    with pytest.raises(ExecutionError, match=r"Key \(id\)=\(7000000\) already exists"):
        back(database)
    database.sql("DELETE FROM s.t WHERE id = 7000000 AND at = '2026-02-05'")
    back(database)
    assert plain(database)


@pytest.mark.exhaustive
def test_run_again_it_keeps_the_log_short(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    database.sql("UPDATE s.t SET amount = 4", "UPDATE s.control SET amount = 4")
    convert(database, keep_old="fed")
    assert database.sql("SELECT count(*) FROM s.t__back") == [(0,)]
    same(database, "s.t__old", "s.control")
    code, told = cli(database, "convert", "s.t", "--finish", "--yes")
    assert code == 0, told
    assert left_behind(database) == []
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname = 't__back'") == [(0,)]
    with pytest.raises(PlanError, match="none is kept"):
        back(database)


@pytest.mark.exhaustive
def test_a_disabled_trigger_is_made_again_and_what_it_missed_is_found(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    database.sql("ALTER TABLE s.t_p20260201 DISABLE TRIGGER schema_kit_copy_back", "DELETE FROM s.t WHERE id % 5 = 0")
    with pytest.raises(ExecutionError, match="has not all that was written"):
        back(database)
    assert not plain(database)


@pytest.mark.exhaustive
def test_columns_that_came_since_are_refused_by_name(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    database.sql("ALTER TABLE s.t ADD COLUMN more int DEFAULT 3")
    with pytest.raises(PlanError, match=r"its columns are not those of s\.t__old any more: more"):
        back(database)
    with pytest.raises(PlanError, match="none is kept of a conversion by copy"):
        database.run(lambda catalog: roll_back(catalog, QualifiedName("s", "control")))


@pytest.mark.exhaustive
def test_two_rollbacks_at_once(database: Database) -> None:
    """What one has decided, and the other has begun again, is looked at again under the lock."""
    database.sql(*PLAIN)
    convert(database, keep_old="fed")
    steps = [step for step in _planned(database) if isinstance(step, (BeginReturn, ReplayKeys, VerifyCopy))]
    assert [type(step) for step in steps] == [BeginReturn, ReplayKeys, VerifyCopy]
    swap = next(step for step in _planned(database) if isinstance(step, SwapBack))
    with pytest.raises(ExecutionError, match="is not any more what was compared"):
        database.run(lambda _: schema_kit.steps.Plan("", (swap,)))
    assert json.dumps([step.summary for step in steps])
    back(database)
    assert plain(database)


def _planned(database: Database) -> tuple[Step, ...]:
    return roll_back(Catalog(database.sqlalchemy()), T).steps
