"""A key whose index a run that was killed has built: the next run makes it the constraint."""

from __future__ import annotations

import pytest

import schema_kit
from schema_kit import op
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.constraints, pytest.mark.majors]

PLAIN = ("CREATE TABLE t (id bigint NOT NULL, k int NOT NULL)",)
LEAF = (
    "CREATE TABLE t (id bigint NOT NULL, k int NOT NULL) PARTITION BY RANGE (k)",
    "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
    "ALTER TABLE ONLY t ADD CONSTRAINT u UNIQUE (id, k)",
)


@pytest.mark.parametrize(
    ("begun", "table"),
    [
        ((*PLAIN, "CREATE UNIQUE INDEX u ON t (id, k)"), "t"),
        ((*LEAF, "CREATE UNIQUE INDEX t_1_u ON t_1 (id, k)"), "t_1"),
    ],
    ids=["plain", "partitioned"],
)
def test_the_existing_index_becomes_the_constraint(database: Database, begun: tuple[str, ...], table: str) -> None:
    database.sql(*begun)
    index = database.sql(f"SELECT indexrelid FROM pg_index WHERE indrelid = '{table}'::regclass")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_unique_constraint_concurrently("u", "t", ["id", "k"])
    of_constraint = f"SELECT conindid FROM pg_constraint WHERE contype = 'u' AND conrelid = '{table}'::regclass"
    assert database.sql(of_constraint) == index
    assert database.sql("SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass") == [(True,)]
