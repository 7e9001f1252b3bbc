"""What takes a table's place is compared with it before the commit: a step that forgets something commits nothing."""

from __future__ import annotations

from typing import Any

import pytest

import schema_kit
from schema_kit import op
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.names import QualifiedName
from schema_kit.steps import conversion, rollback, unpartition
from schema_kit.tasks.conversion import roll_back
from tests.support.catalog_of_a_table import catalog_of
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text)",
    "INSERT INTO t SELECT i, now() - i * interval '1 day' FROM generate_series(1, 40) i",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER noted AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "COMMENT ON TRIGGER noted ON t IS 'a note'",
    "ALTER TABLE t ALTER word SET DEFAULT 'none'",
)


def nothing(*_: Any, **__: Any) -> tuple[str, ...]:
    return ()


def to_partitions(database: Database, strategy: Any, *, keep: Any = False) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.convert_to_partitioned("t", "at", "1 month", strategy=strategy, keep_old=keep)


@pytest.mark.parametrize("strategy", ["attach", "copy"])
def test_a_swap_that_forgets_something_commits_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    database.sql(*TABLE)
    before = catalog_of(database.url, "public.t")
    monkeypatch.setattr(conversion, "trigger_sql", nothing)
    monkeypatch.setattr(conversion, "comments_sql", nothing)
    with pytest.raises(ExecutionError, match="would not have trigger noted, comment: a note; trigger noted, def"):
        to_partitions(database, strategy)
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 't'::regclass") == [("r",)]
    left = catalog_of(database.url, "public.t")
    assert {key: left.get(key) for key in before} == before

    monkeypatch.undo()
    to_partitions(database, strategy)
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 't'::regclass") == [("p",)]


def test_an_undo_that_forgets_something_commits_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLE)
    to_partitions(database, "attach")
    database.sql("ALTER TABLE ONLY t ALTER word SET DEFAULT 'since'")
    before = catalog_of(database.url, "public.t")
    monkeypatch.setattr(unpartition, "columns_again_sql", nothing)
    with (
        schema_kit.operations(database.sqlalchemy(), policy=QUICK),
        pytest.raises(ExecutionError, match="would not have column word, default: 'since'::text"),
    ):
        op.unpartition("t")
    assert catalog_of(database.url, "public.t") == before


@pytest.mark.exhaustive
def test_a_rollback_that_forgets_something_commits_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(*TABLE)
    to_partitions(database, "copy", keep="fed")
    database.sql("ALTER TABLE t ALTER word SET DEFAULT 'since'")
    before = catalog_of(database.url, "public.t")
    t = QualifiedName("public", "t")
    monkeypatch.setattr(rollback, "columns_again_sql", nothing)
    with pytest.raises(ExecutionError, match="would not have column word, default: 'since'::text"):
        database.run(lambda catalog: roll_back(catalog, t))
    assert catalog_of(database.url, "public.t") == before
    monkeypatch.undo()
    database.run(lambda catalog: roll_back(catalog, t))
    assert ("column", "word", "default") in catalog_of(database.url, "public.t")


@pytest.mark.exhaustive
@pytest.mark.parametrize("change", ["SET NOT NULL", "DROP NOT NULL"])
def test_a_rollback_says_beforehand_what_the_kept_table_has_otherwise(database: Database, change: str) -> None:
    database.sql(*TABLE, "UPDATE t SET word = 'w'")
    if change.startswith("DROP"):
        database.sql("ALTER TABLE t ALTER word SET NOT NULL")
    to_partitions(database, "copy", keep="fed")
    database.sql(f"ALTER TABLE t ALTER word {change}")
    with pytest.raises(PlanError, match=f'ALTER TABLE "public"."t__old" ALTER COLUMN "word" {change}') as refused:
        database.run(lambda catalog: roll_back(catalog, QualifiedName("public", "t")))
    database.sql(str(refused.value).split("make it so there: ")[1].splitlines()[0])
    database.run(lambda catalog: roll_back(catalog, QualifiedName("public", "t")))
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 't'::regclass") == [("r",)]
