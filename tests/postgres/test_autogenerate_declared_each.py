"""Each word of each declaration, changed by itself: one operation, which runs up, down and up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.declare import archived, expiring, partitioned
from tests.support.autogenerate import Written, calls
from tests.support.database import Database
from tests.support.round_trips import catalog, same

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.exhaustive,
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
]

TENANT = 'Ten"ant 1'


def models(*declared: Any) -> sa.MetaData:
    """A table with quoted names in a schema of a tenant, and one that references it."""
    metadata = sa.MetaData()
    sa.Table(
        "Ev ents",
        metadata,
        sa.Column("A t", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("Id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("Wo:rd", sa.Text),
        sa.Index("By word", "Wo:rd"),
        sa.Index("By at", "A t"),
        *declared,
        schema=TENANT,
    )
    return metadata


PARTITIONED: dict[str, Any] = {
    "timezone": "Asia/Bangkok",
    "premake": 2,
    "inherit_privileges": True,
    "retention": "18 months",
    "retention_keep_table": False,
    "retention_schema": "old",
    "retention_grace": "1 day",
    "detach": "concurrently",
}
OF_PARTS: dict[str, Any] = {"archive_after": "90 days"}
BY_PARTITION: dict[str, Any] = {"archive_after": "1 year", "max_rows": 1000, "access_method": "heap"}
OF_ROWS: dict[str, Any] = {"archive_after": "90 days", "way": "rows", "control": "A t"}
BY_ROWS: dict[str, Any] = {"archive_after": "1 year", "condition": "\"Wo:rd\" = '50%:x'"}
EXPIRING: dict[str, Any] = {
    "age": "2 years",
    "timezone": "Asia/Bangkok",
    "batch_size": 50,
    "target_seconds": 2.5,
    "max_replica_lag": None,
    "max_dead_share": 0.5,
    "archive_first": True,
}


def cells() -> dict[str, tuple[tuple[Any, ...], tuple[Any, ...], str]]:
    """What is declared before and after, and the operation."""
    parts = partitioned("A t", "1 month")
    made = dict[str, tuple[tuple[Any, ...], tuple[Any, ...], str]]()
    for word, value in PARTITIONED.items():
        after = partitioned("A t", "1 month", **{word: value})
        made[f"partitioned {word}"] = (parts,), (after,), "set_partition_policy"
    for word, value in BY_PARTITION.items():
        pair = archived(**OF_PARTS), archived(**(OF_PARTS | {word: value}))
        made[f"archived by partition {word}"] = (parts, pair[0]), (parts, pair[1]), "set_archive_policy"
    for word, value in BY_ROWS.items():
        pair = archived(**OF_ROWS), archived(**(OF_ROWS | {word: value}))
        made[f"archived by rows {word}"] = (pair[0],), (pair[1],), "set_archive_policy"
    for word, value in EXPIRING.items():
        rows = archived(**OF_ROWS)
        pair = expiring("A t", age="1 year"), expiring("A t", **({"age": "1 year"} | {word: value}))
        made[f"expiring {word}"] = (rows, pair[0]), (rows, pair[1]), "set_ttl_policy"
    return made


CELLS = cells()
POINTS = [(word, back) for word in CELLS for back in (False, True)]


@pytest.mark.parametrize("kind", ["partitioned", "archived by partition", "archived by rows", "expiring"])
def test_each_word_is_one_operation(database: Database, tmp_path: Path, kind: str) -> None:
    database.sql('CREATE SCHEMA "Ten""ant 1"', "CREATE SCHEMA old")
    for number, (word, back) in enumerate((word, back) for word, back in POINTS if word.startswith(kind)):
        before, after, operation = CELLS[word]
        before, after = (after, before) if back else (before, after)
        with database.sqlalchemy() as connection:
            models(*before).create_all(connection)
        was = catalog(database)
        project = Written(tmp_path / str(number), database.url, models(*before), options={"include_schemas": True})
        assert (project.diffs(), project.sentences) == ([], []), word
        project.models = models(*after)
        (script,) = project.revision()
        if word.endswith("timezone") and kind == "partitioned":
            assert calls(script) == []
            assert "op.set_partition_policy refuses" in script
        else:  # what is not said stays
            unsaid = back and word.endswith(("max_rows", "access_method"))
            assert calls(script) == ([] if unsaid else [operation]), word
        project.upgrade()
        assert project.diffs() == [], word
        project.downgrade("base")
        assert same(catalog(database), was), word
        project.upgrade()
        with database.sqlalchemy() as connection:
            models(*after).drop_all(connection)
        database.sql("DROP TABLE alembic_version")
