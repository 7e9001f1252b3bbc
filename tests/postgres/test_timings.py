"""An engine that is watched: synchronous and asynchronous, with a pool and without, under threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

from schema_kit import timings
from schema_kit.timings import tracing
from tests.support.database import Database

pytestmark = pytest.mark.application

ONE = sa.text("SELECT :n + 0")


@contextmanager
def engine(database: Database, **options: Any) -> Iterator[sa.Engine]:
    made = sa.create_engine(database.url, **options)
    try:
        yield made
    finally:
        made.dispose()


def test_what_was_sent_is_counted_by_statement(database: Database) -> None:
    with engine(database) as one:
        watched = timings.watch(one)
        with one.connect() as connection:
            for n in range(5):
                connection.execute(ONE, {"n": n})
            connection.execute(sa.text("SELECT pg_sleep(0.05)"))
        with pytest.raises(sa.exc.ProgrammingError), one.connect() as connection:
            connection.execute(sa.text("SELECT * FROM nowhere"))
        found = {timed.statement: timed for timed in watched.statements()}
        assert (found["SELECT ? + ?"].calls, found["SELECT ? + ?"].errors) == (5, 0)
        assert found["SELECT pg_sleep(?)"].p95 == pytest.approx(found["SELECT pg_sleep(?)"].longest, rel=0.05)
        assert (found["SELECT * FROM nowhere"].calls, found["SELECT * FROM nowhere"].errors) == (1, 1)
        assert watched.statements()[0].statement == "SELECT pg_sleep(?)"
        watched.clear()
        assert watched.statements() == []
        watched.close()
        watched.close()  # nothing to do
        with one.connect() as connection:
            connection.execute(ONE, {"n": 1})
        assert watched.statements() == []


@pytest.mark.parametrize("pool", [None, NullPool, StaticPool])
def test_what_a_unit_of_work_repeats_is_reported(database: Database, pool: Any) -> None:
    with engine(database, **({} if pool is None else {"poolclass": pool})) as one:
        watched = timings.watch(one, repeats=3)
        for times in (2, 3, 7, 4):
            with one.connect() as connection:
                for n in range(times):
                    connection.execute(ONE, {"n": n})
        (found,) = watched.repeated()
        assert (found.statement, found.times, found.units) == ("SELECT ? + ?", 7, 3)
        assert found.where
        assert "test_timings.py:" in found.where


def test_many_rows_in_one_call_are_one_statement(database: Database) -> None:
    database.sql("CREATE TABLE t (n int)")
    with engine(database) as one:
        watched = timings.watch(one, repeats=3)
        with one.begin() as connection:
            connection.execute(sa.text("INSERT INTO t VALUES (:n)"), [{"n": n} for n in range(20)])
        assert watched.repeated() == []


def test_a_unit_with_a_name_spans_connections(database: Database) -> None:
    with engine(database) as one:
        watched = timings.watch(one, repeats=3)
        with timings.unit("GET /customers"):
            for n in range(4):
                with one.connect() as connection:
                    connection.execute(ONE, {"n": n})
        for n in range(4):
            with one.connect() as connection:
                connection.execute(ONE, {"n": n})
        (found,) = watched.repeated()
        assert (found.times, found.units) == (4, 1)
        assert (found.where or "").startswith("GET /customers ")


def test_slow_calls_are_logged_without_values(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with engine(database) as one:
        watched = timings.watch(one, slow=0.02)
        with one.connect() as connection:
            connection.execute(sa.text("SELECT pg_sleep(0.03), :secret"), {"secret": "hush"})
            connection.execute(ONE, {"n": 1})
        assert [call.statement for call in watched.slowest()] == ["SELECT pg_sleep(?), ?"]
        assert watched.slow_calls == 1
        assert "SELECT pg_sleep(?), ?" in caplog.text
        assert "hush" not in caplog.text + watched.report()
        assert "slow, 20 ms or more: 1 calls" in watched.report()


def test_the_pool(database: Database) -> None:
    with engine(database, pool_size=2, max_overflow=1) as one:
        watched = timings.watch(one)
        with one.connect(), one.connect():
            assert watched.pool() == timings.Pool(in_use=2, idle=0, limit=3)
        assert watched.pool() == timings.Pool(in_use=0, idle=2, limit=3)
        assert "pool: 0 in use, 2 idle of at most 3" in watched.report()


def test_prometheus(database: Database) -> None:
    registry = CollectorRegistry()
    with engine(database) as one:
        watched = timings.watch(one, slow=0.01)
        collector = watched.export(registry)
        with one.connect() as connection:
            connection.execute(ONE, {"n": 1})
            connection.execute(sa.text("SELECT pg_sleep(0.02)"))
            connection.execute(sa.text("SET LOCAL work_mem = '4MB'"))
        text = generate_latest(registry).decode()
        assert 'db_query_duration_seconds_count{operation="SELECT"} 2.0' in text
        assert 'db_query_duration_seconds_bucket{le="+Inf",operation="OTHER"} 1.0' in text
        assert "db_slow_queries_total 1.0" in text
        assert 'db_connection_pool_size{state="limit"} 15.0' in text
        assert "pg_sleep" not in text
        registry.unregister(collector)


def test_a_span_for_each_statement(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_TRACER", provider.get_tracer("test"))
    with engine(database) as one:
        timings.watch(one, trace=True)
        with provider.get_tracer("test").start_as_current_span("request"), one.connect() as connection:
            connection.execute(ONE, {"n": 1})
            with pytest.raises(sa.exc.ProgrammingError):
                connection.execute(sa.text("SELECT * FROM nowhere"))
    first, second, request = kept.get_finished_spans()
    assert (first.name, (first.attributes or {})["db.query.text"]) == ("SELECT", "SELECT ? + ?")
    assert first.parent is not None
    assert request.context is not None
    assert first.parent.span_id == request.context.span_id
    assert second.status.status_code is trace.StatusCode.ERROR


def test_threads_lose_no_count(database: Database) -> None:
    with engine(database, pool_size=4) as one:
        watched = timings.watch(one)

        def work() -> None:
            for n in range(50):
                with one.connect() as connection:
                    connection.execute(ONE, {"n": n})

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [timed.calls for timed in watched.statements()] == [200]


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_an_asynchronous_engine(database: Database, driver: str) -> None:
    async def run() -> timings.Watched:
        url = sa.make_url(database.url).set(drivername=f"postgresql+{driver}")
        if driver == "asyncpg":
            url = url.set(query={"host": str(url.query["host"])}) if "host" in url.query else url
        one = create_async_engine(url)
        watched = timings.watch(one, repeats=3)

        async def request(name: str, times: int) -> None:
            with timings.unit(name):
                for n in range(times):
                    async with one.connect() as connection:
                        await connection.execute(ONE, {"n": n})

        await asyncio.gather(request("few", 2), request("many", 5), request("two", 2))
        await one.dispose()
        return watched

    watched = asyncio.run(run())
    assert sum(timed.calls for timed in watched.statements() if timed.statement.startswith("SELECT ?")) == 9
    (found,) = (found for found in watched.repeated() if found.statement.startswith("SELECT ?"))
    assert (found.times, found.units) == (5, 1)
    assert (found.where or "").startswith("many")


def test_beyond_a_thousand_statements_memory_does_not_grow(database: Database) -> None:
    with engine(database) as one:
        watched = timings.watch(one)
        with one.connect() as connection:
            for n in range(1020):
                connection.execute(sa.text(f"SELECT 1 AS c{n}"))
        assert len(watched.statements()) <= 1001
        assert watched.by(lambda _: "all")["all"].count == 1020
