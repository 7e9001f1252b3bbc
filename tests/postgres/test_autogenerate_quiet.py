"""No false alarm: what PostgreSQL prints otherwise than the models say is the same, whatever is compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql as pg

import schema_kit
from schema_kit.autogenerate.diff import Differences, compared
from tests.support.autogenerate import Written
from tests.support.database import Database

pytestmark = [pytest.mark.autogenerate, pytest.mark.majors, pytest.mark.libraries]

MOOD = pg.ENUM("good", "so so", name="mood", metadata=(ENUMS := sa.MetaData()))


def zoo() -> sa.MetaData:
    """Of each kind that reads otherwise when PostgreSQL prints it."""
    metadata = sa.MetaData()
    table = sa.Table(
        "zoo",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("first", sa.String(40), server_default="its"),
        sa.Column("last", sa.Text, sa.Computed("lower(first) || '!'", persisted=True)),
        sa.Column("Mixed Case", sa.Text, sa.CheckConstraint("\"Mixed Case\" <> 'A: b'")),
        sa.Column("price", sa.Numeric(10, 2), server_default=sa.text("0.00"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=sa.func.now()),
        sa.Column("day", sa.Date, server_default=sa.text("CURRENT_DATE")),
        sa.Column("moods", sa.ARRAY(MOOD)),
        sa.Column("mood", MOOD, server_default="good"),
        sa.Column("percent", pg.DOMAIN("percent", sa.Integer, check=sa.text("VALUE BETWEEN 0 AND 100"))),
        sa.Column("data", pg.JSONB, server_default=sa.text("'{}'::jsonb")),
        sa.Column("tags", sa.ARRAY(sa.Text), server_default="{}"),
        sa.Column("key", sa.Uuid, server_default=sa.text("gen_random_uuid()")),
        sa.Column("flag", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("kind", sa.Enum("a", "b", native_enum=False, create_constraint=True, name="kind")),
        sa.Column("span", pg.TSTZRANGE),
        sa.Column("ip", pg.INET),
        sa.Column("wait", pg.INTERVAL(precision=3)),
        sa.Column("folded", sa.Text(collation="C")),
        sa.CheckConstraint("price BETWEEN 0 AND 100 AND first IN ('a', 'b')", name="price_range"),
        sa.CheckConstraint("coalesce(first, 'x') <> last::varchar OR at > '2020-01-01'", name="cast_check"),
        sa.CheckConstraint("price > 0"),
        sa.UniqueConstraint("price", "day", name="one_price"),
        pg.ExcludeConstraint(("span", "&&"), using="gist", name="no_overlap"),
    )
    c = table.c
    sa.Index("z_lower", sa.func.lower(c.first))
    sa.Index("z_coalesce", sa.func.coalesce(c.first, "x"), c.price.desc())
    sa.Index("z_cast", sa.cast(c.price, sa.Integer))
    sa.Index("z_text", sa.text("(data ->> 'a')"), sa.text("(price::int4) DESC NULLS LAST"))
    sa.Index("z_nulls", c.first.desc().nulls_last(), c.price.asc().nulls_first(), c.day.desc().nulls_first())
    sa.Index("z_collate", sa.collate(c.first, "C"))
    sa.Index("z_collated_ops", sa.text('first COLLATE "C" varchar_pattern_ops DESC'))
    sa.Index("z_ops", c.first, c.price, postgresql_ops={"first": "varchar_pattern_ops"})
    sa.Index("z_default_ops", c.price, postgresql_ops={"price": "numeric_ops"})
    sa.Index("z_label", sa.func.lower(c.first).label("low"), postgresql_ops={"low": "text_pattern_ops"})
    sa.Index("z_gin", c.data, postgresql_using="gin")
    sa.Index("z_gin_path", c.data, postgresql_using="GIN", postgresql_ops={"data": "jsonb_path_ops"})
    sa.Index("z_gin_array", c.tags, postgresql_using="gin", postgresql_with={"fastupdate": "off"})
    sa.Index("z_gist", c.span, postgresql_using="gist")
    sa.Index("z_brin", c.at, postgresql_using="brin", postgresql_with={"pages_per_range": 32})
    sa.Index("z_hash", c.first, postgresql_using="hash")
    sa.Index("z_where", c.price, postgresql_where=sa.and_(c.first.in_(["a", "b"]), c.mood == "good"))
    sa.Index("z_where_text", c.price, postgresql_where=sa.text("first IS NOT NULL and price between 1 and 2"))
    sa.Index("z_where_string", c.price, postgresql_where="flag")
    sa.Index("z_include", c.price, unique=True, postgresql_include=["first", c.day])
    sa.Index("z_mixed", c["Mixed Case"])
    sa.Index("z_percent", sa.text("(first LIKE '50%')"))
    sa.Index("z_date", sa.func.date_trunc("day", sa.text("at AT TIME ZONE 'UTC'")))
    sa.Index("z_case", sa.text("(CASE WHEN flag THEN price ELSE 0 END)"))
    return metadata


def begin(database: Database) -> sa.MetaData:
    metadata = zoo()
    with database.sqlalchemy() as connection:
        ENUMS.create_all(connection)
        connection.exec_driver_sql("CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100)")
        metadata.create_all(connection)
    return metadata


def found(connection: sa.Connection, metadata: sa.MetaData, **options: Any) -> Differences:
    return compared(connection, metadata, **options)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_differs_where_nothing_does(database: Database, tmp_path: Path) -> None:
    metadata = begin(database)
    for options in ({}, {"compare_server_default": True, "include_schemas": True}):
        seen = found(database.sqlalchemy(), metadata, **options)
        assert (seen.operations, seen.sentences, seen.notes) == ((), (), ())
    project = Written(tmp_path, database.url, metadata, "hand-written")
    assert project.diffs() == []
    assert project.sentences == []


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_differs_behind_a_dump(database: Database) -> None:
    metadata = begin(database)
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'z\\_%'"
    checks = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'zoo'::regclass AND contype = 'c'"
    )
    for name, definition in database.sql(indexes):
        database.sql(f"DROP INDEX {name}", definition)
    for name, definition in database.sql(checks):
        database.sql(
            f'ALTER TABLE zoo DROP CONSTRAINT "{name}"', f'ALTER TABLE zoo ADD CONSTRAINT "{name}" {definition}'
        )
    seen = found(database.sqlalchemy(), metadata)
    assert (seen.operations, seen.sentences, seen.notes) == ((), (), ())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_index_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    metadata = begin(database)
    before = database.sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'zoo' ORDER BY 1")
    project = Written(tmp_path, database.url, metadata)
    table = metadata.tables["zoo"]
    for index in list(table.indexes):
        table.indexes.remove(index)
    project.revision()
    project.upgrade()
    assert project.diffs() == []
    assert len(database.sql("SELECT 1 FROM pg_indexes WHERE tablename = 'zoo'")) == 3
    project.downgrade("base")
    after = database.sql("SELECT indexdef FROM pg_indexes WHERE tablename = 'zoo' ORDER BY 1")
    assert len(after) == len(before)
    assert {*after} ^ {*before} == {one for one in (*after, *before) if "ARRAY" in one[0]}  # as behind a dump
    schema_kit.assert_no_diff(database.sqlalchemy(), zoo())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_where_nothing_can_be_tried_it_is_a_sentence(database: Database) -> None:
    metadata = begin(database)
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    seen = found(database.sqlalchemy(), metadata)
    assert seen.notes == (
        "Checks, predicates and expressions are not compared: nothing can be tried on an empty copy of a table: this "
        "session is read-only (default_transaction_read_only).",
    )


@contextmanager
def as_role(database: Database, role: str) -> Iterator[sa.Connection]:
    with database.sqlalchemy() as connection:
        connection.exec_driver_sql(f"SET ROLE {role}")
        yield connection


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_role_without_rights_is_reported(database: Database) -> None:
    metadata = begin(database)
    role = "reader_of_autogenerate"
    database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role}")
    name = database.sql("SELECT current_database()")[0][0]
    try:
        database.sql(f"REVOKE TEMP ON DATABASE {name} FROM PUBLIC")
        with as_role(database, role) as connection:
            seen = found(connection, metadata)
        assert seen.notes
        assert all("permission denied" in note for note in seen.notes)
    finally:
        database.sql(f"DROP ROLE {role}")


def test_tables_of_extensions_are_not_proposed(database: Database) -> None:
    database.sql("CREATE TABLE theirs (id int PRIMARY KEY)", "CREATE TABLE ours (id int PRIMARY KEY)")
    database.sql(
        "INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype) "
        "SELECT 'pg_class'::regclass, 'theirs'::regclass, 0, 'pg_extension'::regclass, oid, 0, 'e' FROM pg_extension"
    )
    with database.sqlalchemy() as connection:
        proposed = compare_metadata(MigrationContext.configure(connection), sa.MetaData())
    assert [entry[0] for entry in proposed] == ["drop_table_concurrently"]
    assert proposed[0][1] == "ours"
