"""Names that need quotes, go to the limit of 63 bytes, or are of another script: all of the way, there and back."""

from __future__ import annotations

import pytest

from schema_kit.catalog import Catalog
from schema_kit.model import IndexDeclaration, IndexElement, Partitioning
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.ops.operation import task
from schema_kit.plans.partitions import create_next
from schema_kit.steps import Plan
from schema_kit.tasks.indexes import create, drop
from tests.support.catalog import changes, facts, without_config
from tests.support.conversion import convert, unpartition
from tests.support.database import Database
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

NAMES = {
    "capitals": ("App", "Message", "SentAt"),
    "dots and spaces": ("my.app", "a.b c", "at.time"),
    "quotes": ('q"s', 'it\'s "quoted"', "k\"e'y"),
    "backslashes and percents": ("back\\slash", "100% \\n :x", "%(at)s"),
    "thai": ("ร้าน", "ข้อความ", "เวลา"),
    "63 bytes": ("s" * 63, "t" * 63, "k" * 63),
    "63 bytes of thai": ("ร" * 21, "ก" * 21, "ว" * 21),
    "reserved words": ("select", "table", "order"),
    "dollars and braces": ("$$", "$1{}", "$body$"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("which", NAMES)
def test_the_whole_way(database: Database, which: str) -> None:
    schema, name, control = NAMES[which]
    table = QualifiedName(schema, name)
    key, child = ident(control), table.sibling("child")
    database.sql(
        f"CREATE SCHEMA {ident(schema)}",
        f"""CREATE TABLE {table.sql} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {key} timestamptz NOT NULL,
              body text CHECK (body <> ''), UNIQUE (body, {key}))""",
        f"CREATE INDEX ON {table.sql} ({key} DESC) WHERE body IS NOT NULL",
        f"""CREATE TABLE {child.sql} (id bigint PRIMARY KEY,
              {ident(name)} bigint REFERENCES {table.sql} ON DELETE CASCADE)""",
        f"CREATE VIEW {table.sibling('v').sql} AS SELECT {key} FROM {table.sql}",
        f"COMMENT ON TABLE {table.sql} IS {literal(name)}",
        f"INSERT INTO {table.sql} ({key}, body) SELECT now() - i * interval '1 day', i FROM generate_series(1, 40) i",
        f"INSERT INTO {child.sql} SELECT i, i FROM generate_series(1, 40) i",
    )
    before, rows = facts(database), checksum(database, table.sql)
    convert(database, table, control, incoming="composite", premake=1)
    assert checksum(database, table.sql) == rows
    assert convert(database, table, control, incoming="composite", premake=1) == ()
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = to_regclass(" + literal(table.sql) + ")") == [("p",)]

    def ahead(catalog: Catalog) -> Plan:
        policy = catalog.policy(table)
        assert policy is not None
        longer = Partitioning(table, policy.control, policy.interval, policy.timezone, 3)
        return create_next(longer, catalog.table(table), catalog.now())

    assert len(database.run(ahead)) == 1
    assert database.run(ahead) == ()
    other = IndexDeclaration("x" + name[1:], table, (IndexElement(key), IndexElement("id")))
    assert database.run(task(create, other))
    assert database.run(task(create, other)) == ()
    assert database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert database.run(task(drop, table.sibling(other.name), table))

    unpartition(database, table)
    assert changes(before, without_config(facts(database)), "physical") == set()
    assert checksum(database, table.sql) == rows
