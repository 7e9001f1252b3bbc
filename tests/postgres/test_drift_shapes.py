"""Silent differences of tables of each shape, with quoted names in a schema of a tenant: each is its operation."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema_kit.declare import by_hash, partitioned
from tests.support.autogenerate import Written, calls
from tests.support.database import Database

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.exhaustive,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

SCHEMA, TABLE = 'Ten"ant 1', "Or 'ders"
ON = '"Ten""ant 1"."Or \'ders"'
SHAPES = ("plain", "partitioned", "sub-partitioned")


def models(shape: str) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("Peo ple", metadata, sa.Column("Id", sa.BigInteger, primary_key=True), schema=SCHEMA)
    below: dict[str, Any] = {"sub_partitions": by_hash("Id", 2)} if shape == "sub-partitioned" else {}
    table = sa.Table(
        TABLE,
        metadata,
        sa.Column("A t", sa.TIMESTAMP(timezone=True), primary_key=True),
        sa.Column("Id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("Per son", sa.BigInteger),
        sa.Column("To:tal", sa.Integer, nullable=False),
        sa.Column("Na%me", sa.String(40)),
        sa.Column("Tags", pg.JSONB),
        sa.ForeignKeyConstraint(["Per son"], [f"{SCHEMA}.Peo ple.Id"], name="The per son"),
        sa.CheckConstraint("\"To\\:tal\" > 0 AND lower(\"Na%me\") NOT IN ('x', 'y:z')", name="To tal"),
        *([] if shape == "plain" else [partitioned("A t", "1 month", premake=1, **below)]),
        schema=SCHEMA,
    )
    c = table.c
    sa.Index("By name", c["Na%me"], postgresql_ops={"Na%me": "text_pattern_ops"})
    sa.Index("By tags", c.Tags, postgresql_using="gin", postgresql_ops={"Tags": "jsonb_path_ops"})
    sa.Index("By total", c["To:tal"], postgresql_where=c["Na%me"].in_(["a", "b"]))
    sa.Index("By person", c["Per son"], postgresql_include=["To:tal"], postgresql_with={"fillfactor": 70})
    return metadata


def again(name: str, rest: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        (f'DROP INDEX "Ten""ant 1"."{name}"', f'CREATE INDEX "{name}" ON {ON} {rest}'),
        ("replace_index_concurrently",),
    )


LEAF = (
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = (SELECT t.relid FROM "
    'pg_partition_tree(\'"Ten""ant 1"."By name"\') t WHERE isleaf ORDER BY 1 DESC LIMIT 1)'
)
CHECK = f'ALTER TABLE {ON} DROP CONSTRAINT "To tal"'
ADD_CHECK = f'ALTER TABLE {ON} ADD CONSTRAINT "To tal" CHECK'
PARTED = SHAPES[1:]
CASES: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], tuple[str, ...]]] = {
    "INVALID on one leaf": (((LEAF,), ("create_index_concurrently",)), PARTED),
    "missing on one leaf": (
        (
            (
                'DROP INDEX "Ten""ant 1"."By name"',
                f'CREATE INDEX "By name" ON ONLY {ON} ("Na%me" text_pattern_ops)',
            ),
            ("create_index_concurrently",),
        ),
        PARTED,
    ),
    "predicate other": (again("By total", "(\"To:tal\") WHERE \"Na%me\" IN ('a', 'c')"), SHAPES),
    "predicate gone": (again("By total", '("To:tal")'), SHAPES),
    "opclass of btree": (again("By name", '("Na%me")'), SHAPES),
    "opclass of GIN": (again("By tags", 'USING gin ("Tags")'), SHAPES),
    "access method": (again("By name", 'USING hash ("Na%me")'), SHAPES),
    "INCLUDE": (again("By person", '("Per son") WITH (fillfactor = 70)'), SHAPES),
    "storage parameter of an index": (again("By person", '("Per son") INCLUDE ("To:tal")'), SHAPES),
    "CHECK NOT VALID": (
        (
            (CHECK, f"{ADD_CHECK} (\"To:tal\" > 0 AND lower(\"Na%me\") NOT IN ('x', 'y:z')) NOT VALID"),
            ("validate_constraint",),
        ),
        SHAPES,
    ),
    "CHECK other": (
        (
            (CHECK, f'{ADD_CHECK} ("To:tal" > 0)'),
            ("drop_constraint_concurrently", "create_check_constraint_concurrently"),
        ),
        SHAPES,
    ),
    "CHECK missing": (((CHECK,), ("create_check_constraint_concurrently",)), SHAPES),
    "FK NOT VALID": (
        (
            (
                f'ALTER TABLE {ON} DROP CONSTRAINT "The per son"',
                f'ALTER TABLE {ON} ADD CONSTRAINT "The per son" FOREIGN KEY ("Per son") '
                'REFERENCES "Ten""ant 1"."Peo ple" NOT VALID',
            ),
            ("validate_constraint",),
        ),
        SHAPES,
    ),
    "NOT NULL NOT VALID": (
        (
            (
                f'ALTER TABLE {ON} ALTER COLUMN "To:tal" DROP NOT NULL',
                f'ALTER TABLE {ON} ADD CONSTRAINT "N n" NOT NULL "To:tal" NOT VALID',
            ),
            ("validate_constraint",),
        ),
        SHAPES,
    ),
    "primary key missing": (
        (
            (f'ALTER TABLE {ON} DROP CONSTRAINT "Or \'ders_pkey"',),
            ("create_primary_key_concurrently",),
        ),
        SHAPES,
    ),
}
CELLS = [(case, shape) for case, shape in product(CASES, SHAPES) if shape in CASES[case][1]]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_silent_difference_is_its_operation(database: Database, tmp_path: Path, shape: str) -> None:
    database.sql('CREATE SCHEMA "Ten""ant 1"')
    declared, version = models(shape), database.connect().info.server_version
    with database.sqlalchemy() as connection:
        declared.create_all(connection)
    database.sql(f"INSERT INTO {ON} SELECT now(), i, NULL, i, 'n' || i FROM generate_series(1, 50) i")
    project = Written(tmp_path, database.url, declared, options={"include_schemas": True})
    assert (project.diffs(), project.sentences) == ([], [])
    for case, where in CELLS:
        (sql, expected), _ = CASES[case]
        since = 180000 if case.startswith("NOT NULL") or (case.startswith("FK") and where != "plain") else 140000
        if where != shape or version < since:
            continue
        database.sql(*sql)
        before = project.head()
        scripts = project.revision(case)
        assert tuple(call for script in scripts for call in calls(script)) == expected, case
        project.upgrade()
        assert (project.diffs(), project.sentences) == ([], []), case
        project.downgrade(before)
        project.upgrade()
        assert (project.diffs(), project.sentences) == ([], []), case
