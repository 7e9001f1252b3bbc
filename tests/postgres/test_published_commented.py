"""A publication that has a comment is locked by the same comment: that is not a change of the table."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.catalog.session import observing, rows
from schema_kit.fingerprints.stamps import stamp_sql
from schema_kit.names import QualifiedName
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "INSERT INTO t SELECT i, now() - i * interval '1 day' FROM generate_series(1, 60) i",
    "CREATE PUBLICATION one FOR TABLE t WITH (publish_via_partition_root)",
    "COMMENT ON PUBLICATION one IS 'what the warehouse reads'",
    "COMMENT ON TABLE t IS 'a table'",
)
COMMENTED = "SELECT obj_description(oid, 'pg_publication') FROM pg_publication"


@pytest.mark.parametrize("way", ["attach", "copy", "fed"])
def test_it_goes_there_and_back(database: Database, way: str) -> None:
    database.sql(*TABLE)
    more: dict[str, Any] = {"keep_old": "fed"} if way == "fed" else {}
    strategy = "attach" if way == "attach" else "copy"
    perform(database, lambda op: op.convert_to_partitioned("t", "at", "1 month", strategy=strategy, **more))
    assert database.sql("SELECT relkind::text FROM pg_class WHERE oid = 't'::regclass") == [("p",)]
    if way == "fed":
        ended = shell(database, "partitions", "convert", "t", "--rollback")
        assert ended.returncode == 0, ended.stderr
    else:
        perform(database, lambda op: op.unpartition("t"))
    assert database.sql("SELECT relkind::text FROM pg_class WHERE oid = 't'::regclass") == [("r",)]
    assert database.sql("SELECT tablename::text FROM pg_publication_tables") == [("t",)]
    assert database.sql(COMMENTED) == [("what the warehouse reads",)]


@pytest.mark.parametrize("thing", ["PUBLICATION one", "TABLE t", "COLUMN t.at", "CONSTRAINT t_pkey ON t"])
def test_another_comment_is_a_change_and_the_same_again_is_not(database: Database, thing: str) -> None:
    database.sql(*TABLE)
    connection = database.sqlalchemy()

    def stamp() -> str:
        with observing(connection):
            return str(rows(connection, stamp_sql(QualifiedName("public", "t")))[0][0])

    database.sql(f"COMMENT ON {thing} IS 'first'")
    first = stamp()
    database.sql(f"COMMENT ON {thing} IS 'first'")
    assert stamp() == first
    database.sql(f"COMMENT ON {thing} IS 'second'")
    assert stamp() != first
    database.sql(f"COMMENT ON {thing} IS NULL")
    assert stamp() != first
