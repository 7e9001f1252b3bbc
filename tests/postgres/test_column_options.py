"""What a user set for a column's statistics goes where the table goes; what the server notes there is not a user's."""

from __future__ import annotations

from typing import Any

import pytest

import schema_kit
from schema_kit import op
from schema_kit.names import QualifiedName
from schema_kit.tasks.conversion import roll_back
from tests.support.database import QUICK, Database
from tests.support.matrix import longer

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

SET = {
    ("at", "{n_distinct=-0.5}", ""),
    ("body", "{n_distinct=5,n_distinct_inherited=-0.25}", ""),
    ("id", "", "300"),
}
TABLE = (
    "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, body text, x text)",
    "INSERT INTO t (at) SELECT date_trunc('month', now()) - i * interval '1 day' FROM generate_series(1, 90) i",
    "ALTER TABLE t ALTER id SET STATISTICS 300, ALTER at SET (n_distinct = -0.5)",
    "ALTER TABLE t ALTER body SET (n_distinct = 5, n_distinct_inherited = -0.25)",
    "ALTER TABLE t ALTER x SET (n_distinct = 9)",
    "ALTER TABLE t ALTER x RESET (n_distinct)",
)


def options(database: Database, table: str) -> set[tuple[Any, ...]]:
    return set(
        database.sql(
            f"""SELECT attname, coalesce(own.options::text, ''), coalesce(nullif(attstattarget, -1)::text, '')
            FROM pg_attribute, LATERAL (SELECT array_agg(o) FILTER (WHERE o LIKE 'n_distinct%') AS options
                                        FROM unnest(attoptions) o) own
            WHERE attrelid = '{table}'::regclass AND attnum > 0
              AND (own.options IS NOT NULL OR attstattarget >= 0)"""
        )
    )


def leaves(database: Database) -> list[str]:
    return [row[0] for row in database.sql("SELECT relid::regclass FROM pg_partition_tree('t') WHERE isleaf")]


@pytest.mark.parametrize("strategy", longer(["attach", "copy"], "copy"))
def test_they_come_along_and_go_back(database: Database, strategy: str) -> None:
    database.sql(*TABLE)
    assert options(database, "t") == SET
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.convert_to_partitioned("t", "at", "1 month", strategy=strategy)  # type: ignore[arg-type]
    assert options(database, "t") == SET
    assert all(options(database, leaf) == SET for leaf in leaves(database))

    database.sql("ALTER TABLE t ALTER id SET STATISTICS -1, ALTER at RESET (n_distinct), ALTER x SET (n_distinct = 3)")
    now = options(database, "t")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.unpartition("t")
    assert (
        options(database, "t")
        == now
        == SET - {("id", "", "300"), ("at", "{n_distinct=-0.5}", "")} | {("x", "{n_distinct=3}", "")}
    )


@pytest.mark.exhaustive
def test_they_come_back_with_the_plain_table_that_was_kept(database: Database) -> None:
    database.sql(*TABLE)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.convert_to_partitioned("t", "at", "1 month", strategy="copy", keep_old="fed")
    database.sql("ALTER TABLE t ALTER id SET STATISTICS -1, ALTER x SET (n_distinct_inherited = 3)")
    now = options(database, "t")
    assert now != SET
    database.run(lambda catalog: roll_back(catalog, QualifiedName("public", "t")))
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 't'::regclass") == [("r",)]
    assert options(database, "t") == now
