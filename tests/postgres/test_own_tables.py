"""schema_kit's own tables of an earlier version: seen as such, and altered under the lock that the step states."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schema_kit.catalog import Catalog
from schema_kit.errors import LockNotAvailable
from schema_kit.execute import Waiting
from schema_kit.files import manifest
from schema_kit.health import snapshots
from schema_kit.model import Stored
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan, Step
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import (
    ALTERED,
    ARCHIVE_FILE,
    ARCHIVE_POLICY,
    BATCH_PROGRESS,
    COLD_ARCHIVE,
    COPY_RUN,
    HEALTH_SNAPSHOT,
    PART_CONFIG,
    RETIRED_PARTITION,
    SCRIPTS,
)
from tests.support.database import Database
from tests.support.older import OLDER

pytestmark = [pytest.mark.steps, pytest.mark.majors]

T, PART = QualifiedName("s", "t"), QualifiedName("s", "t_1")
SET = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
    "CREATE TABLE s.t_1 PARTITION OF s.t FOR VALUES FROM (1) TO (9)",
)


def batches(catalog: Catalog) -> Stored:
    target = catalog.batch_target(T, "a run")
    assert target is not None
    return target.has_progress


def copies(catalog: Catalog) -> Stored:
    return catalog.copying(PART, None, None, "split").has_tables


def retired(catalog: Catalog) -> Stored:
    seen = catalog.detaching(T, PART)
    assert seen is not None
    return seen.has_record


def files(catalog: Catalog) -> Stored:
    steps = manifest.creation(catalog._connection).steps
    return next((step.stored for step in steps if isinstance(step, EnsureTable)), Stored.CURRENT)


SEEN: dict[QualifiedName, Callable[[Catalog], Stored]] = {
    ARCHIVE_FILE: files,
    ARCHIVE_POLICY: Catalog.archive_config_is_there,
    BATCH_PROGRESS: batches,
    COLD_ARCHIVE: Catalog.cold_config_is_there,
    COPY_RUN: copies,
    HEALTH_SNAPSHOT: lambda catalog: snapshots.current(catalog._connection),
    PART_CONFIG: Catalog.config_is_current,
    RETIRED_PARTITION: retired,
}


def test_each_whose_file_alters_it_is_known() -> None:
    texts = {table: "\n".join(EnsureTable(table).sql()) for table in SCRIPTS}
    assert {table for table, text in texts.items() if "ALTER TABLE" in text} == set(ALTERED) == set(SEEN) == set(OLDER)


LONGER = [table if table == RETIRED_PARTITION else pytest.param(table, marks=pytest.mark.exhaustive) for table in SEEN]


@pytest.mark.parametrize("table", LONGER, ids=str)
def test_an_older_one_is_seen_waited_for_and_altered(database: Database, table: QualifiedName) -> None:
    seen, connection = SEEN[table], database.sqlalchemy()
    database.sql(*SET)
    assert seen(Catalog(connection)) is Stored.MISSING

    def ensure() -> Plan:
        stored = seen(Catalog(connection))
        steps: tuple[Step, ...] = () if stored else (EnsureTable(table, stored),)
        return Plan("own tables", steps)

    database.run(lambda _: ensure())
    assert seen(Catalog(connection)) is Stored.CURRENT
    database.sql(*OLDER[table])
    assert seen(Catalog(connection)) is Stored.OLDER
    reader = database.connect(autocommit=False)
    reader.execute(f"SELECT 1 FROM {ALTERED[table][-1].sql}".encode())
    with pytest.raises(LockNotAvailable, match=f"blocked by pid {reader.info.backend_pid}: .* on {ALTERED[table][-1]}"):
        database.run(lambda _: ensure())
    assert any(isinstance(event, Waiting) for event in database.events)
    reader.rollback()
    database.run(lambda _: ensure())
    assert seen(Catalog(connection)) is Stored.CURRENT
