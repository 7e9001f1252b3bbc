"""Indexes during traffic: on plain tables and partition trees, through leftovers, stops and Alembic's entry points."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.execute import Event, StepDone, StepStarted
from schema_kit.model import IndexDeclaration, IndexElement
from schema_kit.names import QualifiedName
from schema_kit.ops import CreateIndexConcurrentlyOp
from schema_kit.ops.operation import task
from schema_kit.plans.indexes import create_index
from schema_kit.steps import Plan, Step
from schema_kit.steps.indexes import AttachIndex, DropIndexConcurrently
from schema_kit.tasks.indexes import create, drop
from tests.support.catalog import facts
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.indexes, pytest.mark.majors]

T = QualifiedName("app", "t")

COLUMNS = "(id bigint, region text NOT NULL, at date NOT NULL, body text)"
ROWS = """INSERT INTO app.t SELECT i, CASE WHEN i % 3 = 0 THEN 'b' ELSE 'a' END, date '2026-01-01' + i % 700, 'b' || i
          FROM generate_series(1, 300) i"""

SHAPES = {
    "plain": ("CREATE SCHEMA app", f"CREATE TABLE app.t {COLUMNS}", ROWS),
    "without partitions": ("CREATE SCHEMA app", f"CREATE TABLE app.t {COLUMNS} PARTITION BY RANGE (at)"),
    "range": (
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t {COLUMNS} PARTITION BY RANGE (at)",
        "CREATE TABLE app.t1 PARTITION OF app.t FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE TABLE app.t2 PARTITION OF app.t FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        "CREATE TABLE app.t3 PARTITION OF app.t DEFAULT",
        ROWS,
    ),
    "range under list": (
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t {COLUMNS} PARTITION BY LIST (region)",
        "CREATE TABLE app.t_a PARTITION OF app.t FOR VALUES IN ('a') PARTITION BY RANGE (at)",
        "CREATE TABLE app.t_a1 PARTITION OF app.t_a FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE TABLE app.t_a2 PARTITION OF app.t_a FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        "CREATE TABLE app.t_b PARTITION OF app.t FOR VALUES IN ('b')",
        "CREATE TABLE app.t_empty PARTITION OF app.t FOR VALUES IN ('c') PARTITION BY RANGE (at)",
        ROWS,
    ),
}

INDEX = IndexDeclaration("by_body", T, (IndexElement("body"), IndexElement("at DESC")), include=("id",), where="id > 0")

Decide = Callable[[Catalog], Plan]


def creating(index: IndexDeclaration = INDEX) -> Decide:
    return lambda catalog: create_index(index, catalog.tree(index.table))


def invalid(database: Database) -> int:
    return int(database.sql("SELECT count(*) FROM pg_index WHERE NOT (indisvalid AND indisready)")[0][0])


def indexes_of(database: Database) -> set[str]:
    """The indexes of the schema, by name."""
    return {row[0] for row in database.sql("SELECT indexname FROM pg_indexes WHERE schemaname = 'app'")}


class Stopped(Exception):
    """The client is gone."""


def run(database: Database, decide: Decide, emit: Callable[[Event], None]) -> tuple[Step, ...]:
    connection = database.sqlalchemy()
    return execute.run(connection, lambda: decide(Catalog(connection)), QUICK, emit)


@pytest.mark.parametrize("shape", SHAPES)
def test_made_once_and_dropped_whole(database: Database, shape: str) -> None:
    database.sql(*SHAPES[shape])
    before = facts(database)
    assert database.run(creating())
    tables = database.sql(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'p')"
    )
    valid = database.sql(
        "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid::regclass::text LIKE '%by_body'"
    )
    assert valid == tables
    assert database.run(creating()) == ()
    assert database.run(task(drop, T.sibling("by_body"), T))
    assert facts(database) == before
    assert database.run(task(drop, T.sibling("by_body"), T)) == ()


@pytest.mark.exhaustive
@pytest.mark.parametrize("shape", SHAPES)
def test_it_goes_on_from_wherever_it_was_stopped(database: Database, shape: str) -> None:
    database.sql(*SHAPES[shape])
    steps = database.run(creating())
    whole = facts(database)
    for count in range(1, len(steps) + 1):
        database.sql("DROP INDEX app.by_body")
        done: list[Event] = []

        def emit(event: Event, done: list[Event] = done, count: int = count) -> None:
            if isinstance(event, StepDone):
                done.append(event)
                if len(done) == count:
                    raise Stopped

        with pytest.raises(Stopped):
            run(database, creating(), emit)
        database.run(creating())
        assert facts(database) == whole, f"stopped after {count}: {steps[count - 1].summary}"


def leave_invalid(database: Database, table: str, name: str) -> None:
    """What a failed unique build leaves, on a table whose duplicates are gone again."""
    database.sql(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
    with pytest.raises(Exception, match="could not create unique index"):
        database.sql(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} (id, at, region)")
    database.sql(f"DELETE FROM {table} WHERE ctid = (SELECT max(ctid) FROM {table})")
    assert invalid(database) == 1


@pytest.mark.parametrize(
    ("shape", "table", "name"),
    [("plain", "app.t", "once"), ("range", "app.t1", "t1_once"), ("range under list", "app.t_a1", "t_a1_once")],
)
def test_an_invalid_leftover_is_replaced(database: Database, shape: str, table: str, name: str) -> None:
    database.sql(*SHAPES[shape])
    leave_invalid(database, table, name)
    once = IndexDeclaration("once", T, tuple(map(IndexElement, ("id", "at", "region"))), unique=True)
    steps = database.run(creating(once))
    assert [step for step in steps if isinstance(step, DropIndexConcurrently)]
    assert invalid(database) == 0
    with pytest.raises(Exception, match="duplicate key"):
        database.sql(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")


def test_duplicates_are_reported_and_then_it_goes_on(database: Database) -> None:
    database.sql(*SHAPES["range"], "INSERT INTO app.t1 SELECT * FROM app.t1 WHERE id = 1")
    once = IndexDeclaration("once", T, (IndexElement("id"), IndexElement("at")), unique=True)
    with pytest.raises(ExecutionError, match="INVALID index may be left") as refused:
        database.run(creating(once))
    assert refused.value.sqlstate == "23505"
    assert "app.t1" in str(refused.value)
    database.sql("DELETE FROM app.t1 WHERE ctid = (SELECT max(ctid) FROM app.t1 WHERE id = 1)")
    database.run(creating(once))
    assert invalid(database) == 0


def test_a_partition_that_comes_up_in_the_middle_has_the_index(database: Database) -> None:
    database.sql(*SHAPES["range under list"])
    made: list[Event] = []

    def emit(event: Event) -> None:
        if isinstance(event, StepDone) and not made:
            made.append(event)
            database.sql(
                "CREATE TABLE app.t_d PARTITION OF app.t FOR VALUES IN ('d')",
                "CREATE TABLE app.t_a3 PARTITION OF app.t_a FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')",
            )

    run(database, creating(), emit)
    assert made
    assert invalid(database) == 0
    assert len(indexes_of(database)) == 8
    assert database.run(creating()) == ()


def test_a_parent_that_stayed_invalid_over_valid_children_is_attached_once_more(database: Database) -> None:
    database.sql(
        *SHAPES["range"],
        "CREATE UNIQUE INDEX by_id ON ONLY app.t (id, at)",
        "CREATE UNIQUE INDEX t2_by_id ON app.t2 (id, at)",
        "CREATE UNIQUE INDEX t3_by_id ON app.t3 (id, at)",
    )
    database.sql("INSERT INTO app.t1 SELECT * FROM app.t1 WHERE id = 1")
    with pytest.raises(Exception, match="could not create unique"):
        database.sql("CREATE UNIQUE INDEX CONCURRENTLY t1_by_id ON app.t1 (id, at)")
    database.sql(
        "DELETE FROM app.t1 WHERE id = 1",
        *(f"ALTER INDEX app.by_id ATTACH PARTITION app.t{n}_by_id" for n in (2, 3)),
    )
    attach = "ALTER INDEX app.by_id ATTACH PARTITION app.t1_by_id"
    database.sql(attach, "REINDEX INDEX CONCURRENTLY app.t1_by_id")
    assert database.sql("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == [("app.by_id",)]
    steps = database.run(creating(IndexDeclaration("by_id", T, (IndexElement("id"), IndexElement("at")), unique=True)))
    assert [type(step) for step in steps] == [AttachIndex]
    assert invalid(database) == 0


def test_no_such_table_and_an_index_of_another_one(database: Database) -> None:
    database.sql(*SHAPES["plain"], "CREATE TABLE app.o (body text)", "CREATE INDEX by_body ON app.o (body)")
    with pytest.raises(PlanError, match="no such table"):
        database.run(creating(IndexDeclaration("x", T.sibling("none"), (IndexElement("id"),))))
    with pytest.raises(PlanError, match=r"belongs to app\.o"):
        database.run(task(create, INDEX))


# Through Alembic


def operations(database: Database, *, autocommit: bool = False) -> tuple[sa.Connection, Any, MigrationContext]:
    """Operations on a connection, as a migration has them."""
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    connection = database.stack.enter_context(engine.connect())
    if autocommit:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
    context = MigrationContext.configure(connection, opts={"transactional_ddl": True})
    return connection, Operations(context), context


WORDS = IndexElement("body", "gin_trgm_ops")


def test_trigrams_find_their_operator_class_in_any_schema(database: Database) -> None:
    database.sql(*SHAPES["range"], "CREATE SCHEMA ext", "CREATE EXTENSION pg_trgm SCHEMA ext")
    _, op, _ = operations(database, autocommit=True)
    op.create_index_concurrently(
        "words", "t", ["body"], schema="app", postgresql_using="gin", postgresql_ops={"body": "gin_trgm_ops"}
    )
    assert invalid(database) == 0
    defined = database.sql("SELECT DISTINCT indexdef FROM pg_indexes WHERE indexname LIKE '%words'")
    assert len(defined) == 4
    assert all("ext.gin_trgm_ops" in row[0] for row in defined)


def test_trigrams_without_their_extension(database: Database) -> None:
    database.sql(*SHAPES["plain"])
    with pytest.raises(PlanError, match="Create the extension"):
        database.run(task(create, IndexDeclaration("w", T, (WORDS,), using="gin")))


def test_trigrams_of_a_database_that_knows_no_letters_are_refused(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0] + "_c"
    make = f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"
    database.sql(f"DROP DATABASE IF EXISTS {name}", make)
    other = Database(database.url.replace(name.removesuffix("_c") + "?", name + "?"), database.stack)
    try:
        other.sql(*SHAPES["range"], "CREATE EXTENSION pg_trgm")
        before = facts(other)
        words = IndexDeclaration("words", T, (WORDS,), using="gin")
        with pytest.raises(PlanError, match="LC_CTYPE"):
            other.run(task(create, words))
        assert facts(other) == before
        assert other.run(task(create, INDEX))
    finally:
        database.stack.close()
        database.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("how", ["inside a transaction", "in an autocommit block", "on an autocommit connection"])
def test_through_alembic(database: Database, shape: str, how: str) -> None:
    database.sql(*SHAPES[shape])
    _, op, context = operations(database, autocommit=how.endswith("connection"))

    def both() -> None:
        op.create_index_concurrently("ix", "t", ["id", sa.text("lower(body)")], schema="app", postgresql_where="id > 1")
        assert any(name.endswith("ix") for name in indexes_of(database))
        assert invalid(database) == 0
        op.drop_index_concurrently("ix", "t", schema="app")
        assert indexes_of(database) == set()

    with context.begin_transaction(_per_migration=True):
        if how.endswith("block"):
            with context.autocommit_block():
                both()
        else:
            both()


def test_refused_in_a_batch(database: Database) -> None:
    database.sql(*SHAPES["plain"])
    _, op, _ = operations(database)
    with op.batch_alter_table("t", schema="app") as batch, pytest.raises(DeclarationError, match="batch_alter_table"):
        batch.invoke(CreateIndexConcurrentlyOp("ix", "t", ["v"]))
    assert indexes_of(database) == set()


def test_nothing_is_begun_before_a_refusal(database: Database) -> None:
    database.sql(*SHAPES["range"])
    started: list[Event] = []
    with pytest.raises(PlanError):
        run(
            database,
            task(create, IndexDeclaration("w", T, (WORDS,), using="gin")),
            lambda event: started.append(event) if isinstance(event, StepStarted) else None,
        )
    assert started == []


ENV = "from schema_kit import environment\nenvironment.run()\n"
INI = """[alembic]
script_location = %(here)s
[loggers]
keys = root
[handlers]
keys =
[formatters]
keys =
[logger_root]
level = WARNING
handlers =
"""
REVISION = """from alembic import op
import schema_kit.ops
revision, down_revision = "one", None
def upgrade():
    {}
"""
SAFE = 'op.create_index_concurrently("ix", "t", ["id"], schema="app")'
ORDINARY = "op.execute(\"INSERT INTO app.t (id, region, at) VALUES (-1, 'a', '2026-05-05')\")"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("work", "words", "built"),
    [
        ((SAFE,), "", True),
        ((ORDINARY,), "", False),
        ((ORDINARY, SAFE), "Put the two kinds of operations into two revisions.", False),
        ((SAFE, ORDINARY), "Put the two kinds of operations into two revisions.", False),
        (("with op.get_context().autocommit_block():", "    " + SAFE), "", True),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_ordinary_work_in_the_same_revision(
    database: Database, tmp_path: Path, work: tuple[str, ...], words: str, built: bool, first: bool
) -> None:
    # Before the very first revision of a database, Alembic makes its own table in the same transaction.
    version = "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"
    database.sql(*SHAPES["range"], *(() if first else (version,)))
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "alembic.ini").write_text(INI)
    (tmp_path / "versions" / "one.py").write_text(REVISION.format("\n    ".join(work)))
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", "alembic.ini", "-x", f"url={database.url}", "upgrade", "head"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (not words), said
    assert " ".join(words.split()) in " ".join(said.split())
    assert "Traceback" not in said
    assert ("ix" in indexes_of(database)) == built
    kept = ORDINARY in work and not words
    assert database.sql("SELECT count(*) FROM app.t WHERE id = -1") == [(int(kept),)]
    stamped = database.sql("SELECT to_regclass('alembic_version') IS NOT NULL")[0][0] and bool(
        database.sql("SELECT version_num FROM alembic_version")
    )
    assert stamped == (not words)
