"""Each run of Alembic's, in every kind of env.py: looked at before it begins, and its script is whole or not written.

Importing it registers that, for PostgreSQL alone.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from schema_kit.catalog.drivers import alike, speaks_psycopg
from schema_kit.errors import PlanError
from schema_kit.ops.followed import UNFOLLOWED
from schema_kit.ops.invoke import said_by_alembic
from schema_kit.ops.mixed import called_by
from schema_kit.ops.operation import OPERATIONS
from schema_kit.ops.versions import only_reads, refuse_without_rights

_run: Any = MigrationContext.run_migrations


def _run_migrations(self: MigrationContext, **kw: Any) -> None:
    if self.dialect.name != "postgresql":
        _run(self, **kw)
    elif self.as_sql:
        _write(self, kw)
    else:
        with said_by_alembic():
            _look(self)
        _run(self, **kw)


MigrationContext.run_migrations = _run_migrations  # type: ignore[method-assign]


def _look(context: MigrationContext) -> None:
    connection = context.connection
    assert connection is not None  # only offline has none
    refuse_without_rights(connection, context.opts)
    if speaks_psycopg(connection.dialect) or only_reads(context.opts):
        return
    try:
        alike(connection.engine)
    except PlanError as error:  # an earlier revision of the run would be committed before the operation says so
        for revision, name in _committing(context):
            raise PlanError(f"revision {revision} calls op.{name}: {error.reason}") from error


def _committing(context: MigrationContext) -> Iterator[tuple[str, str]]:
    """Yield the revisions of the run whose text says that they call an operation that commits on its own, with that."""
    fn: Any = context._migrations_fn
    for step in fn(context.get_current_heads(), context):
        for call in called_by(step.migration_fn):
            if call.name in OPERATIONS and not OPERATIONS[call.name].shared:
                yield step.migration_fn.__globals__.get("revision", "?"), call.name


def _write(context: MigrationContext, kw: dict[str, Any]) -> None:
    """Write the script of a run, whole or not at all; of a range, once what the revisions before it made is known."""
    _follow(context, kw)
    out, script = context.impl.output_buffer, io.StringIO()
    context.impl.output_buffer = script
    try:
        with Operations.context(context):  # following has ended the context of op
            _run(context, **kw)
    finally:
        context.impl.output_buffer = out
    if out is not None:
        out.write(script.getvalue())
        out.flush()


def _follow(context: MigrationContext, kw: dict[str, Any]) -> None:
    environment, start = context.environment_context, context.opts.get("starting_rev")
    if environment is None or not start or start == "base":
        return

    def up_to_it(*_: Any) -> Any:
        return environment.script._upgrade_revs(start, "base")

    opts = {**context.opts, "output_buffer": io.StringIO(), "starting_rev": "base", "fn": up_to_it}
    before = MigrationContext.configure(dialect=context.dialect, environment_context=environment, opts=opts)
    log = logging.getLogger(MigrationContext.__module__)
    log.disabled = True  # "Running upgrade" is what the script's own revisions say
    try:
        with Operations.context(before):
            _run(before, **kw)
    except Exception as error:  # one cannot be a script: it reads the database, say
        context.impl.memo[UNFOLLOWED] = f"{type(error).__name__}: {error}"
        return
    finally:
        log.disabled = False
    if "schema_kit" in before.impl.memo:
        context.impl.memo["schema_kit"] = before.impl.memo["schema_kit"]
