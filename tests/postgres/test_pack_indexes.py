"""The pack's indexes are those that a query of the benchmarks needs, and its materialized view is kept fresh."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from migrations.models import metadata
from tests.benchmarks.queries import indexes, parameters
from tests.benchmarks.query_set import QUERIES
from tests.support.cli import ROOT, shell, spawned
from tests.support.database import Database
from tests.support.pack import filled, migrate

pytestmark = [pytest.mark.pack, pytest.mark.indexes, pytest.mark.majors]

METRICS = "market_research.category_metrics"
REDUNDANT = {"telegram_bots.ix_messages_bot_created_at"}
"""A longer one begins with its columns; docs/pack.md says why it exists."""
COMPUTED = """
SELECT category, count(*), avg(price), percentile_cont(0.5) WITHIN GROUP (ORDER BY price), avg(review_rating)
FROM market_research.products WHERE created_at >= now() - interval '90 days' GROUP BY category ORDER BY category
"""
READ = f"SELECT category, products, average_price, median_price, average_rating FROM {METRICS} ORDER BY category"


@pytest.mark.deep
def test_each_index_is_used_by_a_query_or_a_page_says_why_not(database: Database) -> None:
    filled(database, 60_000)
    migrate(database, "upgrade", "head")
    database.sql("ANALYZE")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")  # small tables are read whole
        used = {
            f"{query.system}.{name}"
            for query in QUERIES
            for name in indexes(connection, query, parameters(connection, query, 4))
        }
    declared = {
        f"{table.schema}.{index.name}"
        for table in metadata.sorted_tables
        if not table.name.endswith("_archive")
        for index in table.indexes
    }
    assert declared - used <= REDUNDANT
    page = Path(ROOT, "docs/pack.md").read_text("utf-8")
    assert all(name.partition(".")[2] in page for name in REDUNDANT)


@pytest.mark.exhaustive
def test_metrics_are_refreshed_while_they_are_read(database: Database) -> None:
    migrate(database, "upgrade", "head")
    database.sql(
        "INSERT INTO market_research.products (title, price, category, review_rating, created_at) "
        "SELECT 'a lamp', n, 'c' || n % 7, n % 5, now() - n * interval '1 day' FROM generate_series(1, 120) n"
    )
    assert database.sql(READ) == []
    assert spawned(database, "refresh", METRICS).returncode == 0
    assert database.sql(READ) == database.sql(COMPUTED)
    database.sql("DELETE FROM market_research.products WHERE id % 3 = 0", "ANALYZE market_research.products")
    stale, fresh = database.sql(READ), database.sql(COMPUTED)
    assert stale != fresh
    with database.connect(autocommit=False) as reader:
        assert reader.execute(READ.encode()).fetchall() == stale  # its lock is held until the transaction ends
        done = spawned(database, "refresh", METRICS)
        assert done.returncode == 0, done.stderr
        assert reader.execute(READ.encode()).fetchall() == fresh
    assert database.sql(READ) == fresh


def test_views_are_refreshed_each_by_itself(database: Database) -> None:
    database.sql(
        "CREATE MATERIALIZED VIEW good AS SELECT 1 AS a WITH NO DATA",
        "CREATE UNIQUE INDEX ON good (a)",
        "CREATE MATERIALIZED VIEW bare AS SELECT 1 AS a",
        "CREATE TABLE plain (a int)",
    )
    dry = shell(database, "refresh", "good", "--dry-run")
    assert 'REFRESH MATERIALIZED VIEW "public"."good";' in dry.stdout
    assert database.sql("SELECT relispopulated FROM pg_class WHERE relname = 'good'") == [(False,)]
    done = shell(database, "refresh", "bare", "good")
    assert done.returncode == 1
    assert "needs a valid unique index" in done.stderr
    assert database.sql("SELECT a FROM good") == [(1,)]
    for name, words in (("plain", "is a table"), ("nothing", "nothing")):
        refused = shell(database, "refresh", name)
        assert refused.returncode == 3, refused.stderr
        assert words in refused.stderr
    assert shell(database, "refresh").returncode == 2


@pytest.mark.exhaustive
def test_two_refreshes_at_once_do_no_harm(database: Database) -> None:
    database.sql(
        "CREATE MATERIALIZED VIEW slow AS SELECT a FROM generate_series(1, 3) a, pg_sleep(0.3)",
        "CREATE UNIQUE INDEX ON slow (a)",
    )
    codes: list[int] = []
    runs = [
        threading.Thread(target=lambda: codes.append(spawned(database, "refresh", "slow").returncode)) for _ in "ab"
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert codes == [0, 0]
