"""Declarations in models: create_all() makes working tables of them, drop_all() takes all of it away again."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from schema_kit.declare import archived, by_hash, by_list, complete, expiring, partitioned
from schema_kit.errors import DeclarationError
from tests.support.database import Database

pytestmark = [pytest.mark.docs, pytest.mark.partitions, pytest.mark.majors, pytest.mark.libraries]


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[Any] = {dt.datetime: sa.DateTime(timezone=True), int: sa.BigInteger()}


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (
        sa.Index("ix_events_at", "at"),
        partitioned("at", "1 month", premake=2, retention="18 months", default_partition=True),
        archived("90 days", view="all_events"),
    )

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now(), primary_key=True)
    word: Mapped[str]


class Login(Base):
    __tablename__ = "logins"
    __table_args__ = (
        sa.Index("ix_logins_at", "at"),
        expiring("at", age="90 days", tree={"clicks": {}}),
        archived("30 days", way="rows", control="at", archived_at=True),
    )

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    at: Mapped[dt.datetime]


class Click(Base):
    __tablename__ = "clicks"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    login_id: Mapped[int] = mapped_column(sa.ForeignKey(Login.id), index=True)


class Plain(Base):
    __tablename__ = "plain"

    id: Mapped[int] = mapped_column(primary_key=True)


PARTITIONS = """
SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
WHERE inhparent = to_regclass({table!r}) ORDER BY 1
"""
LEFT = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('public')"


def policies(database: Database) -> list[tuple[Any, ...]]:
    found = []
    for table, columns in {
        "part_config": "parent_table, partition_interval, premake, retention",  # an archive has one of its own
        "archive_policy": "table_name, archive_table, archive_after, way",
        "ttl_policy": "table_name, column_name, age, tree::text",
    }.items():
        if database.sql(f"SELECT to_regclass('schema_kit.{table}')")[0][0]:
            found += database.sql(f"SELECT {columns} FROM schema_kit.{table} ORDER BY 1")
    return [row for row in found if not row[0].endswith("_archive")]


@pytest.fixture
def engine(database: Database) -> Iterator[sa.Engine]:
    made = sa.create_engine(database.url.replace("postgresql://", "postgresql+psycopg://"))
    yield made
    made.dispose()


def test_create_all_makes_working_tables(database: Database, engine: sa.Engine) -> None:
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)  # checkfirst
    assert len(database.sql(PARTITIONS.format(table="events"))) == 1 + 2 + 1
    with Session(engine) as session:
        session.add_all([Event(word="now"), Event(word="old", at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)), Plain(id=1)])
        session.commit()
    assert database.sql("SELECT tableoid::regclass::text LIKE '%_default', word FROM events ORDER BY 2") == [
        (False, "now"),
        (True, "old"),
    ]
    assert policies(database) == [
        ("public.events", "1 mon", 2, "18 months"),
        ("public.events", "public.events_archive", "90 days", "partition"),
        ("public.logins", "public.logins_archive", "30 days", "rows"),
        ("public.logins", "at", "90 days", '{"clicks": {}}'),
    ]
    database.sql("INSERT INTO logins_archive (id, at) VALUES (1, now())")
    Base.metadata.drop_all(engine)
    Base.metadata.drop_all(engine)
    assert database.sql(LEFT) == []
    assert policies(database) == []
    Base.metadata.create_all(engine)
    assert len(database.sql(PARTITIONS.format(table="events"))) == 4


@pytest.mark.exhaustive
def test_one_table_at_a_time_and_in_autocommit(database: Database, engine: sa.Engine) -> None:
    at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
    table = Base.metadata.tables["events"]
    table.create(at_once)
    assert [row[0] for row in policies(database)] == ["public.events", "public.events"]
    table.drop(at_once)
    assert policies(database) == []
    assert database.sql(LEFT) == []


@pytest.mark.exhaustive
def test_a_table_that_others_have_dropped_begins_again(database: Database, engine: sa.Engine) -> None:
    table = Base.metadata.tables["events"]
    table.create(engine)
    database.sql("DROP VIEW all_events", "DROP TABLE events", "UPDATE schema_kit.part_config SET premake = 9")
    table.create(engine)
    assert policies(database)[0] == ("public.events", "1 mon", 2, "18 months")


@pytest.mark.parametrize("driver", ["asyncpg", pytest.param("psycopg", marks=pytest.mark.exhaustive)])
def test_async_engines(database: Database, driver: str) -> None:
    async def work() -> None:
        engine = create_async_engine(database.url.replace("postgresql://", f"postgresql+{driver}://"))
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        assert len(policies(database)) == 4
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.drop_all)
        await engine.dispose()

    asyncio.run(work())
    assert policies(database) == []


@pytest.mark.parametrize("schema", [None, pytest.param("named", marks=pytest.mark.exhaustive)])
def test_schemas(database: Database, engine: sa.Engine, schema: Any) -> None:
    database.sql("CREATE SCHEMA tenant", "CREATE SCHEMA named")
    metadata = sa.MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(metadata, schema=schema)
    tenant = engine.execution_options(schema_translate_map={schema: "tenant"})
    metadata.create_all(tenant)
    assert len(database.sql(PARTITIONS.format(table="tenant.events"))) == 4
    assert {row[0] for row in policies(database)} == {"tenant.events", "tenant.logins"}
    metadata.drop_all(tenant)
    assert policies(database) == []


def test_partitioned_by_values_first(database: Database, engine: sa.Engine) -> None:
    metadata = sa.MetaData()
    columns = [sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False) for name in ("id", "region")]
    sa.Table("a", metadata, *columns, partitioned("id", "100", premake=1, partition_by=by_list("region", {"eu": [1]})))
    sub = partitioned("id", "100", premake=1, sub_partitions=by_hash("region", 2))
    sa.Table("b", metadata, *(column._copy() for column in columns), sub)
    metadata.create_all(engine)
    parents = database.sql("SELECT inhparent::regclass::text, count(*) FROM pg_inherits GROUP BY 1 ORDER BY 1")
    tables = [(name, count) for name, count in parents if "idx" not in name and "pkey" not in name]
    assert tables == [("a", 1), ("a_eu", 2), ("b", 2), ("b_p0", 2), ("b_p100", 2)]


def test_another_database_gets_plain_tables() -> None:
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    assert "events" in sa.inspect(engine).get_table_names()
    Base.metadata.drop_all(engine)
    engine.dispose()


def columns() -> list[sa.Column[Any]]:
    at = sa.Column("at", sa.DateTime(timezone=True), primary_key=True)
    return [sa.Column("id", sa.BigInteger, primary_key=True), at, sa.Column("word", sa.Text)]


REFUSED = {
    "no column": ([partitioned("when", "1 month")], "events is declared partitioned by 'when', and has no such"),
    "interval": ([partitioned("at", "1 fortnight")], "1 fortnight"),
    "of ids": ([partitioned("at", "100")], "is a number of ids"),
    "zone": ([partitioned("at", "1 month", timezone="Europe/Nowhere")], "Europe/Nowhere"),
    "premake": ([partitioned("at", "1 month", premake=0)], "premake is 1 to 1000"),
    "type": ([partitioned("word", "1 month")], "column 'word' is text"),
    "retention": ([partitioned("at", "1 month", retention="3 days")], "shorter"),
    "detach": ([partitioned("at", "1 month", detach="never")], "detach of public.events is one of"),
    "unique": ([partitioned("at", "1 month"), sa.UniqueConstraint("word")], "does not contain 'at'"),
    "by list": ([partitioned("at", "1 month", partition_by=by_list("r", {"a": [1]}))], "no column 'r'"),
    "twice": ([partitioned("at", "1 month"), partitioned("at", "1 day")], "declared partitioned twice"),
    "way": ([archived("1 year", way="files")], "way is partition or rows"),
    "nothing": ([archived()], "archive_after or a condition"),
    "not partitioned": ([archived("1 year")], "and not partitioned"),
    "age": ([archived("a year", way="rows", control="at")], "a year"),
    "no control": ([archived("1 year", way="rows")], "control names the column"),
    "control": ([archived("1 year", way="rows", control="on")], "declared archived by 'on'"),
    "condition": ([partitioned("at", "1 day"), archived("1 year", condition="true")], "row by row"),
    "expires": ([expiring("gone")], "declared expiring by 'gone'"),
    "batches": ([expiring("at", batch_size=0)], "batch_size is 0"),
    "ids": ([expiring("at", age="100")], "not a length of time"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_when_the_table_is_made(case: str) -> None:
    items, said = REFUSED[case]
    metadata = sa.MetaData()
    with pytest.raises(DeclarationError, match=said):
        sa.Table("events", metadata, items[0], *columns(), *items[1:])
    assert metadata.tables == {}


def test_a_key_without_the_control_column_is_refused_by_name() -> None:
    with pytest.raises(DeclarationError, match=r"the primary key \(id\), does not contain 'at'"):

        class Wrong(Base):
            __tablename__ = "wrong"
            __table_args__ = (partitioned("at", "1 month"),)
            id: Mapped[int] = mapped_column(primary_key=True)
            at: Mapped[dt.datetime]

    with pytest.raises(DeclarationError, match="may be NULL"):
        sa.Table("t", sa.MetaData(), sa.Column("at", sa.DateTime), partitioned("at", "1 month"))


def test_models_import_no_alembic() -> None:
    import subprocess
    import sys

    code = "import sys, schema_kit.declare; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    complete(sa.MetaData())
