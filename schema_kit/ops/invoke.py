"""What an operation is, and how Alembic has it performed: online, offline, in and outside an autocommit block.

An op whose steps are commits of their own runs in Alembic's autocommit block, or in the one that is open already, and
is refused after ordinary work in the same revision: that would be committed half-way, and could not be run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

import alembic.context
import sqlalchemy as sa
from alembic.operations import AbstractOperations, BatchOperations, Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from schema_kit import execute, report, script
from schema_kit.catalog import Catalog
from schema_kit.catalog.drivers import Beside, speaks_psycopg
from schema_kit.catalog.local import Local
from schema_kit.catalog.session import autocommits, borrowed, rows
from schema_kit.errors import DeclarationError, PlanError, SchemaKitError, saying_unchanged
from schema_kit.interrupts import exits
from schema_kit.ops import followed
from schema_kit.ops.mixed import refuse_mixed
from schema_kit.ops.naming import refuse_elsewhere
from schema_kit.ops.operation import OPERATIONS, PlanOperation, Task
from schema_kit.script import LockPolicy
from schema_kit.shared import run_shared


@dataclass(frozen=True)
class Settings:
    """What env.py passes to the ops: ``context.configure(schema_kit=Settings(...))``.

    Args:
        now: a moment that stands for the server's clock.
        policy: lock budgets, tries and timeouts.
    """

    now: datetime | None = None
    policy: LockPolicy = field(default_factory=LockPolicy)


_CHANGES: ContextVar[dict[str, Any] | None] = ContextVar("schema_kit_lock_policy", default=None)


@contextmanager
def lock_policy(**changes: Any) -> Iterator[None]:
    """Change the lock policy for the operations in this block.

    Args:
        changes: *longest*, *first*, *statement_timeout* (``"2s"`` or milliseconds), *attempts*, *look_first*.

    Raises:
        DeclarationError: a name is unknown, or a duration is invalid.

    Example:
        with op.lock_policy(longest="500ms", look_first=True):
            op.drop_table_concurrently("carts")
    """
    known = {spec.name for spec in fields(LockPolicy)}
    if unknown := changes.keys() - known:
        raise DeclarationError(f"lock_policy knows {', '.join(sorted(known))}, not {', '.join(sorted(unknown))}")
    read = {
        name: script.parse_milliseconds(value) if isinstance(value, str) else value for name, value in changes.items()
    }
    token = _CHANGES.set({**(_CHANGES.get() or {}), **read})
    try:
        yield
    finally:
        _CHANGES.reset(token)


def policy_of(settings: Settings) -> LockPolicy:
    """env.py's policy, changed by the environment's variables, changed by the block around the operation."""
    return script.changed(script.from_environment(settings.policy, os.environ), **(_CHANGES.get() or {}))


@contextmanager
def operations(connection: sa.Connection, *, policy: LockPolicy | None = None) -> Iterator[None]:
    """Use ``schema_kit.op``, with Alembic's own operations, outside of migrations, in this block.

    An operation that commits on its own also commits the operations before it. The rest is committed at the end of the
    block, or rolled back by an exception. Options, settings and transaction of the connection are restored.

    Args:
        connection: a connection without an open transaction, in autocommit or not.
        policy: lock budgets, tries and timeouts.

    Raises:
        PlanError: a transaction is open on the connection.

    Example:
        with engine.connect() as connection, schema_kit.operations(connection):
            op.create_index_concurrently("ix_orders_customer", "orders", ["customer_id"])
    """
    with saying_unchanged():
        if connection.in_transaction() and not autocommits(connection):
            raise PlanError(IN_TRANSACTION)
        settings = Settings(policy=policy or LockPolicy())
        context = MigrationContext.configure(connection, opts={"schema_kit": settings})
        with borrowed(connection), Operations.context(context):
            try:
                with context.begin_transaction():
                    yield
            except BaseException:
                _end(connection, connection.rollback)
                raise
            _end(connection, connection.commit)


def _end(connection: sa.Connection, how: Callable[[], None]) -> None:
    """End the transaction that has begun behind a commit or a rollback of the caller's within the block."""
    if not connection.closed and connection.in_transaction() and not autocommits(connection):
        how()


IN_TRANSACTION = (
    "a transaction is open on the connection, and schema_kit's operations commit on their own: it would be committed "
    "half-way. commit() it first, and hand over a connection on which nothing was executed."
)


OperationClass = TypeVar("OperationClass", bound=type[PlanOperation])


def register(cls: OperationClass) -> OperationClass:
    """Make an operation a member of ``alembic.op``, documented as its function is."""
    getattr(cls, cls.called).__func__.__doc__ = cls.function.__doc__
    Operations.register_operation(cls.called)(cls)
    Operations.implementation_for(cls, replace=True)(_perform)
    return cls


@contextmanager
def said_by_alembic() -> Iterator[None]:
    """Under a command of Alembic's, let what is refused be an error of its own, too: it prints no traceback then."""
    try:
        with saying_unchanged(), exits() if by_command_line() else nullcontext():
            yield
    except SchemaKitError as error:
        if getattr(alembic.context, "_proxy", None):
            report.refusal_to_alembic(str(error))
            error.__class__ = _of_both(type(error))
        raise


def by_command_line() -> bool:
    """Return whether a command line of Alembic's runs the revisions, and not a program that has more to do."""
    return bool(getattr(alembic.context, "_proxy", None)) and alembic.context.config.cmd_opts is not None


def _of_both(cls: type[SchemaKitError]) -> type[SchemaKitError]:
    both = (cls,) if issubclass(cls, CommandError) else (cls, CommandError)
    return type(cls.__name__, both, {"__doc__": cls.__doc__, "__module__": cls.__module__})


@said_by_alembic()
def _perform(operations: AbstractOperations, operation: PlanOperation) -> None:
    context = operations.migration_context
    if isinstance(operations, BatchOperations):
        raise DeclarationError(
            f"op.{operation.called} cannot stand in batch_alter_table: it would run before the batch's own operations. "
            "Put it before or after the block."
        )
    refuse_elsewhere(context.dialect)
    decide = operation.task(operations)
    settings = context.opts.get("schema_kit") or Settings()
    policy = policy_of(settings)
    if not operation.shared and (context.as_sql or not autocommits(_current(context))):
        refuse_mixed(_commits_on_its_own)
    if context.as_sql:
        _write(context, operation, decide, settings)
        return
    connection = context.connection
    assert connection is not None  # only offline has none
    emit = report.to_alembic if getattr(alembic.context, "_proxy", None) else report.to_logging

    if operation.shared and not autocommits(connection):
        try:
            run_shared(connection, lambda: decide(Catalog(connection, settings.now)), policy, emit)
        except DBAPIError as error:
            raise execute.not_observed(error, connection) from error
        return
    if not autocommits(connection):
        begun_by_others = connection.in_transaction() and context._transaction is None
        if context._in_external_transaction or begun_by_others or connection.in_nested_transaction():
            raise PlanError(IN_TRANSACTION)
        _refuse_after_ordinary_work(context, operation)
    dialect: Any = connection.dialect
    if dialect.get_readonly(connection.connection.dbapi_connection):
        raise PlanError(
            f"the connection is read-only (postgresql_readonly), and op.{operation.called} writes. Hand over another."
        )
    with _sender(context) as sender, _cleared():

        def run() -> None:
            session = sender or _current(context)
            execute.run(
                session,
                lambda: decide(Catalog(session, settings.now)),
                policy,
                emit,
                operation.workers,
            )

        if autocommits(connection):
            run()
        else:
            _commit(context, run)


def _commits_on_its_own(name: str) -> bool:
    return name in OPERATIONS and not OPERATIONS[name].shared


@contextmanager
def _cleared() -> Iterator[None]:
    try:
        yield
    finally:  # an error is not written behind the bar of what failed
        report.clear()


@contextmanager
def _sender(context: MigrationContext) -> Iterator[sa.Connection | None]:
    """A session of our own, where the caller's connection is of another driver."""
    connection = _current(context)
    if speaks_psycopg(connection.dialect):
        yield None
        return
    with Beside.of(connection).connect() as session:
        yield session


def _commit(context: MigrationContext, run: Callable[[], None]) -> None:
    """Send steps that are commits of their own, between ordinary revisions."""
    _in_block(context, run)
    if "schema_kit_written" in context.opts:
        context.opts |= {"schema_kit_committed": True, "schema_kit_written": 0}


def _in_block(context: MigrationContext, work: Callable[[], object]) -> None:
    """Work in Alembic's autocommit block; what went wrong in it is not lost when leaving it goes wrong as well."""
    failure: BaseException | None = None
    local = Local(_current(context))
    try:
        with borrowed(_current(context)), context.autocommit_block(), local.kept():
            try:
                work()
            except BaseException as error:
                failure = error
                raise
    except BaseException as error:
        if failure is not None and error is not failure:
            raise failure from failure.__cause__  # the connection is gone: leaving the block found that out, too
        raise
    local.again()


def _current(context: MigrationContext) -> sa.Connection:
    assert context.connection is not None  # only offline has none
    return context.connection


def written(context: MigrationContext) -> int:
    """Return how many rows, those of the system catalogs included, the transaction that is open has written so far."""
    if rows(_current(context), "SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NULL")[0][0]:
        return 0
    changes = (
        "SELECT 1 + coalesce(pg_catalog.sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_xact_all_tables"
    )
    return int(rows(_current(context), changes)[0][0])


def _refuse_after_ordinary_work(context: MigrationContext, operation: PlanOperation) -> None:
    # Only environment.run sets it: elsewhere earlier revisions may share the transaction, and their work with it.
    before = context.opts.get("schema_kit_written")
    if before is not None and written(context) > before:
        raise PlanError(
            f"op.{operation.called} commits on its own, and this revision has done ordinary work before it, which "
            "would be committed half-way and could not be run again. Put the two kinds of operations into two "
            "revisions."
        )


def _write(context: MigrationContext, operation: PlanOperation, decide: Task, settings: Settings) -> None:
    if (why := context.impl.memo.get(followed.UNFOLLOWED)) is not None:
        raise PlanError(
            "--sql cannot know what the revisions before this script have made: one of them cannot be written as a "
            f"script ({why}). Run this one online."
        )
    database = followed.database_of(context, settings.now)
    lines: list[str] = []
    again = True
    while again:
        plan = decide(database)
        for step in plan.steps:
            lines.append(script.remark(step.summary))
            if operation.shared:
                lines += [f"{statement};" for statement in step.sql()]
            else:
                lines += [f"{statement};" for statement in script.render(step, policy_of(settings))]
            database.apply(step)
        again = operation.shared and any(step.decide_again for step in plan.steps)
    if operation.shared:
        context.impl.static_output("\n".join(lines))
    else:
        with context.autocommit_block():
            context.impl.static_output("\n".join(lines) + "\n")
