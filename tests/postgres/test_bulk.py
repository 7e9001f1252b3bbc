"""COPY by each driver: every type comes back as it was given, conflicts, returned keys, transactions."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from schema_kit import bulk
from schema_kit.errors import DeclarationError
from tests.support.database import Database

pytestmark = pytest.mark.application


class Mood(enum.Enum):
    GLAD = "g"
    SAD = "s"


class Reversed(sa.TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value[::-1]

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value[::-1]


class Never(sa.TypeDecorator[str]):
    """Stores a word where there is none."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str:
        return "never" if value is None else value


class Model(orm.DeclarativeBase):
    pass


class Thing(Model):
    __tablename__ = 'Thing "100%"'
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, sa.Identity(always=False), primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column("Name%s", sa.Text, unique=True)
    n: orm.Mapped[int] = orm.mapped_column(default=7)
    key: orm.Mapped[uuid.UUID] = orm.mapped_column(default=uuid.uuid4)


AWKWARD = "tab\t line\n return\r back\\slash \\N \\. ' \" ไทย 100% {} %s"
TYPES: dict[str, tuple[Any, Any]] = {
    "small": (sa.SmallInteger(), -3),
    "big": (sa.BigInteger(), 2**62),
    "numeric": (sa.Numeric(20, 5), Decimal("123.45678")),
    "float": (sa.Double(), 1.5),
    "truth": (sa.Boolean(), False),
    "text": (sa.Text(), AWKWARD),
    "varchar": (sa.String(100), ""),
    "bytes": (sa.LargeBinary(), b"\x00\xff\\\t\n"),
    "date": (sa.Date(), dt.date(2026, 2, 28)),
    "time": (sa.Time(), dt.time(23, 59, 59, 5)),
    "stamp": (sa.DateTime(), dt.datetime(2026, 1, 1, 1, 1, 1, 7)),
    "stamptz": (sa.DateTime(timezone=True), dt.datetime(2026, 1, 1, 1, tzinfo=dt.UTC)),
    "interval": (sa.Interval(), dt.timedelta(days=3, seconds=7, microseconds=9)),
    "uuid": (sa.Uuid(), uuid.UUID(int=5)),
    "json": (sa.JSON(), {"a": [1, None, AWKWARD]}),
    "jsonb": (pg.JSONB(), [{"b": AWKWARD}, 2]),
    "enum": (sa.Enum(Mood, name="mood"), Mood.SAD),
    "ints": (pg.ARRAY(sa.Integer), [1, 2, 3]),
    "texts": (pg.ARRAY(sa.Text), ["a", AWKWARD, "NULL"]),
    "inet": (pg.CIDR(), "10.0.0.0/8"),
    "range": (pg.INT4RANGE(), pg.Range(1, 5)),
    "multirange": (pg.INT4MULTIRANGE(), [pg.Range(1, 3), pg.Range(5, 9)]),
    "decorated": (Reversed(), "abc"),
}
DRIVERS = ["psycopg", "psycopg2", "asyncpg", "psycopg_async"]


def run(database: Database, driver: str, work: Any) -> Any:
    """Call *work* with a session on a driver, in a transaction that is committed."""
    url = sa.make_url(database.url).set(drivername=f"postgresql+{driver}")
    if driver in {"psycopg", "psycopg2"}:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with orm.Session(engine, expire_on_commit=False) as session, session.begin():
            found = work(session)
        engine.dispose()
        return found

    async def asynchronous() -> Any:
        engine = create_async_engine(url, poolclass=sa.NullPool)
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            found = await session.run_sync(work)
        await engine.dispose()
        return found

    return asyncio.run(asynchronous())


@pytest.fixture
def made(database: Database) -> Iterator[Database]:
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    Model.metadata.create_all(engine)
    yield database
    engine.dispose()


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_type_comes_back_as_it_was(database: Database, driver: str) -> None:
    table = sa.Table("types", sa.MetaData(), *(sa.Column(name, type_) for name, (type_, _) in TYPES.items()))
    row = {name: value for name, (_, value) in TYPES.items()}
    nothing = dict.fromkeys(TYPES)

    def work(session: orm.Session) -> Any:
        table.create(session.connection())
        assert bulk.copy_in(session, table, [row, nothing]) == 2
        return session.execute(sa.select(table)).mappings().all()

    copied, empty = run(database, driver, work)
    if driver == "psycopg2":  # it reads these as text
        row["multirange"] = "{[1,3),[5,9)}"
    found = {name: json.loads(json.dumps(value)) if "json" in name else value for name, value in copied.items()}
    assert {name: str(value) if name == "inet" else value for name, value in found.items()} == row
    assert {name for name, value in empty.items() if value is not None} == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_none_is_stored_as_an_insert_stores_it(database: Database, driver: str) -> None:
    kinds = {name: type_ for name, (type_, _) in TYPES.items()} | {
        "never": Never(),
        "json_null": sa.JSON(none_as_null=True),
        "jsonb_null": pg.JSONB(none_as_null=True),
    }
    table = sa.Table("kinds", sa.MetaData(), sa.Column("n", sa.Integer), *(sa.Column(*kind) for kind in kinds.items()))

    def work(session: orm.Session) -> None:
        table.create(session.connection())
        session.execute(sa.insert(table), [{"n": 0} | dict.fromkeys(kinds)])
        bulk.copy_in(session, table, [{"n": 1} | dict.fromkeys(kinds)])

    run(database, driver, work)
    inserted, copied = database.sql("SELECT to_jsonb(k) - 'n', k.json::text, k.jsonb::text FROM kinds k ORDER BY n")
    assert copied == inserted


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_model_its_attributes_and_its_defaults(made: Database, driver: str) -> None:
    def work(session: orm.Session) -> Any:
        assert bulk.copy_in(session, Thing, ({"name": f"{AWKWARD}{n}"} for n in range(1000))) == 1000
        return session.scalars(sa.select(Thing).order_by(Thing.id)).all()

    things = run(made, driver, work)
    assert [thing.name for thing in things] == [f"{AWKWARD}{n}" for n in range(1000)]
    assert {thing.n for thing in things} == {7}
    assert len({thing.key for thing in things}) == 1000


@pytest.mark.parametrize("driver", DRIVERS)
def test_conflicts_and_returned_keys_in_batches(made: Database, driver: str) -> None:
    def work(session: orm.Session) -> Any:
        first = bulk.copy_in(session, Thing, [{"name": str(n)} for n in range(10)], returning=["id"], batch=3)
        skipped = bulk.copy_in(
            session,
            Thing,
            [{"name": str(n)} for n in range(5, 15)],
            on_conflict=lambda insert: insert.on_conflict_do_nothing(),
            batch=4,
        )
        changed = bulk.copy_in(
            session,
            Thing,
            [("3", 42), ("new", 43)],
            columns=["name", "n"],
            on_conflict=lambda insert: insert.on_conflict_do_update(
                index_elements=["Name%s"], set_={"n": insert.excluded.n}
            ),
            returning=["name", "n"],
        )
        return [id_ for (id_,) in first], skipped, [tuple(row) for row in changed]

    assert run(made, driver, work) == (list(range(1, 11)), 5, [("3", 42), ("new", 43)])


@pytest.mark.parametrize("driver", DRIVERS)
def test_it_is_the_callers_transaction(made: Database, driver: str) -> None:
    def back(session: orm.Session) -> None:
        bulk.copy_in(session, Thing, [{"name": "gone"}])
        session.rollback()

    run(made, driver, back)
    assert made.sql('SELECT count(*) FROM "Thing ""100%"""') == [(0,)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_postgresql_refuses_is_sqlalchemys_error(made: Database, driver: str) -> None:
    def work(session: orm.Session) -> None:
        bulk.copy_in(session, Thing, [{"name": "twice"}, {"name": "twice"}])

    with pytest.raises(sa.exc.DBAPIError, match="Name%s"):
        run(made, driver, work)


def test_what_does_not_fit_is_refused_with_its_row(made: Database) -> None:
    def refused(rows: list[Any], **options: Any) -> str:
        with pytest.raises(DeclarationError) as caught:
            run(made, "psycopg", lambda session: bulk.copy_in(session, Thing, rows, **options))
        return str(caught.value)

    assert "there is no column 'nme'; there are id, name, n, key" in refused([{"nme": "a"}])
    assert "row 2 has the keys name, n, the first one name" in refused([{"name": "a"}, {"name": "b", "n": 1}])
    assert "row 2 has 1 values for 2 columns (name, n)" in refused([("a", 1), ("b",)], columns=["name", "n"])
    assert "columns=[...]" in refused([("a", 1)])
    assert "to return" in refused([{"name": "a"}], returning=["nme"])
    assert run(made, "psycopg", lambda session: bulk.copy_in(session, Thing, [])) == 0


def test_schema_translate_map_and_a_partition(database: Database) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("at", sa.Date), sa.Column("n", sa.Integer), schema="app")
    database.sql(
        "CREATE SCHEMA tenant",
        "CREATE TABLE tenant.t (at date, n int) PARTITION BY RANGE (at)",
        "CREATE TABLE tenant.t1 PARTITION OF tenant.t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    )
    engine = sa.create_engine(sa.make_url(database.url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        mapped = connection.execution_options(schema_translate_map={"app": "tenant"})
        rows = [{"at": dt.date(2026, 1, day), "n": day} for day in range(1, 31)]
        assert bulk.copy_in(mapped, table, rows) == 30
        assert bulk.copy_in(mapped, table, rows, returning=["n"], batch=7) == [(day,) for day in range(1, 31)]
    engine.dispose()
    assert database.sql("SELECT count(*) FROM tenant.t1") == [(60,)]
