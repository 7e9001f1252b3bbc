"""What an operation is, and how Alembic has it performed: online, offline, in and outside an autocommit block.

An op whose steps are commits of their own runs in Alembic's autocommit block, or in the one that is open already, and
is refused after ordinary work in the same revision: that would be committed half-way, and could not be run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeVar

import sqlalchemy as sa
from alembic.operations import AbstractOperations, BatchOperations, MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext

from schema_kit import execute, report, script
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import autocommits, rows
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.offline import EmptyDatabase
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan

AnyCatalog = Catalog | EmptyDatabase


@dataclass(frozen=True)
class Settings:
    """What env.py tells the ops: pass it to ``context.configure(schema_kit=Settings(...))``.

    Args:
        now: a moment that stands for the server's clock.
        policy: lock budgets, tries and timeouts.
    """

    now: datetime | None = None
    policy: LockPolicy = field(default_factory=LockPolicy)


class PlanOperation(MigrateOperation):
    """An operation that becomes a plan, by looking at a database."""

    called: ClassVar[str]
    """What it is called in ``alembic.op``."""
    shared: ClassVar[bool] = False
    """All its steps may join the migration's transaction."""

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        raise NotImplementedError


OperationClass = TypeVar("OperationClass", bound=type[PlanOperation])


def register(name: str) -> Callable[[OperationClass], OperationClass]:
    """Make a PlanOperation a member of ``alembic.op``: its classmethod of that name says with which parameters."""

    def register(cls: OperationClass) -> OperationClass:
        cls.called = name
        Operations.register_operation(name)(cls)
        Operations.implementation_for(cls, replace=True)(_perform)
        return cls

    return register


def _perform(operations: AbstractOperations, operation: PlanOperation) -> None:
    context = operations.migration_context
    if isinstance(operations, BatchOperations):
        raise DeclarationError(
            f"op.{operation.called} cannot stand in batch_alter_table: it would run before the batch's own operations. "
            "Put it beside the block."
        )
    if context.dialect.name != "postgresql":
        raise DeclarationError(f"schema_kit's operations are for PostgreSQL; this is {context.dialect.name}")
    settings = context.opts.get("schema_kit") or Settings()
    if context.as_sql:
        _write(context, operation, settings)
        return
    connection = context.connection
    assert connection is not None  # only offline has none

    def decide() -> Plan:
        return operation.plan(Catalog(_current(context), settings.now))

    if operation.shared and not autocommits(connection):
        execute.run_shared(connection, decide(), settings.policy, report.to_logging)
    elif autocommits(connection):
        execute.run(connection, decide, settings.policy, report.to_logging)
    else:
        _refuse_after_ordinary_work(context, operation)
        with context.autocommit_block():
            execute.run(_current(context), decide, settings.policy, report.to_logging)
        context.opts["schema_kit_committed"] = True


def _current(context: MigrationContext) -> sa.Connection:
    assert context.connection is not None  # only offline has none
    return context.connection


def has_written(context: MigrationContext) -> bool:
    """Whether the transaction that is open has written something."""
    return bool(rows(_current(context), "SELECT pg_current_xact_id_if_assigned() IS NOT NULL")[0][0])


def _refuse_after_ordinary_work(context: MigrationContext, operation: PlanOperation) -> None:
    # Only environment.run sets it: elsewhere earlier revisions may share the transaction, and their work with it.
    if context.opts.get("schema_kit_clean") and has_written(context):
        raise PlanError(
            f"op.{operation.called} commits on its own, and this revision has done ordinary work before it, which "
            "would be committed half-way and could not be run again. Nothing of this revision was kept; put the two "
            "kinds of operations into two revisions."
        )


def _write(context: MigrationContext, operation: PlanOperation, settings: Settings) -> None:
    memo = context.impl.memo
    if "schema_kit" not in memo:
        memo["schema_kit"] = EmptyDatabase(settings.now)
    database: EmptyDatabase = memo["schema_kit"]
    plan = operation.plan(database)
    lines: list[str] = []
    for step in plan.steps:
        lines.append(f"-- {step.summary}")
        if operation.shared:
            lines += [f"{statement};" for statement in step.sql()]
        else:
            lines += [f"{statement};" for statement in script.render(step, settings.policy)]
        database.apply(step)
    if operation.shared:
        context.impl.static_output("\n".join(lines))
    else:
        with context.autocommit_block():
            context.impl.static_output("\n".join(lines) + "\n")
