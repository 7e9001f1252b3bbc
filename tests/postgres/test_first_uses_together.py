"""Two sessions that use schema_kit for the first time at once: the second finds done what the first has committed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import op
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until

pytestmark = [pytest.mark.application, pytest.mark.majors]

Act = Callable[[], None]

TABLES = (
    "CREATE TABLE events (id bigint, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01Z') TO ('2026-02-01Z')",
    "CREATE TABLE others (LIKE events INCLUDING ALL) PARTITION BY RANGE (at)",
    "CREATE TABLE tokens (id bigint PRIMARY KEY, expires timestamptz)",
    "CREATE INDEX ON tokens (expires)",
)


def policy(table: str) -> Act:
    return lambda: op.set_partition_policy(table, control="at", interval="1 month")


def made() -> None:
    id_, at = sa.Column("id", sa.BigInteger), sa.Column("at", sa.DateTime(timezone=True))
    key = sa.PrimaryKeyConstraint("id", "at", name="logins_pkey")
    op.create_partitioned_table("logins", id_, at, key, control="at", interval="1 month", premake=1)


FIRST: dict[str, tuple[Act, Act]] = {
    "a policy": (policy("events"), policy("events")),
    "policies of two tables": (policy("events"), policy("others")),
    "another table of the same schema": (lambda: op.set_ttl_policy("tokens", "expires"), policy("events")),
    "a step that commits on its own": (
        policy("events"),
        lambda: op.update_in_batches("tokens", {"expires": None}, max_dead_share=None, max_replica_lag=None),
    ),
    "a partitioned table": (made, made),
    "part_config": (lambda: op.create_part_config(), lambda: op.create_part_config()),
    "an extension": (lambda: op.create_extension("btree_gist"), lambda: op.create_extension("btree_gist")),
    "pg_partman's functions": (lambda: op.install_partman_sql(), lambda: op.install_partman_sql()),
    "an ignored finding": (
        lambda: op.ignore_health_finding("index_unused", "public.tokens", reason="kept"),
        lambda: op.ignore_health_finding("index_unused", "public.events", reason="kept"),
    ),
}


@pytest.mark.parametrize("what", FIRST)
def test_the_second_finds_it_done(database: Database, what: str) -> None:
    database.sql(*TABLES)
    first, second = FIRST[what]
    engine = database.sqlalchemy().engine.execution_options(isolation_level="READ COMMITTED")
    raised = list[BaseException]()

    def beside() -> None:
        try:
            with engine.connect() as other, schema_kit.operations(other, policy=QUICK):
                second()
        except BaseException as error:
            raised.append(error)

    one = engine.connect()
    pid = one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    one.rollback()
    thread = threading.Thread(target=beside)
    with one, schema_kit.operations(one, policy=QUICK):
        first()
        thread.start()
        wait_until(lambda: database.sql(f"SELECT 1 FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))"))
    thread.join()
    assert raised == []
