"""What has the names that records remember, and what of it may be read."""

from __future__ import annotations

import pytest

import schema_kit
from schema_kit import op
from schema_kit.catalog import Catalog, present
from schema_kit.catalog.session import observing
from schema_kit.catalog.status import batches_under_way
from schema_kit.names import QualifiedName
from schema_kit.storage import HEALTH_IGNORED, TTL_POLICY
from tests.support.database import QUICK, Database
from tests.support.rights import limited

pytestmark = [pytest.mark.health, pytest.mark.majors]


def test_partitions_are_present_with_their_bounds_and_their_parent(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        'CREATE TABLE s."T 1" (id int) PARTITION BY RANGE (id)',
        'CREATE TABLE s.p PARTITION OF s."T 1" FOR VALUES FROM (1) TO (2)',
        "CREATE TABLE s.old (id int)",
        "CREATE TABLE s.child () INHERITS (s.old)",
        "CREATE VIEW s.v AS SELECT 1 AS one",
    )
    names = [QualifiedName("s", name) for name in ("T 1", "p", "child", "v", "gone")]
    connection = database.sqlalchemy()
    with observing(connection):
        found = present.read(connection, names)
    assert {*found} == {*names[:3]}
    assert (found[names[1]].bounds, found[names[1]].parent) == ("FOR VALUES FROM (1) TO (2)", names[0])
    assert (found[names[2]].bounds, found[names[2]].parent) == (None, None)  # it inherits, and is not a partition


def test_what_cannot_be_read_is_passed_over_without_an_error(database: Database) -> None:
    database.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.ignore_health_finding("index_unused", "t", reason="why")
    with limited(database) as some:
        connection = some.own.sqlalchemy()
        assert Catalog(connection).ignored_findings() == {}
        assert batches_under_way(connection) == []
        database.sql(f"GRANT USAGE ON SCHEMA schema_kit TO {some.role}")
        assert Catalog(connection).ignored_findings() == {}
        database.sql(f"GRANT SELECT ON {HEALTH_IGNORED.sql} TO {some.role}")
        assert [*Catalog(connection).ignored_findings().values()] == ["why"]
        with observing(connection):
            assert present.readable(connection, TTL_POLICY, HEALTH_IGNORED) == {HEALTH_IGNORED}
