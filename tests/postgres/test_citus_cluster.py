"""On a cluster of Citus: locks, propagation and shards, which nothing else can tell.

SCHEMA_KIT_CITUS_URL names the coordinator's database, as a role that may create schemas; two workers are best. Each
test has a schema of its own there, which it drops.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import op, operations
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, LockNotAvailable, PlanError
from schema_kit.model import Distribution, Partitioning
from schema_kit.names import QualifiedName, literal
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.citus import CLUSTER, needs_cluster
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import perform
from tests.support.tables import checksum, months

pytestmark = [*needs_cluster, pytest.mark.partitions]

S = "schema_kit_cluster"
NOW = "2026-05-20"


@pytest.fixture
def cluster() -> Iterator[Database]:
    with ExitStack() as stack:
        database = Database(CLUSTER, stack)
        database.sql("SET client_min_messages = error", f"DROP SCHEMA IF EXISTS {S}, schema_kit CASCADE")
        database.sql(f"CREATE SCHEMA {S}")
        yield database
        database.sql("SET client_min_messages = error", f"DROP SCHEMA IF EXISTS {S}, schema_kit CASCADE")


@pytest.fixture
def items(cluster: Database) -> Database:
    """Two thousand rows of forty tenants, distributed by the operation."""
    cluster.sql(
        f"CREATE TABLE {S}.items (tenant int, at timestamptz, n int NOT NULL DEFAULT 0, word text, "
        "PRIMARY KEY (tenant, at))",
        f"CREATE INDEX ON {S}.items (at)",
        f"INSERT INTO {S}.items (tenant, at, word) SELECT i % 40, timestamptz '2026-01-01+00' + i * interval '1 hour', "
        "'w' || i FROM generate_series(1, 2000) i",
    )
    perform(cluster, lambda op: op.distribute_table_concurrently("items", "tenant", schema=S))
    return cluster


@pytest.fixture
def set_(cluster: Database) -> Database:
    """Months of 2026, converted nowhere, distributed with their partitions."""
    cluster.sql(
        *load("partman/tables/part_config.sql"),
        f"CREATE TABLE {S}.t (id bigint, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
        "PARTITION BY RANGE (at)",
        *months(f"{S}.t"),
        f"INSERT INTO {S}.t SELECT i, '2026-01-01+00'::timestamptz + i * interval '1 day', 'w' "
        "FROM generate_series(0, 150) i",
        register_sql(Partitioning(QualifiedName(S, "t"), "at", "1 mon")),
    )
    perform(cluster, lambda op: op.distribute_table_concurrently("t", "id", schema=S))
    return cluster


def on_a_worker(cluster: Database, stack: ExitStack) -> Database:
    """The same database on a worker, if there is one that is reached from here."""
    node = cluster.sql("SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 AND noderole = 'primary' LIMIT 1")
    if not node:
        pytest.skip("the cluster has no worker")
    # A host in the query, which says where a socket is, would win.
    given = {name: value for name, value in sa.make_url(CLUSTER).query.items() if name not in ("host", "port")}
    url = sa.make_url(CLUSTER).set(query=given, host=node[0][0], port=node[0][1])
    text = url.render_as_string(hide_password=False)
    try:
        psycopg.connect(text, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        pytest.skip(f"the worker is not reached from here, by the name that the coordinator has of it: {error}")
    return Database(text, stack)


def distribution(database: Database, table: str) -> Distribution | None:
    found = Catalog(database.sqlalchemy()).table(QualifiedName(S, table))
    assert found
    return found.distribution


def test_a_table_is_distributed_while_it_is_written_to_and_comes_back(items: Database) -> None:
    seen = distribution(items, "items")
    assert seen
    assert (seen.kind, seen.column) == ("hash", "tenant")
    assert items.sql(f"SELECT count(*) FROM {S}.items") == [(2000,)]
    perform(items, lambda op: op.distribute_table_concurrently("items", "tenant", schema=S))  # again: nothing to do
    perform(items, lambda op: op.undistribute_table("items", schema=S))
    assert distribution(items, "items") is None
    assert items.sql(f"SELECT count(*) FROM {S}.items") == [(2000,)]


def test_each_kind_is_reported(cluster: Database) -> None:
    cluster.sql(f"CREATE TABLE {S}.kinds (id int PRIMARY KEY)", f"CREATE TABLE {S}.own (id int REFERENCES {S}.kinds)")
    cluster.sql(f"CREATE TABLE {S}.alone (id int PRIMARY KEY)")

    def distribute(op: Any) -> None:
        op.distribute_table_concurrently("alone", single_shard=True, schema=S)
        op.distribute_table_concurrently("kinds", reference=True, schema=S)

    perform(cluster, distribute)
    kinds = [found.kind if (found := distribution(cluster, name)) else None for name in ("kinds", "own", "alone")]
    assert kinds == ["reference", "managed", "single"]
    with pytest.raises(PlanError, match="Citus manages by itself"):
        perform(cluster, lambda op: op.convert_to_partitioned("own", "id", "100", schema=S))


def test_converted_then_distributed_in_one_go(cluster: Database) -> None:
    cluster.sql(
        f"CREATE TABLE {S}.m (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        f"INSERT INTO {S}.m SELECT i, now() - i * interval '1 day' FROM generate_series(1, 60) i",
    )
    with operations(cluster.sqlalchemy(), policy=QUICK):
        op.convert_to_partitioned("m", "at", "1 month", schema=S)
        op.distribute_table_concurrently("m", "id", schema=S)
    assert cluster.sql(f"SELECT count(*) FROM {S}.m") == [(60,)]
    done = shell(cluster, "partitions", "create-next")
    assert done.returncode == 0, done.stderr
    with operations(cluster.sqlalchemy(), policy=QUICK), pytest.raises(PlanError, match="distributed by id"):
        op.unpartition("m", schema=S)


def test_the_lock_budget_holds_on_workers(items: Database) -> None:
    """A reader in a transaction of its own holds the shards; the operation ends within its budget, and names it."""
    reader = items.connect(autocommit=False)
    reader.execute(f"SELECT count(*) FROM {S}.items".encode())
    with pytest.raises(LockNotAvailable) as error:
        perform(items, lambda op: op.add_column_concurrently("items", sa.Column("more", sa.Integer), schema=S))
    assert "blocked by" in str(error.value)
    reader.rollback()
    perform(items, lambda op: op.add_column_concurrently("items", sa.Column("more", sa.Integer), schema=S))
    assert items.sql(f"SELECT count(more) FROM {S}.items") == [(0,)]


def test_a_reader_through_a_worker_is_waited_for_within_the_budget(items: Database) -> None:
    """Its locks are on the worker alone: lock_timeout has to reach it."""
    with ExitStack() as stack:
        reader = on_a_worker(items, stack).connect(autocommit=False)
        reader.execute(f"SELECT count(*) FROM {S}.items".encode())
        with pytest.raises(LockNotAvailable):
            perform(items, lambda op: op.add_column_concurrently("items", sa.Column("more", sa.Integer), schema=S))
        reader.rollback()
        perform(items, lambda op: op.add_column_concurrently("items", sa.Column("more", sa.Integer), schema=S))


def test_partitions_are_made_next_to_a_reference_table(cluster: Database) -> None:
    cluster.sql(
        *load("partman/tables/part_config.sql"),
        f"CREATE TABLE {S}.kinds (id int PRIMARY KEY)",
        f"CREATE TABLE {S}.t (id bigint, at timestamptz NOT NULL, kind int REFERENCES {S}.kinds, PRIMARY KEY (id, at)) "
        "PARTITION BY RANGE (at)",
        *months(f"{S}.t"),
        register_sql(Partitioning(QualifiedName(S, "t"), "at", "1 mon")),
        f"SELECT create_reference_table('{S}.kinds')",
        f"SELECT create_distributed_table('{S}.t', 'id')",
    )
    done = shell(cluster, "partitions", "create-next", "--now", "2026-06-20")
    assert done.returncode == 0, done.stderr
    spread = "SELECT count(*) FROM pg_dist_partition d JOIN pg_inherits i ON i.inhrelid = d.logicalrelid "
    assert cluster.sql(f"{spread} WHERE i.inhparent = '{S}.t'::regclass")[0][0] > 6


def test_an_index_is_on_every_shard_and_a_difference_is_found(items: Database) -> None:
    perform(items, lambda op: op.create_index_concurrently("ix_word", "items", ["word"], schema=S))
    catalog = Catalog(items.sqlalchemy())
    catalog.table(QualifiedName(S, "items"))
    assert catalog.shards_that_differ([QualifiedName(S, "items")]) == ()
    shard = items.sql(f"SELECT shardid FROM pg_dist_shard WHERE logicalrelid = '{S}.items'::regclass LIMIT 1")[0][0]
    drop = (
        "DO $$ BEGIN PERFORM set_config('citus.enable_manual_changes_to_shards', 'on', true); "
        f"DROP INDEX IF EXISTS {S}.ix_word_{shard}; END $$"
    )
    done = items.sql(f"SELECT success, result FROM run_command_on_all_nodes({literal(drop)})")
    assert [result for success, result in done if not success] == []
    with pytest.raises(PlanError, match=rf"shard {shard} of {S}\.items on .* lacks index \(word\)"):
        perform(items, lambda op: op.create_index_concurrently("ix_word", "items", ["word"], schema=S))


def test_keys_without_the_distribution_column_are_refused(items: Database) -> None:
    for refused in (
        lambda op: op.create_unique_constraint_concurrently("u", "items", ["word"], schema=S),
        lambda op: op.create_index_concurrently("u", "items", ["word"], unique=True, schema=S),
    ):
        with pytest.raises(PlanError, match="lacks the distribution column tenant"):
            perform(items, refused)


def test_what_citus_does_not_do_is_refused_before_anything_is_written(items: Database) -> None:
    token = sa.Column("token", sa.Uuid, server_default=sa.text("gen_random_uuid()"))
    for refused in (
        lambda op: op.add_column_concurrently("items", token, schema=S),
        lambda op: op.update_in_batches("items", {"n": sa.text("(random() * 9)::int")}, schema=S),
        lambda op: op.drop_column_concurrently("items", "tenant", schema=S),
        lambda op: op.alter_column_concurrently("items", "tenant", type_=sa.BigInteger, schema=S),
    ):
        with pytest.raises(PlanError, match=r"volatile|VOLATILE|distribution column"):
            perform(items, refused)
    assert items.sql("SELECT to_regclass('schema_kit.batch_progress')") == [(None,)]


def test_rows_are_updated_in_batches(items: Database) -> None:
    perform(
        items,
        lambda op: op.update_in_batches(
            "items", {"n": sa.text("n + 1")}, where="word <> 'w7'", schema=S, batch_size=150, target_seconds=60
        ),
    )
    assert items.sql(f"SELECT n, count(*) FROM {S}.items GROUP BY 1 ORDER BY 1") == [(0, 1), (1, 1999)]


def test_rows_expire_and_rows_are_archived_and_come_back(items: Database) -> None:
    before = checksum(items, f"{S}.items", columns="tenant, at, word")
    perform(items, lambda op: op.create_archive_table("items", schema=S, archived_at=True))
    archive, own = distribution(items, "items_archive"), distribution(items, "items")
    assert archive == own

    def policy(op: Any) -> None:
        op.set_archive_policy("items", "10 days", way="rows", control="at", archived_at="archived_at", schema=S)

    perform(items, policy)
    done = shell(items, "archive", "run", "--now", "2026-03-01")
    assert done.returncode == 0, done.stderr
    assert items.sql(f"SELECT count(*) FROM {S}.items_archive")[0][0] > 0
    assert checksum(items, f"{S}.items", f"{S}.items_archive", columns="tenant, at, word") == before
    back = shell(items, "archive", "restore", f"{S}.items", "--since", "2026-01-01", "--until", "2026-01-15")
    assert back.returncode == 0, back.stderr
    assert checksum(items, f"{S}.items", f"{S}.items_archive", columns="tenant, at, word") == before
    perform(items, lambda op: op.drop_archive_policy("items", schema=S))
    perform(items, lambda op: op.set_ttl_policy("items", "at", age="30 days", schema=S))
    gone = shell(items, "ttl", "run", "--yes", "--now", "2026-03-01")
    assert gone.returncode == 0, gone.stderr
    assert items.sql(f"SELECT count(*) FROM {S}.items WHERE at < '2026-01-30+00'") == [(0,)]


@pytest.mark.parametrize("view", [None, "everything"])
def test_partitions_are_archived_columnar_and_come_back(set_: Database, view: str | None) -> None:
    before = checksum(set_, f"{S}.t")

    def archive(op: Any) -> None:
        op.create_archive_table("t", schema=S, view=view)
        op.set_archive_policy("t", "2 months", schema=S, access_method="columnar")

    perform(set_, archive)
    for _ in range(2):
        done = shell(set_, "archive", "run", "--now", NOW)
        assert done.returncode == 0, done.stderr
    methods = (
        "SELECT DISTINCT m.amname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        f"JOIN pg_am m ON m.oid = c.relam WHERE i.inhparent = '{S}.t_archive'::regclass"
    )
    assert set_.sql(methods) == [("columnar",)]
    assert checksum(set_, f"{S}.t", f"{S}.t_archive") == before
    back = shell(set_, "archive", "restore", f"{S}.t", "--since", "2026-01-01", "--until", "2026-02-01")
    assert back.returncode == 0, back.stderr
    assert checksum(set_, f"{S}.t", f"{S}.t_archive") == before


def test_sizes_and_rows_are_those_of_the_shards(set_: Database) -> None:
    set_.sql(f"ANALYZE {S}.t")
    done = shell(set_, "partitions", "list", f"{S}.t", "--format", "json")
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["sets"]
    assert told["distribution"] == "distributed by id"
    assert [part["rows"] for part in told["partitions"] if part["rows"]] == [31, 28, 31, 30, 31]
    assert all(part["bytes"] > 0 for part in told["partitions"])


def test_a_partition_is_detached_in_the_blocking_way(set_: Database) -> None:
    perform(set_, lambda op: op.detach_partition_concurrently("t", "t_01", schema=S))
    assert set_.sql(f"SELECT count(*) FROM {S}.t_01") == [(31,)]


def test_a_worker_is_refused(cluster: Database) -> None:
    with ExitStack() as stack:
        worker = on_a_worker(cluster, stack)
        with pytest.raises(PlanError, match="worker of Citus"):
            perform(worker, lambda op: op.create_index_concurrently("ix", "t", ["id"], schema=S))


def test_a_killed_distribution_is_done_by_the_next_run(cluster: Database) -> None:
    """The session ends in the middle of copying: the table is local still, or distributed, and the next run ends it."""
    cluster.sql(
        f"CREATE TABLE {S}.big (id bigint PRIMARY KEY, word text)",
        f"INSERT INTO {S}.big SELECT i, repeat('x', 200) FROM generate_series(1, 50000) i",
    )

    def kill() -> None:
        with psycopg.connect(CLUSTER, autocommit=True) as other:
            for _ in range(200):
                found = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'active' AND pid <> "
                    "pg_backend_pid() AND query LIKE 'SELECT pg_catalog.create_distributed_table_concurrently%'"
                ).fetchall()
                if found:
                    return
                other.execute("SELECT pg_sleep(0.02)")

    killer = threading.Thread(target=kill)
    killer.start()
    with suppress(ExecutionError):  # or it was faster
        perform(cluster, lambda op: op.distribute_table_concurrently("big", "id", schema=S))
    killer.join()
    perform(cluster, lambda op: op.distribute_table_concurrently("big", "id", schema=S))
    assert cluster.sql(f"SELECT count(*) FROM {S}.big") == [(50000,)]
