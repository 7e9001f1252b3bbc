"""Each rule of the copy, broken: what the machinery does about it, or what comes of it where it would not."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from schema_kit import execute, report
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.execute import Event
from schema_kit.script import render
from schema_kit.steps import Step
from schema_kit.steps.copy_changes import ReplayKeys, VerifyCopy
from schema_kit.steps.copy_chunks import CopyChunk, CutChunks
from schema_kit.steps.copy_swap import Settle, SwapCopy
from schema_kit.steps.copying import AbandonCopy
from tests.support.database import QUICK, Database
from tests.support.matrix import thinned
from tests.support.scene import CONTENT, Scene

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.mark.exhaustive
def test_1_the_log_exists_before_a_chunk_looks(scene: Scene) -> None:
    """And who writes needs no rights on it, whatever session_replication_role says."""
    chunk = scene.until(CutChunks)
    assert isinstance(chunk, CutChunks)
    scene.database.sql("CREATE ROLE writer_of_t", "GRANT USAGE ON SCHEMA s TO writer_of_t")
    try:
        scene.database.sql("GRANT INSERT, UPDATE, DELETE, SELECT ON s.t TO writer_of_t")
        with scene.database.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("SET ROLE writer_of_t")
            connection.execute("UPDATE s.t SET id = -1 WHERE id = 1")
            connection.execute("DELETE FROM s.t WHERE id = 2")
        found = scene.database.sql("SELECT id FROM s.t_default__log ORDER BY 1")
        assert found == [(-1,), (1,), (2,)]
        expected = scene.database.sql(CONTENT)
        scene.run()
        assert scene.database.sql(CONTENT) == expected
    finally:
        scene.database.sql("DROP OWNED BY writer_of_t", "DROP ROLE writer_of_t")


@pytest.mark.exhaustive
def test_1_without_the_trigger_it_begins_again(scene: Scene) -> None:
    def drop() -> None:
        scene.database.sql(
            "ALTER TABLE s.t_default DISABLE TRIGGER schema_kit_copy_log",
            "UPDATE s.t SET body = 'unseen' WHERE id % 7 = 0",
            "DELETE FROM s.t WHERE id % 11 = 0",
        )

    scene.until(VerifyCopy)
    drop()
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.sent(AbandonCopy) == 1
    assert scene.database.sql(CONTENT) == expected


@pytest.mark.exhaustive
def test_2_a_publication_of_all_tables_lets_the_log_go(scene: Scene) -> None:
    scene.database.sql("CREATE PUBLICATION everything FOR ALL TABLES")
    step = scene.until(ReplayKeys)
    scene.database.sql("UPDATE s.t SET body = 'changed' WHERE id < 100")
    identity = "SELECT relreplident, relpersistence FROM pg_class WHERE oid = 's.t_default__log'::regclass"
    assert scene.database.sql(identity) == [("f", "p")]
    scene.send(step)
    assert scene.database.sql("SELECT count(*) FROM s.t_default__log") == [(0,)]
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.database.sql(CONTENT) == expected


@pytest.mark.exhaustive
def test_3_chunks_are_ranges_of_keys_so_that_a_rewrite_in_the_middle_loses_nothing(scene: Scene) -> None:
    chunk = scene.until(CopyChunk)
    scene.send(chunk)
    assert scene.database.sql("SELECT count(*) > 0 FROM s.t_default__staging") == [(True,)]
    # The rows lie elsewhere afterwards; and VACUUM FULL cannot be distinguished from TRUNCATE, so it begins again.
    scene.database.sql("DELETE FROM s.t WHERE id % 2 = 0", "VACUUM FULL s.t_default")
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.sent(AbandonCopy) == 1
    assert scene.database.sql(CONTENT) == expected


def test_3_a_policy_that_hides_rows_stops_the_copy(scene: Scene) -> None:
    scene.database.sql("CREATE ROLE owner_of_t LOGIN", "GRANT ALL ON SCHEMA s TO owner_of_t")
    try:
        scene.database.sql(
            "ALTER TABLE s.t_default ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE s.t_default FORCE ROW LEVEL SECURITY",
            "CREATE POLICY a_few ON s.t_default USING (id < 10)",
        )
        with pytest.raises(PlanError, match="row security of its own"):
            scene.run()
        assert CopyChunk.reads_rows
    finally:
        scene.database.sql("DROP OWNED BY owner_of_t", "DROP ROLE owner_of_t")


@pytest.mark.exhaustive
def test_4_nothing_is_replayed_while_a_chunk_is_open(scene: Scene) -> None:
    """A chunk that a dying session still holds is waited for."""
    chunk = scene.until(CopyChunk)
    with psycopg.connect(scene.database.url, autocommit=True) as zombie:
        for statement in render(chunk, QUICK)[:-1]:
            zombie.execute(statement.encode())
        scene.database.sql("UPDATE s.t SET body = 'changed' WHERE id < 1000")
        with pytest.raises(ExecutionError, match="the database still asks for it"):
            scene.run()
        assert scene.sent(ReplayKeys) == 0
        zombie.execute("ROLLBACK")
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.database.sql(CONTENT) == expected


@pytest.mark.exhaustive
def test_5_keys_of_a_transaction_that_commits_late_are_not_passed_over(scene: Scene) -> None:
    step = scene.until(ReplayKeys)
    late = scene.database.connect(autocommit=False)
    late.execute("UPDATE s.t SET body = 'late' WHERE id = 77")
    scene.database.sql("UPDATE s.t SET body = 'early' WHERE id = 78")
    scene.send(step)
    assert scene.database.sql("SELECT count(*) FROM s.t_default__log") == [(0,)]
    late.commit()
    assert scene.database.sql("SELECT id FROM s.t_default__log") == [(77,)]
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.database.sql(CONTENT) == expected
    assert scene.database.sql("SELECT body FROM s.t WHERE id IN (77, 78) ORDER BY id") == [("late",), ("early",)]


@pytest.mark.exhaustive
def test_5_a_batch_deletes_before_it_inserts_and_takes_what_the_source_holds_now(scene: Scene) -> None:
    step = scene.until(ReplayKeys)
    scene.database.sql(
        "UPDATE s.t SET body = 'once' WHERE id = 5",
        "UPDATE s.t SET body = 'twice' WHERE id = 5",
        "UPDATE s.t SET at = at + interval '2 months' WHERE id = 6",
        "DELETE FROM s.t WHERE id = 7",
        "INSERT INTO s.t VALUES (7, '2026-01-01 00:07+00', 'again')",
    )
    for _ in range(2):
        scene.send(step)
    both = "SELECT id, at, body FROM {} WHERE id IN (5, 6, 7) ORDER BY id"
    assert scene.database.sql(both.format("s.t_default__staging")) == scene.database.sql(both.format("s.t"))


@pytest.mark.exhaustive
def test_5_values_that_have_changed_hands_are_not_in_each_others_way(scene: Scene) -> None:
    scene.database.sql(
        "UPDATE s.t SET body = id::text",
        "ALTER TABLE s.t ADD UNIQUE (body, at)",
    )
    scene.until(VerifyCopy)
    # 5000 rows get the values of others: whatever part of the log came first, some value would be there twice.
    scene.database.sql(
        "UPDATE s.t SET at = '2026-02-01 00:00+00' WHERE id <= 5000",
        "UPDATE s.t SET body = 'x' || id WHERE id <= 5000",
        "UPDATE s.t SET body = (5001 - id)::text WHERE id <= 5000",
    )
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.database.sql(CONTENT) == expected


CHANGES = (
    "TRUNCATE s.t_default",
    "ALTER TABLE s.t ALTER body TYPE varchar(100)",
    "ALTER TABLE s.t ADD COLUMN more int",
    "VACUUM FULL s.t_default",
    "ALTER TABLE s.t_default DISABLE TRIGGER schema_kit_copy_log",
    "ALTER TABLE s.t_default ENABLE TRIGGER schema_kit_copy_log",
    "DROP TRIGGER schema_kit_copy_log ON s.t_default",
    "DROP TABLE s.t_default__log",
)


@pytest.mark.parametrize("change", thinned(CHANGES, CHANGES[6]))
def test_6_a_source_that_is_another_table_now_is_not_swapped(scene: Scene, change: str) -> None:
    swap = scene.until(SwapCopy)
    if change.startswith("DROP TABLE"):
        scene.database.sql("DROP TRIGGER schema_kit_copy_log ON s.t_default")
    scene.database.sql(change, "INSERT INTO s.t (id, at, body) VALUES (-1, '2026-01-05', 'late')")
    expected = scene.database.sql(CONTENT)
    if not change.startswith(("ALTER TABLE s.t ", "DROP TABLE")):
        with pytest.raises(
            psycopg.DatabaseError, match=r"is not any more what was copied|was changed after it was looked"
        ):
            scene.send(swap)
    scene.run()
    assert scene.sent(AbandonCopy) == 1
    assert scene.database.sql(CONTENT) == expected


@pytest.mark.exhaustive
def test_7_triggers_of_the_parent_do_not_fire_for_copied_rows(scene: Scene) -> None:
    scene.database.sql(
        "CREATE TABLE s.noise (id bigint)",
        "CREATE FUNCTION s.shout() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO s.noise VALUES (1); RETURN NULL; END'",
        "CREATE TRIGGER shout AFTER INSERT OR DELETE ON s.t FOR EACH ROW EXECUTE FUNCTION s.shout()",
    )
    scene.run(SwapCopy, lambda _: scene.database.sql("UPDATE s.t SET body = 'changed' WHERE id < 50"))
    assert scene.database.sql("SELECT count(*) FROM s.noise") == [(0,)]
    scene.database.sql("INSERT INTO s.t VALUES (-5, '2026-01-05', 'loud')")
    assert scene.database.sql("SELECT count(*) FROM s.noise") == [(1,)]


@pytest.mark.exhaustive
def test_7_foreign_keys_are_in_nobodys_way_and_come_back_validated(scene: Scene) -> None:
    """While the copy is behind, a row that others do not refer to any more can be deleted."""
    scene.database.sql(
        "CREATE TABLE s.place (id bigint PRIMARY KEY)",
        "INSERT INTO s.place SELECT generate_series(0, 9)",
        "ALTER TABLE s.t ADD COLUMN place_id bigint DEFAULT 1 REFERENCES s.place",
        "UPDATE s.t SET place_id = id % 10",
        "CREATE TABLE s.child (t_id bigint, t_at timestamptz, FOREIGN KEY (t_id, t_at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t WHERE id < 1000",
    )
    keys = (
        "SELECT conrelid::regclass::text, conname, convalidated FROM pg_constraint WHERE contype = 'f' AND "
        "conparentid = 0 AND connamespace = 's'::regnamespace ORDER BY 1, 2"
    )
    before = scene.database.sql(keys)
    scene.until(SwapCopy)
    scene.database.sql("UPDATE s.t SET place_id = 8 WHERE place_id = 9", "DELETE FROM s.place WHERE id = 9")
    expected = scene.database.sql(CONTENT)
    scene.run()
    assert scene.database.sql(CONTENT) == expected
    assert scene.database.sql(keys) == before
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        scene.database.sql("INSERT INTO s.t VALUES (-5, '2026-01-05', '', 9)")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        scene.database.sql("DELETE FROM s.t WHERE id = 999")


@pytest.mark.exhaustive
def test_8_partitions_have_statistics_before_a_session_plans_over_them(scene: Scene) -> None:
    scene.until(SwapCopy)
    sql = "SELECT count(*) FROM pg_stats WHERE schemaname = 's' AND tablename = 't_p20260101' AND attname = 'id'"
    assert scene.database.sql(sql) == [(1,)]


def test_9_the_swap_takes_all_its_locks_at_once_or_none(scene: Scene) -> None:
    swap = scene.until(SwapCopy)
    assert isinstance(swap, SwapCopy)
    lines = render(swap, QUICK, 100)
    first = next(line for line in lines if not line.startswith(("BEGIN", "SET")))
    assert "BEGIN LOCK TABLE " in first
    assert all(target.built.sql in first for target in swap.copy.targets)
    assert lines[lines.index(first) - 1] == "SET LOCAL statement_timeout = '100ms'"


@pytest.mark.exhaustive
def test_9_what_is_in_the_log_at_the_swap_is_replayed_under_its_lock(scene: Scene) -> None:
    def write(_: Step) -> None:
        scene.database.sql(
            "UPDATE s.t SET body = 'last' WHERE id BETWEEN 100 AND 200",
            "DELETE FROM s.t WHERE id BETWEEN 300 AND 400",
            "UPDATE s.t SET id = -id WHERE id BETWEEN 500 AND 600",
            "UPDATE s.t SET at = at + interval '1 month' WHERE id BETWEEN 700 AND 800",
        )

    scene.run(SwapCopy, write)
    assert scene.database.sql("SELECT count(*) FROM s.t WHERE body = 'last'") == [(101,)]
    assert scene.database.sql("SELECT count(*) FROM s.t WHERE id BETWEEN 300 AND 400") == [(0,)]
    assert scene.database.sql("SELECT count(*) FROM s.t WHERE id < 0") == [(101,)]
    assert scene.database.sql("SELECT count(*) FROM s.t") == [(60000 - 101,)]


@pytest.mark.exhaustive
def test_snapshots_from_before_the_copy_are_waited_for(scene: Scene) -> None:
    """A REPEATABLE READ transaction that touches the table after the swap sees all of it."""
    old = scene.database.connect(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT 1 FROM pg_class LIMIT 1")
    seen: list[Any] = []

    def end() -> None:
        seen.append(old.execute("SELECT count(*) FROM s.t").fetchone())
        old.commit()

    waited: list[Event] = []
    connection = scene.database.sqlalchemy()
    timer: list[threading.Timer] = []

    def tell(event: Event) -> None:
        if isinstance(event, execute.Waiting) and isinstance(event.step, Settle):
            waited.append(event)
            assert "has a snapshot from before" in report.sentence(event)
            if not timer:
                timer.append(threading.Timer(0.2, end))
                timer[0].start()

    execute.run(connection, lambda: scene.decide(Catalog(connection)), QUICK, tell)
    timer[0].join()
    assert waited
    assert seen == [(60000,)]


def test_rows_that_differ_stop_the_swap(scene: Scene) -> None:
    scene.until(VerifyCopy)
    scene.database.sql("UPDATE s.t_p20260101 SET body = 'nobody wrote this' WHERE id = 44")
    with pytest.raises(ExecutionError, match=r"s.t_p20260101: .* with other values"):
        scene.run()
    assert scene.sent(SwapCopy) == 0


def test_what_changes_while_it_is_compared_makes_no_difference(scene: Scene) -> None:
    scene.until(VerifyCopy)
    scene.database.sql("DELETE FROM s.t WHERE id < 100", "UPDATE s.t SET body = 'b' WHERE id BETWEEN 200 AND 300")
    scene.run(SwapCopy)
    assert scene.sent(AbandonCopy) == 0
    assert scene.database.sql("SELECT count(*) FROM s.t") == [(60000 - 99,)]
