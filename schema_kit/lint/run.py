"""One revision, run by the project's own env.py on a scratch database, and watched."""

from __future__ import annotations

import copy
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import wraps
from typing import Any
from unittest import mock

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from schema_kit.app_context import app_context
from schema_kit.catalog.drivers import Beside, speaks_psycopg
from schema_kit.lint.facts import Columns
from schema_kit.lint.fence import Fence, fenced
from schema_kit.lint.watch import Watch


@dataclass
class Ran:
    """How a run of Alembic went.

    Args:
        error: what it ended with.
        inside: the error came out of the revision, not out of env.py.
        refused: what was wanted from outside of the scratch database.
        notes: what env.py was given instead of what it names.
        models: the columns of the models.
    """

    error: BaseException | None = None
    inside: bool = False
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    models: Columns = field(default_factory=Columns)


def bring(config: Config, url: sa.URL, revision: str) -> Ran:
    """Bring a database up to a revision, which is not watched."""
    return _run(config, url, lambda ours, _: command.upgrade(ours, revision), None)


def stamp(config: Config, url: sa.URL, revisions: Sequence[str]) -> Ran:
    """Say that a database is at these revisions."""
    return _run(config, url, lambda ours, _: command.stamp(ours, list(revisions)), None)


def upgrade(config: Config, script: ScriptDirectory, url: sa.URL, revision: str, watch: Watch | None = None) -> Ran:
    """Run the upgrade of one revision, on a database that has all that it rests on."""
    return _one(config, script, url, revision, RevisionStep.upgrade_from_script, watch)


class Together(Exception):
    """An env.py that cannot run several revisions one after the other, each in a transaction of its own."""


def upgrade_all(
    config: Config,
    script: ScriptDirectory,
    url: sa.URL,
    revisions: Sequence[str],
    watch: Watch,
    around: Callable[[str, Ran], AbstractContextManager[None]],
) -> Ran:
    """Run the upgrades of several revisions, one after the other, by one run of env.py.

    Args:
        config: the project.
        script: its revisions.
        url: a database that has all that they rest on.
        revisions: which, in an order in which they can run.
        watch: what looks at each.
        around: a block around each of them, with how it goes; it is left once the revision is committed.
    """
    calls = list[Any]()

    def run(ours: Config, ran: Ran) -> None:
        def steps(_: Any, context: MigrationContext) -> Iterator[RevisionStep]:
            calls.append(context)
            if len(calls) > 1:
                raise Together("env.py runs the migrations more than once")
            for name in revisions:
                with around(name, ran):
                    yield RevisionStep.upgrade_from_script(script.revision_map, script.get_revision(name))
                    if context.connection is None or context.connection.in_transaction():
                        raise Together("a transaction stays open between two revisions")

        with EnvironmentContext(ours, script, fn=steps, destination_rev=revisions[-1]):
            script.run_env()

    return _run(config, url, run, watch, apart=True)


def downgrade(config: Config, script: ScriptDirectory, url: sa.URL, revision: str, watch: Watch | None = None) -> Ran:
    """Run the downgrade of one revision, which is a head of the database."""
    return _one(config, script, url, revision, RevisionStep.downgrade_from_script, watch)


def forward(config: Config, script: ScriptDirectory, url: sa.URL, revision: str) -> Ran:
    """Say that a revision exists again, whose downgrade has changed nothing."""

    def step(*_: Any) -> Any:
        found = RevisionStep.upgrade_from_script(*_)
        found.migration_fn = lambda **_: None
        return found

    return _one(config, script, url, revision, step, None)


def _one(
    config: Config, script: ScriptDirectory, url: sa.URL, revision: str, step: Callable[..., Any], watch: Watch | None
) -> Ran:
    def run(ours: Config, _: Ran) -> None:
        def steps(*_: Any) -> list[Any]:
            return [step(script.revision_map, script.get_revision(revision))]

        with EnvironmentContext(ours, script, fn=steps, destination_rev=revision):
            script.run_env()

    return _run(config, url, run, watch)


def _run(
    config: Config, url: sa.URL, run: Callable[[Config, Ran], None], watch: Watch | None, *, apart: bool = False
) -> Ran:
    ran = Ran()
    with ExitStack() as stack:
        fence = stack.enter_context(fenced(Fence(url)))
        ours = stack.enter_context(_pointed(config, url))
        stack.enter_context(_quietly())
        stack.enter_context(
            mock.patch.object(EnvironmentContext, "configure", _configure(ran, fence, watch, stack, apart))
        )
        stack.enter_context(mock.patch.object(RevisionStep, "__init__", _step(ran, fence, watch)))
        try:
            run(stack.enter_context(app_context(ours)), ran)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit of an env.py, too
            ran.error = error
    ran.refused, ran.notes = tuple(fence.refused), tuple(fence.notes)
    return ran


@contextmanager
def _pointed(config: Config, url: sa.URL) -> Iterator[Config]:
    """The project's configuration with the scratch database in it; the caller's stays as it was."""
    ours = copy.copy(config)
    ours.__dict__["file_config"] = copy.deepcopy(config.file_config)
    ours.attributes = dict(config.attributes)
    ours.stdout = io.StringIO()
    text = url.render_as_string(hide_password=False)
    ours.set_main_option("sqlalchemy.url", text.replace("%", "%%"))
    given = ours.attributes.pop("connection", None)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    if isinstance(given, sa.Engine):
        ours.attributes["connection"] = engine
    if isinstance(given, sa.Connection):
        with engine.connect() as connection:
            ours.attributes["connection"] = connection
            yield ours
        return
    yield ours


@contextmanager
def _quietly() -> Iterator[None]:
    before = logging.root.manager.disable
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(before)


def _configure(ran: Ran, fence: Fence, watch: Watch | None, stack: ExitStack, apart: bool) -> Callable[..., None]:
    original = EnvironmentContext.configure
    known = dict[int, sa.Connection]()

    @wraps(original)
    def configure(self: EnvironmentContext, connection: sa.Connection | None = None, *args: Any, **kw: Any) -> None:
        if connection is not None:
            if id(connection) not in known:
                known[id(connection)] = _watched(connection, fence, watch, stack)
            connection = known[id(connection)]
        if (models := kw.get("target_metadata")) is not None:
            ran.models = _columns(models)
        if watch and kw.get("version_table"):
            watch.version_table = kw["version_table"]
        if apart:
            kw["transaction_per_migration"] = True
        original(self, connection, *args, **kw)

    return configure


def _watched(connection: sa.Connection, fence: Fence, watch: Watch | None, stack: ExitStack) -> sa.Connection:
    """Return the connection that env.py hands over; one of psycopg that is like it, where it is another driver's."""
    _refuse_elsewhere(connection, fence)
    is_async = connection.dialect.is_async
    stack.callback(connection.engine.dispose, close=not is_async)  # a pool that outlives env.py would hand it out again
    if not speaks_psycopg(connection.dialect):
        like = Beside.of(connection)
        options = {
            name: value
            for name, value in connection.get_execution_options().items()
            if name not in ("isolation_level", "autocommit")
        }
        engine = sa.create_engine(fence.url, poolclass=sa.NullPool, connect_args={"prepare_threshold": None})
        connection = stack.enter_context(engine.connect())
        for name, value in like.settings:
            connection.execute(sa.text("SELECT set_config(:name, :value, false)"), {"name": name, "value": value})
        if like.role != "none":
            connection.execute(sa.text("SELECT set_config('role', :role, false)"), {"role": like.role})
        connection.commit()
        connection = connection.execution_options(**options)
    driver: Any = connection.connection.dbapi_connection
    if isinstance(driver, psycopg.Connection):
        (watch or Watch()).attach(driver)
    return connection


def _refuse_elsewhere(connection: sa.Connection, fence: Fence) -> None:
    begun = connection.in_transaction()
    found = connection.scalar(sa.text("SELECT current_database()"))
    if not begun:
        connection.rollback()
    if found != fence.url.database:
        fence.refuse(f"env.py hands over a connection that was opened before, to the database {found}")


def _step(ran: Ran, fence: Fence, watch: Watch | None) -> Callable[..., None]:
    original = RevisionStep.__init__

    def init(self: RevisionStep, revision_map: Any, revision: Any, is_upgrade: bool) -> None:
        original(self, revision_map, revision, is_upgrade)
        if watch is None:
            return
        function: Callable[..., Any] = self.migration_fn

        @wraps(function)
        def watched(**kw: Any) -> None:
            fence.inside = True
            try:
                with watch.during(revision.path):
                    function(**kw)
            except BaseException:
                ran.inside = True
                raise
            finally:
                fence.inside = False

        self.migration_fn = watched

    return init


def _columns(given: sa.MetaData | Sequence[sa.MetaData]) -> Columns:
    several = [given] if isinstance(given, sa.MetaData) else given
    return Columns(
        {
            (table.schema or "public", table.name): frozenset(column.name for column in table.columns)
            for metadata in several
            for table in metadata.tables.values()
        }
    )
