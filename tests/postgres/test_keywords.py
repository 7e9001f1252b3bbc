"""Alembic's keywords mean what they mean to Alembic: each operation of ours next to the one that it shadows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit.errors import DeclarationError, SchemaKitError
from tests.support.database import Database

pytestmark = [
    pytest.mark.indexes,
    pytest.mark.constraints,
    pytest.mark.columns,
    pytest.mark.majors,
    pytest.mark.libraries,
]

SHADOWS = {
    "create_index": "create_index_concurrently",
    "drop_index": "drop_index_concurrently",
    "create_foreign_key": "create_foreign_key_concurrently",
    "create_check_constraint": "create_check_constraint_concurrently",
    "create_unique_constraint": "create_unique_constraint_concurrently",
    "create_primary_key": "create_primary_key_concurrently",
    "drop_constraint": "drop_constraint_concurrently",
    "add_column": "add_column_concurrently",
    "drop_column": "drop_column_concurrently",
    "drop_table": "drop_table_concurrently",
    "create_table": "create_partitioned_table",
    "alter_column": "alter_column_concurrently",
}
REFUSED_BY_NAME = {"alter_column": {"comment", "new_column_name"}}

TABLES = """
CREATE TABLE r (id bigint PRIMARY KEY, k bigint UNIQUE);
CREATE TABLE t (id bigint NOT NULL, a int, b text, n numeric(5,2), r_id bigint);
ALTER TABLE t ADD CONSTRAINT ck_t_small CHECK (a < 10), ADD CONSTRAINT small CHECK (a < 11);
CREATE INDEX gone ON t (b);
"""
CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Call = Callable[[Any, str], Any]
"""Called with the operations and what the name of ours ends in, or nothing."""


def both(name: str, *args: Any, **kw: Any) -> Call:
    return lambda op, ours: getattr(op, SHADOWS[name] if ours else name)(*args, **kw)


ALIKE: dict[str, Call] = {
    "index": both("create_index", "mine", "t", ["a", "b"], unique=True, if_not_exists=True),
    "index by convention": both("create_index", None, "t", ["a", "b"]),
    "index that is final": lambda op, ours: both("create_index", op.f("final"), "t", ["a"])(op, ours),
    "index of expressions": both("create_index", "mine", "t", [sa.text("lower(b)"), sa.column("a").desc()]),
    "index where": both("create_index", "mine", "t", ["a"], postgresql_where=sa.column("b") == "100%"),
    "index of other databases": both("create_index", "mine", "t", ["a"], mysql_length=10, mssql_clustered=True),
    "drop index": both("drop_index", "gone", "t", if_exists=True),
    "drop index alone": both("drop_index", "gone"),
    "unique": both("create_unique_constraint", "mine", "t", ["a", "b"]),
    "unique by convention": both("create_unique_constraint", None, "t", ["a", "b"]),
    "unique, deferred": both("create_unique_constraint", "mine", "t", ["a"], deferrable=True, initially="DEFERRED"),
    # SQLAlchemy's own fails there: it looks for the column in a table that Alembic has made of the key alone.
    "unique, with more": lambda op, ours: (
        op.create_unique_constraint_concurrently("mine", "t", ["a"], postgresql_include=["b"])
        if ours
        else op.execute("ALTER TABLE t ADD CONSTRAINT mine UNIQUE (a) INCLUDE (b)")
    ),
    "primary key": both("create_primary_key", "mine", "t", ["id"]),
    "primary key by convention": both("create_primary_key", None, "t", ["id"]),
    "check by convention": both("create_check_constraint", "tiny", "t", sa.text("a < 10")),
    "check that is final": lambda op, ours: both("create_check_constraint", op.f("final"), "t", "a < 1")(op, ours),
    "check of expressions": both("create_check_constraint", "in", "t", sa.column("b").in_(["100%", ":x", "it's"])),
    "check that is not proved": both("create_check_constraint", "tiny", "t", "a < 10", postgresql_not_valid=True),
    "foreign key by convention": both("create_foreign_key", None, "t", "r", ["r_id"], ["id"]),
    "foreign key, named": both("create_foreign_key", "mine", "t", "r", ["r_id"], ["id"], ondelete="SET NULL"),
    "foreign key, deferred": both(
        "create_foreign_key", "mine", "t", "r", ["r_id"], ["k"], deferrable=True, initially="DEFERRED", match="FULL"
    ),
    "foreign key, not proved": both(
        "create_foreign_key", "mine", "t", "r", ["r_id"], ["id"], postgresql_not_valid=True
    ),
    "drop check by convention": both("drop_constraint", "small", "t", "check"),
    "drop constraint": both("drop_constraint", "small", "t", if_exists=True),
    "drop check that is final": lambda op, ours: both("drop_constraint", op.f("ck_t_small"), "t", type_="check")(
        op, ours
    ),
    "column": both("add_column", "t", sa.Column("c", sa.String(9), server_default="it's 100%"), if_not_exists=True),
    "column that refers": lambda op, ours: both(
        "add_column", "t", sa.Column("c", sa.BigInteger, sa.ForeignKey("r.id"))
    )(op, ours),
    "column with a comment": both("add_column", "t", sa.Column("c", sa.Integer, comment="it's")),
    "column that is filled": both("add_column", "t", sa.Column("c", sa.Integer, server_default=sa.FetchedValue())),
    "drop column": both("drop_column", "t", "b", mssql_drop_default=True),
    "type": both("alter_column", "t", "n", type_=sa.Numeric(9, 2), existing_type=sa.Numeric(5, 2)),
    "type, with using": both("alter_column", "t", "n", type_=sa.Numeric(9, 2), postgresql_using="n"),
    "default": both("alter_column", "t", "b", server_default=sa.text("now()::text"), existing_server_default=None),
    "not null": both("alter_column", "t", "a", nullable=False, existing_type=sa.Integer()),
    "drop table": both("drop_table", "t", if_exists=True),
}

SEEN = """
SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), '') || coalesce(col_description(c.oid, a.attnum), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT conname, pg_get_constraintdef(oid), contype::text, convalidated::text FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""


def made(database: Database, call: Call, ours: str, convention: dict[str, str] | None) -> list[tuple[Any, ...]]:
    """What the database has after the call; the tables are as before then."""
    database.sql("DROP TABLE IF EXISTS t, r", TABLES)
    metadata = sa.MetaData(naming_convention=convention)
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
        with Operations.context(context), context.begin_transaction():
            call(Operations(context), ours)
    return database.sql(SEEN)


@pytest.mark.parametrize("case", ALIKE)
@pytest.mark.parametrize(
    "convention", [CONVENTION, pytest.param(None, marks=pytest.mark.exhaustive)], ids=["convention", "plain"]
)
def test_it_means_the_same(database: Database, case: str, convention: dict[str, str] | None) -> None:
    assert made(database, ALIKE[case], "ours", convention) == made(database, ALIKE[case], "", convention)


LABELS = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(column_0_label)s",
    "fk": "fk_%(column_0_label)s_%(referred_table_name)s",
    "pk": "pk_%(column_0_label)s",
}


def referring(schema: str | None) -> sa.Column[Any]:
    return sa.Column("z", sa.BigInteger, sa.ForeignKey(f"{schema}.r.id" if schema else "r.id"))


def partitioned(op: Any, ours: str, schema: str | None) -> None:
    columns = (sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("a", sa.Integer, index=True))
    if ours:
        op.create_partitioned_table("p", *columns, referring(schema), schema=schema, control="id", interval="10")
    else:
        by = {"postgresql_partition_by": "RANGE (id)"}
        op.create_table("p", *columns, referring(schema), schema=schema, **by)


NAMED: tuple[Callable[[Any, str, str | None], Any], ...] = (
    lambda op, ours, schema: getattr(op, f"create_index{ours}")(None, "t", ["a"], schema=schema),
    lambda op, ours, schema: getattr(op, f"create_unique_constraint{ours}")(None, "t", ["a"], schema=schema),
    lambda op, ours, schema: getattr(op, f"create_primary_key{ours}")(None, "t", ["id"], schema=schema),
    lambda op, ours, schema: getattr(op, f"create_foreign_key{ours}")(
        None, "t", "r", ["r_id"], ["id"], source_schema=schema, referent_schema=schema
    ),
    lambda op, ours, schema: getattr(op, f"add_column{ours}")("t", referring(schema), schema=schema),
    partitioned,
)
ITS_NAMES = """
SELECT conname::text FROM pg_constraint WHERE connamespace = to_regnamespace('{0}') AND contype <> 'n'
  AND conrelid NOT IN (SELECT inhrelid FROM pg_inherits)
UNION SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace('{0}') AND relkind IN ('i', 'I')
  AND NOT relispartition ORDER BY 1
"""


@pytest.mark.parametrize("schema", ["app", None])
def test_a_convention_has_the_schema_that_is_given_and_no_other(database: Database, schema: str | None) -> None:
    where = schema or "public"
    for call in NAMED:
        found = []
        for ours in ("_concurrently", ""):
            database.sql(
                "DROP SCHEMA IF EXISTS app, schema_kit CASCADE", "DROP TABLE IF EXISTS t, r, p", "CREATE SCHEMA app"
            )
            with database.connect() as connection:
                connection.execute(f"SET search_path = {where}; {TABLES}".encode())
            engine = sa.create_engine(
                sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
            )
            with engine.connect() as given:
                metadata = sa.MetaData(naming_convention=LABELS)
                context = MigrationContext.configure(given, opts={"target_metadata": metadata})
                with Operations.context(context), context.begin_transaction():
                    call(Operations(context), ours, schema)
            found.append(database.sql(ITS_NAMES.format(where)))
        assert found[0] == found[1]


def test_every_keyword_exists() -> None:
    for alembics, ours in SHADOWS.items():
        theirs = inspect.signature(getattr(Operations, alembics)).parameters
        own = inspect.signature(getattr(Operations, ours)).parameters
        names = {name for name, one in theirs.items() if one.kind is not one.VAR_KEYWORD}
        assert names - own.keys() == REFUSED_BY_NAME.get(alembics, set()), alembics
        if any(one.kind is one.VAR_KEYWORD for one in theirs.values()):
            assert any(one.kind is one.VAR_KEYWORD for one in own.values()), alembics


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "letters": (lambda op: op.create_index_concurrently("ix", "t", "ab"), "a list is meant"),
    "letters to include": (
        lambda op: op.create_index_concurrently("ix", "t", ["a"], postgresql_include="b"),
        "a list is meant",
    ),
    "letters of a key": (lambda op: op.create_unique_constraint_concurrently("u", "t", "ab"), "a list is meant"),
    "letters of a primary key": (lambda op: op.create_primary_key_concurrently("p", "t", "id"), "a list is meant"),
    "letters that refer": (
        lambda op: op.create_foreign_key_concurrently("f", "t", "r", "r_id", ["id"]),
        "a list is meant",
    ),
    "letters of an archive": (lambda op: op.create_archive_table("t", indexes="ab"), "a list is meant"),
    "letters to drop": (lambda op: op.repair_archive_table("t", drop_columns="ab"), "a list is meant"),
    "nothing at all": (lambda op: op.create_index_concurrently("ix", "t", []), "one column at least"),
    "an expression in a key": (
        lambda op: op.create_unique_constraint_concurrently("u", "t", [sa.text("lower(b)")]),
        "a constraint has columns",
    ),
    "not concurrently": (
        lambda op: op.create_index_concurrently("ix", "t", ["a"], postgresql_concurrently=False),
        "op.create_index",
    ),
    "an unknown keyword": (
        lambda op: op.create_index_concurrently("ix", "t", ["a"], postgresql_wher="a > 1"),
        "postgresql_wher",
    ),
    "a new name": (lambda op: op.alter_column_concurrently("t", "a", new_column_name="z"), "running application"),
    "a comment": (lambda op: op.alter_column_concurrently("t", "a", comment="z"), "op.alter_column"),
    "a default that is none": (
        lambda op: op.alter_column_concurrently("t", "a", server_default=sa.FetchedValue()),
        "FetchedValue",
    ),
    "an identity": (lambda op: op.alter_column_concurrently("t", "a", server_default=sa.Identity()), "Identity"),
    "a deferred check": (
        lambda op: op.create_check_constraint_concurrently("c", "t", "a > 1", deferrable=True),
        "no deferred checks",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(database: Database, case: str) -> None:
    database.sql(TABLES)
    before = database.sql(SEEN)
    call, said = REFUSED[case]
    with pytest.raises(SchemaKitError, match=said) as refusal:
        made(database, lambda op, _: call(op), "ours", None)
    assert isinstance(refusal.value, DeclarationError)
    assert database.sql(SEEN) == before
