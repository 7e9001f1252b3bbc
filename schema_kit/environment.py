"""What an env.py needs: a database, one migrator at a time, a transaction for each revision.

from schema_kit import environment
environment.run(target_metadata=metadata)
"""

from __future__ import annotations

import asyncio
import inspect
import io
import logging
import logging.config
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeGuard

import sqlalchemy as sa
from alembic import context
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError

from schema_kit.autogenerate.schemas import of_the_models, several
from schema_kit.autogenerate.switches import Safe, drift_of, safe_of
from schema_kit.catalog.advisory import take
from schema_kit.catalog.direct import refuse
from schema_kit.catalog.drivers import alike
from schema_kit.catalog.session import borrowed, rows
from schema_kit.connection import connect as connect  # env.py may want it, too
from schema_kit.connection import parse_now
from schema_kit.errors import (
    DeclarationError,
    ExecutionError,
    PlanError,
    Refusal,
    SchemaKitError,
    changed,
    saying_unchanged,
)
from schema_kit.interrupts import exits
from schema_kit.lint.guard import ROWS, Guard, Mode
from schema_kit.ops import Settings, written
from schema_kit.ops.invoke import by_command_line, said_by_alembic
from schema_kit.ops.versions import only_reads, refuse_without_rights
from schema_kit.report import refusal_to_alembic
from schema_kit.script import LockPolicy
from schema_kit.stderr import drop_unread
from schema_kit.url import database_url

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK = "schema_kit: one migrator at a time"
_POLL_SECONDS = 0.5


def run(
    target_metadata: sa.MetaData | Sequence[sa.MetaData] | None = None,
    *,
    connection: sa.Connection | None = None,
    lock_policy: LockPolicy | None = None,
    guard: Mode = "warn",
    rows: int = ROWS,
    drift: bool | Collection[str] = True,
    safe: bool | Collection[str] | Safe = True,
    **options: Any,
) -> None:
    """Run the migrations that Alembic was called for; an env.py needs nothing else.

    The database is *connection*, else ``config.attributes["connection"]`` (a Connection, an Engine or an AsyncEngine),
    ``-x url=``, ``DATABASE_URL``, ``sqlalchemy.url`` of alembic.ini, or the embedded server. A ``sqlalchemy.url`` that
    a program has set comes before ``DATABASE_URL``, and is refused if both name a database and differ.
    ``-x now=2026-11-21`` replaces the server's clock. Each revision is a transaction of its own. One migrator at a time
    works on a database; a second one waits and reports it.

    Args:
        target_metadata: the models, for autogenerate; one or several.
        connection: a connection to use instead; nothing was executed on it yet.
        lock_policy: budgets, tries and timeouts; environment variables and ``op.lock_policy`` override it.
        guard: ``"warn"`` before a plain statement is sent that scans, rewrites or blocks a large table, ``"refuse"``
            it, or ``"off"``.
        rows: from how many rows on a table is large, by the catalog's estimate.
        drift: whether autogenerate finds differences that Alembic does not see, or those kinds of
            ``schema_kit.autogenerate.DRIFT`` that it finds.
        safe: whether autogenerate writes operations that keep no session waiting, or those kinds of
            ``schema_kit.autogenerate.SAFE``; ``Safe(rows=10_000)`` leaves smaller tables to Alembic.
        options: other arguments of ``context.configure``.

    Raises:
        CommandError: a SchemaKitError, which is its cause; Alembic prints the message without a traceback.

    Example:
        environment.run(target_metadata=metadata)
    """
    given = connection if connection is not None else context.config.attributes.get("connection")
    if given is None and context.config.file_config.has_section("loggers"):
        assert context.config.config_file_name is not None  # its sections were just seen
        logging.config.fileConfig(context.config.config_file_name, disable_existing_loggers=False)
    try:
        with saying_unchanged(), exits() if by_command_line() else nullcontext():
            settings = Settings(now=parse_now(_x().get("now")), policy=lock_policy or LockPolicy())
            compared = {"schema_kit": settings, "schema_kit_drift": drift, "schema_kit_safe": safe}
            drift_of(compared), safe_of(compared)
            _run(target_metadata, given, Guard(guard, rows), {**compared, **options})
    except SchemaKitError as error:
        if not isinstance(error, CommandError):  # an operation has said it already
            refusal_to_alembic(str(error))
        raise CommandError(str(error)) from error
    finally:
        drop_unread()


def _x() -> dict[str, str]:
    return context.get_x_argument(as_dictionary=True)


def _run(
    target_metadata: sa.MetaData | Sequence[sa.MetaData] | None,
    given: object,
    guard: Guard,
    options: dict[str, Any],
) -> None:
    options = {
        "target_metadata": target_metadata,
        "include_schemas": True,
        "include_name": of_the_models(several(target_metadata), options),
        "transaction_per_migration": True,
        **{name: value for name, value in options.items() if name != "include_name"},
    }
    if context.is_offline_mode():
        _write(options)
        return
    if _is_async(given):
        _in_a_loop(given, lambda connection: _migrate(connection, guard, options))
        return
    with _connected(given) as connection:
        _migrate(connection, guard, options)


def _is_async(given: object) -> TypeGuard[AsyncEngine]:
    module = sys.modules.get("sqlalchemy.ext.asyncio")  # who has one has imported it; it needs greenlet
    return module is not None and isinstance(given, module.AsyncEngine)


def _in_a_loop(engine: AsyncEngine, work: Callable[[sa.Connection], None]) -> None:
    """Work on a connection of an AsyncEngine's, in an event loop that ends with it."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        raise PlanError(
            'config.attributes["connection"] is an AsyncEngine, and an event loop is running: this call cannot wait in '
            "it. Hand over a Connection: await connection.run_sync(...)."
        )

    async def main() -> None:
        async with engine.connect() as connection:
            try:
                await connection.run_sync(work)
            finally:
                await connection.invalidate()  # in the pool, it would be of a loop that has ended

    asyncio.run(main())


def _write(options: dict[str, Any]) -> None:
    """Write a script, all of it or nothing."""
    out = options.get("output_buffer") or context.config.output_buffer or sys.stdout
    script = io.StringIO()
    # named: with psycopg's own paramstyle, each % of the user's statements would be doubled
    dialect = {"dialect_name": "postgresql", "literal_binds": True, "dialect_opts": {"paramstyle": "named"}}
    context.configure(**{**dialect, **options, "output_buffer": script})
    with context.begin_transaction():
        context.run_migrations()
    if out is None:  # closed
        return
    try:
        out.write(script.getvalue())
        out.flush()
    except UnicodeEncodeError:  # an escaped name would be another one
        out.flush()
        out.buffer.write(script.getvalue().encode())
    except BrokenPipeError:  # its reader has gone
        pass
    except OSError as error:
        raise DeclarationError(f"the script cannot be written: {error.strerror}.") from error


def _connected(given: object) -> AbstractContextManager[sa.Connection]:
    if isinstance(given, sa.Connection):
        return _lent(given)
    if isinstance(given, sa.Engine):
        return given.connect()
    if given is not None:
        raise DeclarationError(
            f'config.attributes["connection"] is of the type {type(given).__name__}. Hand over a '
            "Connection, an Engine or an AsyncEngine (of an AsyncConnection: await connection.run_sync(...))."
        )
    return connect(database_url(_x().get("url"), context.config))


@contextmanager
def _lent(connection: sa.Connection) -> Iterator[sa.Connection]:
    with borrowed(connection):
        yield connection


def _migrate(connection: sa.Connection, guard: Guard, options: dict[str, Any]) -> None:
    if connection.in_transaction():
        raise PlanError(
            "something was executed on the connection before context.configure(): Alembic would take its transaction "
            "for its caller's, run everything, say OK and roll all of it back. commit() the connection first."
        )
    context.configure(connection=connection, **options)
    given = context.get_context().opts
    refuse_without_rights(connection, given)  # now, and not after waiting for another migrator
    connection.rollback()
    if only_reads(given):
        with context.begin_transaction():
            context.run_migrations()
        return
    with one_migrator(connection.engine) as check:
        fn = inspect.unwrap(given["fn"])  # Alembic keeps what the run before this one, of the same env.py, has set
        context.configure(connection=connection, **{**options, "fn": _guarded(fn, check)})
        with guard.over(connection), context.begin_transaction():
            context.run_migrations()
        connection.commit()  # of what follows a commit() within a revision, its stamp included


def _guarded(fn: Callable[..., Iterable[Any]], check: Callable[[], None]) -> Callable[..., Iterator[Any]]:
    """Alembic's work function, with a look before and after each revision."""

    @wraps(fn)
    def steps(heads: Any, migration: MigrationContext) -> Iterator[Any]:
        for step in fn(heads, migration):
            step.migration_fn = _looked_after(step.migration_fn, migration, check)
            yield step
            if migration.opts.get("transaction_per_migration"):
                changed("a revision")

    return steps


def _looked_after(
    migration_fn: Callable[..., None], migration: MigrationContext, check: Callable[[], None]
) -> Callable[..., None]:
    @wraps(migration_fn)  # its name is how Alembic says what runs: upgrade, downgrade, stamp
    def revise(**kw: Any) -> None:
        check()
        # Before the very first revision, Alembic itself has made its version table in the same transaction.
        migration.opts |= {"schema_kit_committed": False, "schema_kit_written": written(migration)}
        try:
            with saying_unchanged():
                migration_fn(**kw)
        except Refusal as error:
            if error.unchanged:
                raise
            raise ExecutionError(
                f"{error.reason}\nThe operations before it in this revision are committed, and the revision is not "
                "stamped. When that is repaired, run it again: it resumes there."
            ) from error
        if migration.opts["schema_kit_committed"] and written(migration):
            raise ExecutionError(
                "this revision has done ordinary work after operations that commit on their own. They are committed, "
                "the ordinary work is rolled back and the revision is not stamped; put the two kinds into two "
                "revisions and run again."
            )

    return revise


@contextmanager
def one_migrator(engine: sa.Engine) -> Iterator[Callable[[], None]]:
    """Hold an advisory lock on a separate connection, so that one migrator at a time works on a database.

    The client polls for the lock: a session that waits inside pg_advisory_lock() holds a snapshot, and a concurrent
    index build would wait for it. A pooler that lends a session for each transaction would lose it, and is refused.

    Args:
        engine: the engine of the migration.

    Yields:
        A function that raises ExecutionError if the lock was lost with its connection.

    Raises:
        PlanError: this is a standby, or a pooler is between.

    Example:
        with environment.one_migrator(engine), engine.connect() as connection:
            context.configure(connection=connection)
    """
    with said_by_alembic():
        own = alike(engine)
    with own.connect() as connection:
        with said_by_alembic():
            refuse(connection, "migrate")
        # No idle timeout may take the connection away while a long build runs on the other one.
        for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout"):
            rows(connection, f"SELECT pg_catalog.set_config('{setting}', '0', false)")
        said = False
        while not take(connection, _LOCK):
            if not said:
                logging.getLogger("schema_kit").warning("another migration is running on this database; waiting for it")
            said = True
            time.sleep(_POLL_SECONDS)

        def check() -> None:
            try:
                rows(connection, "SELECT 1")
            except sa.exc.DBAPIError as error:
                raise ExecutionError(
                    "the connection that keeps other migrators out was lost, so this one stopped before the next "
                    "revision. The revisions before it are committed; run again."
                ) from error

        try:
            yield check
        finally:
            connection.invalidate()  # the lock goes with the session
