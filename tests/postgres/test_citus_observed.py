"""What is seen of Citus: in one query where it exists, and in none where it is not."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit import execute
from schema_kit.catalog import Catalog, citus
from schema_kit.catalog.blockers import blockers, waits_for
from schema_kit.catalog.direct import refuse
from schema_kit.catalog.session import ON_CITUS, has_citus, note_citus, observing
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.model import Distribution, IndexDeclaration, IndexElement, Partitioning
from schema_kit.model.locks import Lock, LockMode
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.shared import run_shared
from schema_kit.steps import Plan
from schema_kit.tasks import indexes
from tests.support.archives import build
from tests.support.citus import give_catalog, known_as, shard
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

ORDERS = QualifiedName("s", "orders")
INDEX = IndexDeclaration("ix", ORDERS, (IndexElement("note"),))


@pytest.fixture
def orders(database: Database) -> Database:
    database.sql(
        "CREATE SCHEMA s", "CREATE TABLE s.orders (tenant int, id bigint, note text, PRIMARY KEY (tenant, id))"
    )
    return database


def sent(path: Path) -> list[str]:
    """The statements that libpq has sent, as its trace has them."""
    return re.findall(r"^F\s+\d+\s+(?:Query|Parse)\s+(.*)$", path.read_text(errors="replace"), re.MULTILINE)


def traced(connection: sa.Connection, path: Path) -> Any:
    raw: Any = connection.connection.dbapi_connection
    file = path.open("w")
    raw.pgconn.trace(file.fileno())
    raw.pgconn.set_trace_flags(1)
    return file


KINDS = {
    "hash": ({"column": "tenant"}, Distribution("hash", "tenant", 7), "distributed by tenant"),
    "reference": ({"method": "n", "model": "t"}, Distribution("reference", None, 7), "a reference table"),
    "single": ({"method": "n"}, Distribution("single", None, 7), "distributed as a single shard"),
    "local": ({"method": "n", "colocation": 0}, Distribution("local"), "a local table that Citus knows"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_table_is_distinguished(orders: Database, kind: str) -> None:
    given, meant, text = KINDS[kind]
    give_catalog(orders)
    known_as(orders, "s.orders", **given)  # type: ignore[arg-type]
    catalog = Catalog(orders.sqlalchemy())
    table, tree = catalog.table(ORDERS), catalog.tree(ORDERS)
    leaving, target = catalog.leaving(ORDERS)[ORDERS], catalog.batch_target(ORDERS, "none")
    detaching = catalog.detaching(ORDERS, ORDERS)
    seen = [one.distribution for one in (table, tree[0], leaving, target, detaching) if one]
    assert seen == [meant] * 5
    assert meant.text == text


def test_what_citus_manages_by_itself_is_said_so(orders: Database) -> None:
    give_catalog(orders)
    known_as(orders, "s.orders", method="n", colocation=0)
    orders.sql("SET allow_system_table_mods = on", "UPDATE pg_catalog.pg_dist_partition SET autoconverted = true")
    table = Catalog(orders.sqlalchemy()).table(ORDERS)
    assert table
    assert table.distribution == Distribution("managed")


def test_without_citus_no_statement_asks_for_it(orders: Database, tmp_path: Path) -> None:
    orders.sql("CREATE TABLE s.part (LIKE s.orders) PARTITION BY RANGE (id)")
    connection = orders.sqlalchemy()
    log = traced(connection, tmp_path / "trace")
    catalog = Catalog(connection)
    catalog.table(ORDERS)
    catalog.tree(ORDERS)
    catalog.leaving(ORDERS)
    catalog.batch_target(ORDERS, "none")
    catalog.detaching(ORDERS, ORDERS)
    catalog.watched([Partitioning(QualifiedName("s", "part"), "id", "1000")], execute.not_observed, measured=True)
    execute.run(connection, lambda: indexes.create(catalog, INDEX), QUICK, lambda _: None)
    blockers(connection, [Lock(LockMode.SHARE, ORDERS)])
    log.close()
    statements = sent(tmp_path / "trace")
    assert any("CREATE INDEX CONCURRENTLY" in one for one in statements)
    for one in statements:
        rest = one.replace(ON_CITUS, "").replace(ON_CITUS.replace("'", "''"), "")
        assert "pg_dist" not in rest, one
        assert "citus" not in rest.lower(), one
        assert len(rest) > 60 or ON_CITUS not in one, f"sent for Citus alone: {one}"


def test_with_citus_one_query_more_is_sent_for_a_table(orders: Database, tmp_path: Path) -> None:
    counts = []
    for number in range(2):
        connection = orders.sqlalchemy()
        log = traced(connection, tmp_path / f"trace{number}")
        Catalog(connection).table(ORDERS)
        log.close()
        counts.append(len(sent(tmp_path / f"trace{number}")))
        if not number:
            give_catalog(orders)
    assert counts[1] == counts[0] + 1


def test_a_worker_is_refused_before_anything_is_looked_at(orders: Database) -> None:
    give_catalog(orders)
    orders.sql("SET allow_system_table_mods = on", "UPDATE pg_catalog.pg_dist_local_group SET groupid = 2")
    with pytest.raises(PlanError, match=r"worker of Citus \(pg_dist_local_group.groupid is 2\).*coordinator"):
        perform(orders, lambda op: op.create_index_concurrently("ix", "orders", ["note"], schema="s"))
    with orders.sqlalchemy().engine.connect() as shared, shared.begin(), pytest.raises(PlanError, match="worker"):
        run_shared(shared, lambda: indexes.create(Catalog(shared), INDEX), LockPolicy(), lambda _: None)


def test_sizes_and_rows_are_those_of_the_shards(database: Database) -> None:
    build(database)
    give_catalog(database)
    inherited = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 's.t'::regclass ORDER BY 1"
    parts = [row[0] for row in database.sql(inherited)]
    for number, part in enumerate(["s.t", *parts]):
        known_as(database, part, "id")
        if number:
            shard(database, part, 102000 + number)
            database.sql(f"INSERT INTO {part}_{102000 + number} SELECT * FROM s.t LIMIT {number}")
    unknown = shell(database, "partitions", "list", "--format", "json")
    assert unknown.returncode == 0, unknown.stderr
    assert {part["rows"] for part in json.loads(unknown.stdout)["sets"][0]["partitions"]} == {None}
    database.sql("ANALYZE")
    told = json.loads(shell(database, "partitions", "list", "--format", "json").stdout)["sets"][0]
    assert told["distribution"] == "distributed by id"
    assert [part["rows"] for part in told["partitions"]] == [*range(1, len(parts) + 1)]
    assert all(part["bytes"] > 0 for part in told["partitions"])
    text = shell(database, "partitions", "list").stdout
    assert "distributed by id (Citus)" in text
    database.sql(f"ALTER DATABASE \"{database.url.rpartition('/')[2].partition('?')[0]}\" SET test.node_is_down = 'on'")
    down = json.loads(shell(database, "partitions", "list", "--format", "json").stdout)["sets"][0]
    assert {part["rows"] for part in down["partitions"]} == {None}
    assert "?" in shell(database, "partitions", "timeline").stdout


def test_a_shard_that_differs_is_named(orders: Database) -> None:
    give_catalog(orders)
    known_as(orders, "s.orders", "tenant")
    for number in (102008, 102009):
        shard(orders, "s.orders", number)
    connection = orders.sqlalchemy()
    catalog = Catalog(connection)
    catalog.table(ORDERS)
    assert catalog.shards_that_differ([ORDERS]) == ()
    orders.sql("CREATE INDEX ix ON s.orders (note)", "CREATE INDEX ix_102008 ON s.orders_102008 (note)")
    orders.sql("ALTER TABLE s.orders_102008 ADD COLUMN more int, ADD CHECK (id > 0)")
    said = [one.sentence for one in catalog.shards_that_differ([ORDERS])]
    assert said == [
        "shard 102008 of s.orders on worker:5433 has check, column more int4, which the table has not",
        "shard 102009 of s.orders on worker:5433 lacks index (note)",
    ]
    with pytest.raises(PlanError, match=r"shard 102009 of s\.orders on worker:5433 lacks index \(note\)"):
        perform(orders, lambda op: op.create_index_concurrently("ix", "orders", ["note"], schema="s"))
    orders.sql("DROP TABLE s.orders_102009")
    assert "the shard itself, or its node did not answer" in catalog.shards_that_differ([ORDERS])[1].sentence


def test_who_blocks_on_another_node_is_named_with_it(orders: Database) -> None:
    give_catalog(orders)
    known_as(orders, "s.orders", "tenant")
    shard(orders, "s.orders", 102008)
    connection = orders.sqlalchemy()
    mine = orders.connect()
    pid = mine.info.backend_pid
    orders.sql(
        "SET allow_system_table_mods = on",
        "INSERT INTO pg_catalog.citus_locks VALUES (20000000042, 2, 's.orders_102008', 42, 'AccessShareLock', true), "
        "(20000000043, 2, 's.orders_102008', 43, 'AccessShareLock', false)",
        "INSERT INTO pg_catalog.citus_stat_activity VALUES (20000000042, 2, false, 42, 'reports', "
        "'idle in transaction', 'SELECT 1 FROM s.orders', now())",
        f"INSERT INTO pg_catalog.citus_lock_waits VALUES (1{pid:010}, 20000000042, 'ALTER', 'SELECT slow', 1, 2)",
    )
    Catalog(connection).table(ORDERS)
    (found,) = blockers(connection, [Lock(LockMode.ACCESS_EXCLUSIVE, ORDERS)])
    assert found.text.startswith("node worker:5433, pid 42 (reports): AccessShareLock on s.orders_102008, idle in tran")
    assert found.text.endswith("query: SELECT ? FROM s.orders")
    with observing(connection):
        assert waits_for(connection, pid) == ("node worker:5433, pid 42, query: SELECT slow",)


def test_what_a_look_has_seen_is_forgotten_when_the_extension_goes(orders: Database) -> None:
    give_catalog(orders)
    connection = orders.sqlalchemy()
    Catalog(connection).table(ORDERS)
    assert has_citus(connection)
    orders.sql("SET allow_system_table_mods = on", "DROP TABLE pg_catalog.pg_dist_partition")
    Catalog(connection).table(ORDERS)
    assert not has_citus(connection)
    with observing(connection):
        assert citus.measures(connection, [ORDERS]) == {}


def test_a_lost_connection_is_not_asked(database: Database) -> None:
    connection = database.sqlalchemy()
    note_citus(connection, True)
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE pid = {connection.exec_driver_sql('SELECT pg_backend_pid()').scalar_one()}"
    )
    with pytest.raises(sa.exc.DBAPIError):
        connection.exec_driver_sql("SELECT 1")
    assert connection.invalidated
    assert not has_citus(connection)
    with pytest.raises(sa.exc.DBAPIError, match="the connection was lost"):
        refuse(connection, "change anything")
    with pytest.raises(ExecutionError, match="connection lost"):
        execute.run(connection, lambda: Plan("nothing"), LockPolicy(), print)
