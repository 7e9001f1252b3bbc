"""Autogenerate proposes nothing after any commit of any operation: stopped there, killed there, or done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import schema_kit
from schema_kit import op
from schema_kit.autogenerate import DRIFT
from tests.support.database import QUICK, Database
from tests.support.matrix import Stopped, longer, told

pytestmark = [pytest.mark.pack, pytest.mark.majors, pytest.mark.libraries]

metadata = sa.MetaData()
sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column("word", sa.Text),
    sa.Column("parent", sa.BigInteger),
    sa.Index("ix_events_word", "word"),
)

ROWS = (
    "INSERT INTO events SELECT i, '2026-01-20 00:00+00'::timestamptz + i * interval '1 day', 'w' || i, 1 "
    "FROM generate_series(1, 90) i"
)


def by_attach() -> None:
    op.convert_to_partitioned("events", "at", "1 month", premake=1, strategy="attach")


def by_copy() -> None:
    op.convert_to_partitioned("events", "at", "1 month", premake=1, strategy="copy", keep_old="fed")


def there_and_back() -> None:
    by_copy()
    op.unpartition("events")


def archived() -> None:
    by_attach()
    op.create_archive_table("events", "kept")
    op.set_archive_policy("events", "60 days", archive_table_name="kept")


def detached() -> None:
    op.convert_to_partitioned("events", "at", "1 month", premake=1, strategy="copy", keep_old=False)
    op.detach_partition_concurrently("events", "events_p20260201")


def index_again() -> None:
    op.replace_index_concurrently("ix_events_word", "events", ["word"], postgresql_with={"fillfactor": "70"})


CASES: dict[str, Callable[[], None]] = {
    "attach": by_attach,
    "copy": by_copy,
    "there and back": there_and_back,
    "archive": archived,
    "detached": detached,
    "index": index_again,
}


def proposed(database: Database, **options: Any) -> list[Any]:
    options = {"schema_kit_drift": {*DRIFT} - {"index"}, **options}  # index_again gives one that the models do not have
    with database.sqlalchemy() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def begin(database: Database) -> None:
    database.sql("DROP SCHEMA public CASCADE", "DROP SCHEMA IF EXISTS schema_kit CASCADE", "CREATE SCHEMA public")
    with database.sqlalchemy() as connection:
        metadata.create_all(connection)
    database.sql(ROWS)


def stopped_after(database: Database, work: Callable[[], None], steps: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    with monkeypatch.context() as patch, told(patch, stop_after=steps), suppress(Stopped):
        with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
            work()
        return False
    return True


@pytest.mark.parametrize("case", longer(CASES, "copy", "there and back", "detached"))
@pytest.mark.parametrize("schemas", [False, True])
def test_nothing_is_proposed_at_the_end(database: Database, case: str, schemas: bool) -> None:
    begin(database)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        CASES[case]()
    assert proposed(database, include_schemas=schemas) == []


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")  # SQLAlchemy's, NOT VALID
@pytest.mark.parametrize("case", longer(CASES, "copy", "there and back", "detached", mark=pytest.mark.deep))
def test_nothing_is_proposed_after_any_commit(database: Database, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, more = 1, True
    while more:
        begin(database)
        more = stopped_after(database, CASES[case], steps, monkeypatch)
        assert proposed(database) == [], f"after {steps} steps"
        steps += 1


def test_a_table_that_the_models_name_is_compared_whatever_its_name(database: Database) -> None:
    begin(database)
    models = sa.MetaData()
    for table in metadata.tables.values():
        table.to_metadata(models)
    sa.Table("events__old", models, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("more", sa.Text))
    database.sql("CREATE TABLE events__old (id bigint PRIMARY KEY)", "CREATE TABLE others__old (id int)")
    with database.sqlalchemy() as connection:
        found = compare_metadata(MigrationContext.configure(connection), models)
    assert [(entry[0], getattr(entry[-1], "name", entry[1])) for entry in found] == [
        ("drop_table_concurrently", "others__old"),
        ("add_column", "more"),
    ]


def test_filters_of_env_py_stay(database: Database) -> None:
    begin(database)
    database.sql("CREATE TABLE theirs (id int)", "CREATE TABLE others (id int)")

    def include(name: str | None, kind: str, _: Any) -> bool:
        return kind != "table" or name != "theirs"

    found = proposed(database, include_name=include)
    assert [entry[:2] for entry in found] == [("drop_table_concurrently", "others")]
