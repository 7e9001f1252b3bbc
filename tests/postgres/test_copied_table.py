"""A plain table becomes partitioned by copying its rows, while applications write and read."""

from __future__ import annotations

import signal

import psycopg
import pytest

import schema_kit
from schema_kit import op
from schema_kit.catalog import Catalog
from schema_kit.catalog.statements import that_rest_on_the_key
from schema_kit.errors import PlanError
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans import copied_table
from schema_kit.tasks.conversion import Convert
from tests.support.copies import BY, PATIENT, PLAIN, READER, RICH, catalog, cli, convert, left_behind
from tests.support.database import Database
from tests.support.matrix import longer
from tests.support.writers import STILL, same, writing

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

T = QualifiedName("s", "t")


@pytest.mark.deep
@pytest.mark.parametrize("workers", longer([1, 2], 1, mark=pytest.mark.deep))
def test_a_table_is_converted_while_it_is_written(database: Database, workers: int) -> None:
    database.sql(*PLAIN)
    with writing(database, "s.t", "s.control", on_conflict="") as applications:
        convert(database, workers=workers)
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("p",)]
    held = dict(database.sql("SELECT tableoid::regclass::text, count(*) FROM s.t GROUP BY 1"))
    assert len(held) == 6
    assert sum(held.values()) > STILL
    assert "s.t_default" not in held
    assert left_behind(database) == []
    assert max(application.longest for application in applications) < PATIENT.longest / 1000 + 1
    assert database.sql("SELECT partition_interval FROM schema_kit.part_config") == [("1 mon",)]
    convert(database)  # nothing to do
    same(database, "s.t", "s.control")


@pytest.mark.deep
def test_killed_again_and_again_the_old_table_stays_until_the_finish(database: Database) -> None:
    database.sql(*PLAIN)
    killed = 0
    with writing(database, "s.t", "s.control", on_conflict="", writers=3):
        for lines in range(1, 200):
            code, told = cli(database, "convert", "s.t", *BY, "--strategy", "copy", "--workers", "2", lines=2 + lines)
            if code == 0:
                break
            assert code == -signal.SIGKILL, told
            killed += 1
    assert killed >= 5
    assert left_behind(database) == ["t__old"]
    code, told = cli(database, "convert", "s.t", "--finish", "--yes")
    assert code == 0, told
    assert left_behind(database) == []
    same(database, "s.t", "s.control")


@pytest.mark.exhaustive
def test_what_belongs_to_the_table_is_carried_over(database: Database) -> None:
    try:
        database.sql(*RICH)
        before, content = catalog(database), database.sql("SELECT count(*), sum(id), sum(number), sum(length) FROM s.t")
        convert(database)
        after = catalog(database)
        assert database.sql("SELECT count(*), sum(id), sum(number), sum(length) FROM s.t") == content
        assert {row[:2] for row in before} == {row[:2] for row in after}
        changed = {row[1] for row in before ^ after}
        assert changed == {"t_pkey"}, "the primary key alone is longer"
        options = "SELECT DISTINCT reloptions FROM pg_class WHERE relispartition AND relkind = 'r'"
        assert database.sql(options) == [(["fillfactor=80"],)]
        found = database.sql("INSERT INTO s.t (body) VALUES ('next') RETURNING id, number")
        assert found == [(7 + 3 * 2000, 2001)]
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            database.sql("INSERT INTO s.t (place_id) VALUES (99)")
        assert not {name for name in left_behind(database) if "__" in name or "schema_kit" in name}
    finally:
        database.sql(f"DROP OWNED BY {READER}", f"DROP ROLE {READER}")


@pytest.mark.deep
def test_aborted_it_is_exactly_as_before(database: Database) -> None:
    database.sql(*RICH[:1], *RICH[2:8], "CREATE VIEW s.v AS SELECT id FROM s.t", *RICH[-1:])
    everything = "SELECT relname, relkind, relfilenode FROM pg_class WHERE relnamespace = 's'::regnamespace ORDER BY 1"
    before, catalog_before = database.sql(everything), catalog(database)
    finished = False
    for lines in (1, 6, 14, 22, 30, 38):
        code, _ = cli(database, "convert", "s.t", *BY, "--strategy", "copy", lines=lines)
        if database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("p",)]:
            finished = True
            break
        assert code == -signal.SIGKILL
        code, told = cli(database, "convert", "s.t", "--abort")
        assert code == 0, told
        assert database.sql(everything) == before
        assert catalog(database) == catalog_before
    assert lines > 14 or finished
    if finished:
        assert cli(database, "convert", "s.t", "--abort")[0] == 3


@pytest.mark.deep
def test_aborted_under_kills_what_refers_to_it_is_as_before_too(database: Database) -> None:
    """The conversion is killed, and so is what gives it up; each run goes on."""
    database.sql(
        *PLAIN,
        "CREATE VIEW s.v AS SELECT id FROM s.t",
        "CREATE TABLE s.child (n serial PRIMARY KEY, t_id bigint REFERENCES s.t ON DELETE CASCADE)",
        "INSERT INTO s.child (t_id) SELECT id FROM s.t WHERE id % 3 = 0",
    )
    everything = (
        "SELECT relname, relkind::text, relfilenode::text FROM pg_class WHERE relnamespace = 's'::regnamespace "
        "AND relname NOT LIKE 'control%' UNION ALL SELECT tgname, tgrelid::regclass::text, '' FROM pg_trigger "
        "WHERE NOT tgisinternal UNION ALL SELECT proname, '', '' FROM pg_proc WHERE pronamespace = 's'::regnamespace "
        "UNION ALL SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 's'::regnamespace UNION ALL SELECT attname, attnum::text, '' FROM pg_attribute "
        "WHERE attrelid = 's.child'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1, 2, 3"
    )
    before, of_the_table = database.sql(everything), catalog(database)
    convert_ = ("convert", "s.t", *BY, "--strategy", "copy", "--incoming-foreign-keys", "composite")
    aborts = 0
    with writing(database, "s.t", "s.control", on_conflict="", writers=2):
        for lines in (5, 13, 25):
            code, told = cli(database, *convert_, lines=lines)
            assert code == -signal.SIGKILL, told
            for stop in range(1, 50):
                code, told = cli(database, "convert", "s.t", "--abort", lines=stop)
                aborts += code == -signal.SIGKILL
                if code == 0:
                    break
                assert code == -signal.SIGKILL, told
            assert database.sql(everything) == before
            assert catalog(database) == of_the_table
    assert aborts >= 6


@pytest.mark.exhaustive
def test_tables_that_refer_to_it_get_its_key(database: Database) -> None:
    database.sql(
        *RICH[:1],
        *RICH[2:6],
        "CREATE TABLE s.child (n serial PRIMARY KEY, t_id bigint REFERENCES s.t)",
        *RICH[-1:],
        "INSERT INTO s.child (t_id) SELECT id FROM s.t WHERE id % 2 = 0",
    )
    with pytest.raises(PlanError, match="child_t_id_fkey"):
        convert(database)
    convert(database, incoming_foreign_keys="composite")
    assert database.sql("SELECT count(*) FROM s.child c JOIN s.t ON t.id = c.t_id AND t.at = c.t_at") == database.sql(
        "SELECT count(*) FROM s.child"
    )
    assert database.sql(
        "SELECT convalidated FROM pg_constraint WHERE conrelid = 's.child'::regclass AND contype = 'f' "
        "AND conparentid = 0"
    ) == [(True,)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.sql("INSERT INTO s.child (t_id) VALUES (-1)")


@pytest.mark.exhaustive
def test_a_copy_in_progress_is_not_attached(database: Database) -> None:
    database.sql(*PLAIN)
    cli(database, "convert", "s.t", *BY, "--strategy", "copy", lines=8)
    with (
        schema_kit.operations(database.sqlalchemy(), policy=PATIENT),
        pytest.raises(PlanError, match=r"s\.t is being converted by strategy copy"),
    ):
        op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="attach")
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.convert_to_partitioned("t", "at", "1 month", schema="s")  # goes on
    assert database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t'::regclass")[0][0] > 5


@pytest.mark.exhaustive
def test_statements_that_the_longer_key_breaks_are_named_beforehand(database: Database) -> None:
    database.sql(
        *PLAIN,
        "CREATE FUNCTION s.once(bigint) RETURNS void LANGUAGE sql AS "
        "'INSERT INTO s.t (id, at) VALUES ($1, now()) ON CONFLICT (\"id\") DO NOTHING'",
        "CREATE FUNCTION s.fine() RETURNS bigint LANGUAGE plpgsql AS "
        "'BEGIN RETURN (SELECT count(*) FROM (SELECT 1 FROM s.t GROUP BY word) x); END'",
        "CREATE FUNCTION s.grouped() RETURNS SETOF text LANGUAGE plpgsql AS "
        "'BEGIN RETURN QUERY SELECT t.body FROM s.t t GROUP BY t.id; END'",
    )
    for strategy in ("attach", "copy"):
        arguments = ("convert", "s.t", *BY, "--strategy", strategy, "--dry-run")
        code, told = cli(database, *arguments)
        assert code == 0
        said = "".join(told)
        assert "function s.once(bigint): ON CONFLICT (id) rests on the primary key of s.t" in said
        assert "function s.grouped(): GROUP BY (id)" in said
        assert "s.fine" not in said


def test_a_key_that_may_be_null_is_refused(database: Database) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz)")
    with pytest.raises(PlanError, match=r"s.t.at may be NULL"):
        convert(database)


def said(database: Database, *arguments: str) -> str:
    """The first line of a dry run."""
    code, told = cli(database, "convert", "s.t", *BY, "--dry-run", *arguments)
    assert code == 0, told
    return (told or [""])[0]


@pytest.mark.exhaustive
def test_without_a_strategy_one_is_chosen_and_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz)")
    assert "strategy attach: at may be NULL" in said(database)
    database.sql("ALTER TABLE s.t ALTER at SET NOT NULL")
    assert "strategy attach: all rows of s.t lie in one 1 mon, or there are none" in said(database)
    database.sql(
        "INSERT INTO s.t SELECT i, timestamptz '2026-01-05' + i * interval '1 day' FROM generate_series(1, 90) i"
    )
    assert "strategy copy: s.t has 24 kB, which is soon copied" in said(database)
    assert "strategy" not in said(database, "--strategy", "copy")
    assert "strategy copy: keep_old='fed'" in said(database, "--feed")
    monkeypatch.setattr(copied_table, "COPIED_UNASKED", 1000)
    catalog = Catalog(database.sqlalchemy())
    notes = Convert(Partitioning(T, "at", "1 mon"), "refuse").plan(catalog).notes
    assert notes[0].startswith("strategy attach: s.t has 24 kB, and more than 1000 bytes are not copied unasked")
    monkeypatch.undo()
    database.sql("INSERT INTO s.t VALUES (0, '2099-01-05')")
    assert "strategy copy: 1 rows lie farther ahead" in said(database)


@pytest.mark.exhaustive
def test_what_has_begun_decides_whatever_the_size_is_by_then(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that was killed goes on as it began."""
    partitions = "SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t'::regclass"
    database.sql(*PLAIN)
    cli(database, "convert", "s.t", *BY, "--strategy", "attach", lines=4)
    assert database.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'schema_kit_bound'") == [(1,)]
    with pytest.raises(PlanError, match="is being converted by strategy attach"):
        convert(database)
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.convert_to_partitioned("t", "at", "1 month", schema="s")
    assert database.sql(partitions)[0][0] < 6
    database.sql("DROP SCHEMA s CASCADE", "DROP SCHEMA schema_kit CASCADE", *PLAIN)
    monkeypatch.setattr(copied_table, "COPIED_UNASKED", 1000)
    cli(database, "convert", "s.t", *BY, "--strategy", "copy", lines=8)
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.convert_to_partitioned("t", "at", "1 month", schema="s")
    assert database.sql(partitions)[0][0] > 6


@pytest.mark.exhaustive
def test_what_was_sent_is_looked_through(database: Database) -> None:
    """pg_stat_statements knows what applications send; where that is not ours to read, nothing fails."""
    database.sql(*PLAIN, "CREATE SCHEMA ext", "CREATE EXTENSION pg_stat_statements SCHEMA ext")
    for _ in range(20):  # what was called once goes first when the cluster's view is full
        database.sql(
            "INSERT INTO s.t (id, at) VALUES (1, now()) ON CONFLICT (id) DO NOTHING",
            "SELECT word, count(*) FROM s.t GROUP BY word",
            "INSERT INTO s.control (id, at) VALUES (0, now()) ON CONFLICT (id, at) DO NOTHING",
        )
    arguments = ("convert", "s.t", *BY, "--strategy", "copy", "--dry-run")
    code, told = cli(database, *arguments)
    assert code == 0
    notes = [line for line in told if "a statement that was sent" in line]
    assert len(notes) == 1, told
    assert "ON CONFLICT (id) rests on the primary key of s.t" in notes[0]
    database.sql(
        "CREATE ROLE nobody_special LOGIN",
        "GRANT ALL ON SCHEMA s TO nobody_special",
        "ALTER TABLE s.t OWNER TO nobody_special",
        "ALTER TABLE s.control OWNER TO nobody_special",
    )
    try:
        connection = database.sqlalchemy()
        connection.exec_driver_sql("SET SESSION AUTHORIZATION nobody_special")
        table = Catalog(connection).table(T)
        assert table is not None
        assert that_rest_on_the_key(connection, table) == ()
    finally:
        database.sql("DROP OWNED BY nobody_special CASCADE", "DROP ROLE nobody_special")
