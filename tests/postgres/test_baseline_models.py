"""A baseline of models of every kind: made where it is missing, found the same where it exists, dropped again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql

import schema_kit
from schema_kit import op
from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.from_sqlalchemy import baseline_of
from tests.support.database import Database

pytestmark = [pytest.mark.pack, pytest.mark.majors, pytest.mark.libraries]


class Citext(sa.types.UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "CITEXT"


def key() -> sa.Column[Any]:
    return sa.Column("id", sa.Integer, primary_key=True)


def enums(metadata: sa.MetaData) -> None:
    kind = sa.Enum("it's", "b", name="kind")
    sa.Table("t", metadata, key(), sa.Column("kind", kind))
    sa.Table("u", metadata, key(), sa.Column("kind", kind), sa.Column("Other", sa.Enum("x", name="Other Kind")))


def enums_of_postgresql(metadata: sa.MetaData) -> None:
    sa.Table("t", metadata, key(), sa.Column("kind", postgresql.ENUM("a", "b", name="kind")))


def extensions(metadata: sa.MetaData) -> None:
    sa.Table("t", metadata, key(), sa.Column("c", Citext()), sa.Column("h", postgresql.HSTORE()))


def spellings(metadata: sa.MetaData) -> None:
    types: list[Any] = [sa.Float(53), sa.DECIMAL(9, 2), sa.CHAR(3), sa.TIMESTAMP(timezone=True), sa.Time, sa.JSON]
    types += [sa.LargeBinary, sa.Uuid, postgresql.ARRAY(sa.Text), postgresql.INTERVAL(precision=3)]
    columns: list[Any] = [sa.Column(f"c{place}", type_) for place, type_ in enumerate(types)]
    sa.Table("t", metadata, key(), *columns)


def circle(metadata: sa.MetaData) -> None:
    sa.Table("a", metadata, key(), sa.Column("b_id", sa.ForeignKey("b.id")))
    sa.Table("b", metadata, key(), sa.Column("c_id", sa.ForeignKey("c.id", name="to_c", use_alter=True)))
    sa.Table("c", metadata, key(), sa.Column("a_id", sa.ForeignKey("a.id")), sa.Column("own", sa.ForeignKey("c.id")))


def comments(metadata: sa.MetaData) -> None:
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True, comment="it's the key"), comment="100%")


def arrays_of_enums(metadata: sa.MetaData) -> None:
    kind = sa.Enum("a", "b", name="kind")
    sa.Table("t", metadata, key(), sa.Column("kinds", postgresql.ARRAY(kind)))
    sa.Table("u", metadata, key(), sa.Column("kind", kind), sa.Column("more", sa.ARRAY(sa.Enum("x", name="More"))))


def asked_for_by_columns(metadata: sa.MetaData) -> None:
    """Names that a convention makes, the default one of SQLAlchemy's among them: no schema in them."""
    metadata.naming_convention = {"ix": "ix_%(column_0_label)s", "uq": "uq_%(column_0_label)s"}
    asked = (sa.Column("a", sa.Integer, index=True), sa.Column("b", sa.Text, unique=True))
    sa.Table("t", metadata, key(), *asked, sa.Column("c", sa.Integer, index=True, unique=True), prefixes=["UNLOGGED"])


def domains(metadata: sa.MetaData) -> None:
    """Each kind of domain: with all that one can have, over another one, over an enum, in arrays, behind a type."""
    mood = postgresql.ENUM("it's", "b", name="Mood")
    short = postgresql.DOMAIN(
        *("Short", sa.String(9)),
        collation="C",
        default=sa.text("'a' || '%'"),
        constraint_name="short_check",
        check="value IN ('a%', 'b:c', 'd')",
    )
    inner = postgresql.DOMAIN("positive", sa.Numeric(9, 2), check="value > 0", default="1")
    outer = postgresql.DOMAIN("price", inner, check="value < 100", not_null=True)
    good = postgresql.DOMAIN("good", mood, check="value <> 'b'")
    # SQLAlchemy itself creates them in this order, whatever is needed first.
    own: list[Any] = [
        short,
        inner,
        outer,
        mood,
        good,
        sa.ARRAY(outer),
        postgresql.DOMAIN("n", postgresql.ARRAY(sa.Date)),
    ]
    own += [Behind(), sa.Text().with_variant(short, "postgresql")]
    columns: list[Any] = [sa.Column(f"c{place}", type_) for place, type_ in enumerate(own)]
    sa.Table("t", metadata, key(), *columns)
    sa.Table("u", metadata, key(), sa.Column("c", outer))


class Behind(sa.types.TypeDecorator[Any]):
    impl = postgresql.DOMAIN("behind", sa.Text, check="length(value) > 1")
    cache_ok = True


def sequences(metadata: sa.MetaData) -> None:
    """By themselves, of a column, called by a default; an optional one is left to SERIAL."""
    every = {"start": 5, "increment": 5, "minvalue": -5, "maxvalue": 500, "cache": 7, "cycle": True}
    called = sa.Sequence("Called", data_type=sa.Integer, **every)  # type: ignore[arg-type]
    sa.Sequence("alone", metadata=metadata, increment=-1, nominvalue=True)
    sa.Table("t", metadata, sa.Column("id", sa.Integer, sa.Sequence("ids"), primary_key=True))
    sa.Table("u", metadata, sa.Column("id", sa.Integer, sa.Sequence("left", optional=True), primary_key=True))
    sa.Table("v", metadata, key(), sa.Column("n", sa.Integer, server_default=called.next_value()))
    called._set_metadata(metadata)


MODELS: dict[str, Callable[[sa.MetaData], None]] = {
    each.__name__: each
    for each in (
        *(enums, enums_of_postgresql, extensions, spellings, circle, comments),
        *(arrays_of_enums, asked_for_by_columns, domains, sequences),
    )
}
EXTENSIONS = ("CREATE EXTENSION citext", "CREATE EXTENSION hstore")
MADE = "SELECT relname FROM pg_class WHERE relnamespace = '{0}'::regnamespace AND relkind = 'r' ORDER BY 1"
TYPES = "SELECT typname FROM pg_type WHERE typnamespace = '{0}'::regnamespace AND typtype IN ('e', 'd') ORDER BY 1"

SEQUENCES = "SELECT relname FROM pg_class WHERE relnamespace = '{0}'::regnamespace AND relkind = 'S' ORDER BY 1"


def run(database: Database, work: Callable[[], None], metadata: sa.MetaData, path: str) -> list[Any]:
    """Do it, and what Alembic finds otherwise in the database afterwards."""
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SET search_path = {path}, public")
        connection.commit()
        connection.dialect.default_schema_name = path
        with schema_kit.operations(connection):
            work()
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("path", ["public", "tenant"])
@pytest.mark.parametrize("models", MODELS)
def test_there_and_back(database: Database, models: str, path: str) -> None:
    database.sql("CREATE SCHEMA tenant", *EXTENSIONS)
    metadata = sa.MetaData()
    MODELS[models](metadata)
    for _ in range(2):  # the second finds all of it there
        assert run(database, lambda: op.create_baseline(metadata), metadata, path) == []
    assert len(database.sql(MADE.format(path))) == len(metadata.tables)
    run(database, lambda: op.drop_baseline(metadata), metadata, path)
    assert database.sql(MADE.format(path)) == []
    assert database.sql(TYPES.format(path)) == database.sql(SEQUENCES.format(path)) == []
    assert database.sql("SELECT to_regnamespace('schema_kit')") == [(None,)]


@pytest.mark.parametrize("models", MODELS)
def test_what_sqlalchemy_made_is_the_same(database: Database, models: str) -> None:
    """It is found there, left, and not dropped."""
    database.sql(*EXTENSIONS)
    metadata = sa.MetaData()
    MODELS[models](metadata)
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    metadata.create_all(engine)
    before = database.sql(MADE.format("public"))
    run(database, lambda: op.create_baseline(metadata), metadata, "public")
    run(database, lambda: op.drop_baseline(metadata), metadata, "public")
    assert database.sql(MADE.format("public")) == before


def test_what_columns_ask_for_is_called_as_alembic_calls_it(database: Database) -> None:
    metadata = sa.MetaData()
    asked_for_by_columns(metadata)
    run(database, lambda: op.create_baseline(metadata), metadata, "public")
    columns = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, index=True))

    def partitioned() -> None:
        op.create_partitioned_table("p", *columns, control="id", interval="10")

    run(database, partitioned, metadata, "public")
    named = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('i', 'I')"
    assert {"ix_t_a", "ix_t_c", "uq_t_b", "ix_p_a"} <= {name for (name,) in database.sql(named)}
    assert database.sql("SELECT relpersistence::text FROM pg_class WHERE oid = 't'::regclass") == [("u",)]


def test_a_partitioned_table_is_not_part_of_a_baseline(database: Database) -> None:
    metadata = sa.MetaData()
    sa.Table("p", metadata, key(), postgresql_partition_by="RANGE (id)")
    with pytest.raises(DeclarationError, match=r"op\.create_partitioned_table creates it"):
        run(database, lambda: op.create_baseline(metadata), metadata, "public")
    assert database.sql("SELECT to_regclass('p'), to_regnamespace('schema_kit')") == [(None, None)]


def test_what_is_otherwise_is_named(database: Database) -> None:
    database.sql(
        "CREATE TYPE kind AS ENUM ('b')",
        "CREATE TABLE t (id int PRIMARY KEY, kind text)",
        'CREATE TABLE u (id int PRIMARY KEY, kind kind, "Other" int)',
    )
    metadata = sa.MetaData()
    enums(metadata)
    with pytest.raises(PlanError) as refused:
        run(database, lambda: op.create_baseline(metadata), metadata, "public")
    for said in ("t.kind is text", "u.Other is integer", 'enum public.kind has no value "it\'s"'):
        assert said in str(refused.value)


def test_a_circle_that_was_interrupted_is_closed(database: Database) -> None:
    """Each table is a commit: the key that closes the circle comes with the last of them."""
    metadata = sa.MetaData()
    circle(metadata)
    database.sql("CREATE TABLE a (id int PRIMARY KEY, b_id int)")
    run(database, lambda: op.create_baseline(metadata), metadata, "public")
    keys = database.sql("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' ORDER BY 1")
    assert keys in ([("b",), ("c",), ("c",)], [("a",), ("b",), ("c",), ("c",)])


def test_a_type_that_is_used_elsewhere_stays(database: Database) -> None:
    metadata = sa.MetaData()
    enums(metadata)
    run(database, lambda: op.create_baseline(metadata), metadata, "public")
    database.sql("CREATE TABLE mine (kind kind)")
    with pytest.raises(ExecutionError, match="kind"):
        run(database, lambda: op.drop_baseline(metadata), metadata, "public")
    assert database.sql(TYPES.format("public"))[-1] == ("kind",)


SHORT = "CREATE DOMAIN short AS text DEFAULT 'a' CHECK (value <> '') CHECK (value <> 'c')"
OTHERWISE: dict[str, tuple[str, str]] = {
    SHORT.replace("text", "varchar"): ("domain", "has type character varying, expected text"),
    SHORT.replace("'a'", "'b'"): ("domain", "has default 'b'::text, expected 'a'::text"),
    SHORT.replace("DEFAULT", 'COLLATE "C" DEFAULT'): ("domain", 'has collation pg_catalog."C", expected pg_catalog'),
    SHORT.replace("<> ''", "<> 'x'"): ("domain", "has no CHECK ((VALUE <> ''::text))"),
    "CREATE TYPE short AS ENUM ('a')": ("domain", "cannot be created: the name is taken (enum)"),
    "CREATE SEQUENCE ids AS int MINVALUE -9 START -9 CYCLE": ("sequence", "has start -9, expected 3"),
    "CREATE SEQUENCE ids AS int START 3": ("sequence", "has cycle False, expected True"),
    "CREATE SEQUENCE ids START 3 CYCLE": ("sequence", "has type bigint, expected integer"),
    "CREATE SEQUENCE ids AS int START 3 CYCLE CACHE 2 INCREMENT 7": ("sequence", "has increment 7, expected 1"),
    "CREATE TABLE ids (id int)": ("sequence", "cannot be created: the name is taken (table)"),
}


@pytest.mark.parametrize("made", OTHERWISE)
def test_a_type_or_a_sequence_that_is_otherwise_is_named(database: Database, made: str) -> None:
    """PostgreSQL compares; what a domain has besides is a team's own affair, and nothing is made."""
    kind, said = OTHERWISE[made]
    metadata = sa.MetaData()
    short = postgresql.DOMAIN("short", sa.Text, check="value <> ''", default="a")
    sa.Table("t", metadata, key(), *([sa.Column("c", short)] if kind == "domain" else []))
    if kind == "sequence":
        sa.Sequence("ids", metadata=metadata, data_type=sa.Integer, start=3, cycle=True)
    database.sql(made)
    with pytest.raises(PlanError) as refused:
        run(database, lambda: op.create_baseline(metadata), metadata, "public")
    assert f"  - {kind} public.{'short' if kind == 'domain' else 'ids'} {said}" in str(refused.value)
    assert database.sql("SELECT to_regclass('t')") == [(None,)]
    database.sql(f"DROP {made.split()[1]} {made.split()[2]}")
    database.sql(SHORT, "ALTER DOMAIN short SET NOT NULL", "CREATE SEQUENCE ids AS int START 3 CYCLE")
    run(database, lambda: op.create_baseline(metadata), metadata, "public")


class Own(Citext):
    def get_col_spec(self, **_: Any) -> str:
        return "address"


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_type_that_sqlalchemy_cannot_create_is_named_before_anything_is_made(database: Database) -> None:
    metadata = sa.MetaData()
    enums(metadata)
    sa.Table("z", metadata, key(), sa.Column("home", Own()), sa.Column("also", Own()))
    before = database.sql(MADE.format("public"))
    with pytest.raises(PlanError) as refused:
        run(database, lambda: op.create_baseline(metadata), metadata, "public")
    assert "public.z.home is of address, which does not exist" in str(refused.value)
    assert "public.z.also is of address" in str(refused.value)
    assert (database.sql(MADE.format("public")), database.sql(TYPES.format("public"))) == (before, [])
    for kind in ("address AS (street text)", "address AS RANGE (subtype = int)"):
        database.sql(f"CREATE TYPE {kind}")
        for _ in range(2):
            run(database, lambda: op.create_baseline(metadata), metadata, "public")
        run(database, lambda: op.drop_baseline(metadata), metadata, "public")
        database.sql("DROP TYPE address")


def test_a_schema_goes_with_what_was_made_in_it(database: Database) -> None:
    metadata = sa.MetaData(schema="made")
    for models in (enums, domains, sequences):
        for name in ("t", "u"):
            if f"made.{name}" in metadata.tables:
                metadata.remove(metadata.tables[f"made.{name}"])
        models(metadata)
    run(database, lambda: op.create_baseline(metadata), metadata, "public")
    run(database, lambda: op.drop_baseline(metadata), metadata, "public")
    assert database.sql("SELECT to_regnamespace('made'), to_regnamespace('schema_kit')") == [(None, None)]


def test_a_domain_has_all_that_it_declares_whatever_it_is_behind() -> None:
    """SQLAlchemy 2.0 leaves words of a domain out where it adapts one to a dialect."""
    words: dict[str, Any] = {"check": "value > 0", "default": "1", "not_null": True, "constraint_name": "c"}
    metadata = sa.MetaData(schema="s")
    domain = postgresql.DOMAIN("d", sa.Integer, schema="s", **words)
    behind: list[Any] = [domain, sa.ARRAY(domain), sa.Text().with_variant(domain, "postgresql")]
    for place, type_ in enumerate(behind):
        sa.Table(f"t{place}", metadata, sa.Column("c", type_))
        made = baseline_of(metadata)[1]
        assert [one.definition for one in made] == ["AS INTEGER DEFAULT '1' CONSTRAINT c NOT NULL CHECK (value > 0)"]
        metadata.clear()
