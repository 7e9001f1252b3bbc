"""Conversions, as the operations do them."""

from __future__ import annotations

from collections.abc import Callable

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.script import LockPolicy
from schema_kit.steps import Step
from schema_kit.tasks import conversion
from schema_kit.tasks.conversion import Convert
from tests.support.database import QUICK, Database


def convert(
    database: Database,
    table: QualifiedName,
    control: str = "at",
    *,
    incoming: IncomingForeignKeys = "refuse",
    interval: str = "1 mon",
    timezone: str = "UTC",
    premake: int = 2,
    policy: LockPolicy = QUICK,
    emit: Callable[[Event], None] | None = None,
) -> tuple[Step, ...]:
    """What op.convert_to_partitioned does."""
    op = Convert(Partitioning(table, control, interval, timezone, premake), incoming, "attach")
    connection = database.sqlalchemy()
    return execute.run(connection, lambda: op.plan(Catalog(connection)), policy, emit or database.events.append)


def unpartition(database: Database, table: QualifiedName) -> tuple[Step, ...]:
    """What op.unpartition does."""
    return database.run(task(conversion.unpartition, table))
