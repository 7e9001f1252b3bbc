"""One call of a command: the options that commands have in common, its connection, its questions."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import click
import sqlalchemy as sa

from schema_kit import execute, report, script
from schema_kit.catalog import Catalog, direct
from schema_kit.cli.confirm import confirm
from schema_kit.cli.policies import Policy, policies
from schema_kit.connection import connect, parse_now
from schema_kit.errors import SchemaKitError
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy, parse_milliseconds
from schema_kit.steps import Plan
from schema_kit.url import alembic_config, database_url

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


@dataclass
class Run:
    """One call of a command, with the options that it was given. It connects when its catalog is first asked for.

    Args:
        tables: as they were named.
        url: the database; None for the one of the environment.
        now: a moment that stands for the server's clock.
        form: text, json, sql or metrics.
        dry_run: print the exact SQL and send none of it.
        lock_timeout: how long a try waits for locks, at most.
        yes: ask nothing.
        acts: it changes the database, unless it is a dry run: it has to reach a session of the primary.
        unreadable: rows that should be policies and are none; reported with what else went wrong.
    """

    tables: tuple[str, ...] = ()
    url: str | None = None
    now: str | None = None
    form: str = "text"
    dry_run: bool = False
    lock_timeout: str | None = None
    yes: bool = False
    acts: bool = False
    unreadable: list[SchemaKitError] = field(default_factory=list)
    _opened: ExitStack = field(default_factory=ExitStack)

    @functools.cached_property
    def _database(self) -> tuple[sa.Connection, Catalog]:
        connection, catalog = self._opened.enter_context(database(self.url, self.now))
        if self.acts and not self.dry_run:
            context = click.get_current_context()
            called = context.command_path.removeprefix(context.find_root().info_name or "")
            direct.refuse(connection, f"run schema_kit{called}")
        return connection, catalog

    @property
    def connection(self) -> sa.Connection:
        """In autocommit."""
        return self._database[0]

    @property
    def catalog(self) -> Catalog:
        """What is seen from it."""
        return self._database[1]

    @functools.cached_property
    def policy(self) -> LockPolicy:
        """The lock policy of the environment, changed by --lock-timeout."""
        policy = script.from_environment(LockPolicy(), os.environ)
        longest = self.lock_timeout
        return script.changed(policy, longest=parse_milliseconds(longest)) if longest else policy

    def names(self) -> list[QualifiedName]:
        """Return the tables that were named."""
        return [self.catalog.relation(table) for table in self.tables]

    def policies(self, kind: type[Policy]) -> list[Policy]:
        """Return the policies of the tables that were named, or all; rows that are none go to `unreadable`."""
        return policies(self.catalog, kind, self.tables, lambda _, error: self.unreadable.append(error))

    @contextmanager
    def telling(self) -> Iterator[execute.Emit]:
        """Events as JSON lines or on the terminal; none with --quiet."""
        if quiet():
            yield lambda _: None
        elif self.form == "json":
            yield report.to_json
        else:
            with report.terminal() as emit:
                yield emit

    def observed(self, decide: execute.Decide) -> Plan:
        """Decide before the command sends anything: what it asks depends on that, or a dry run shows it."""
        with self.telling() as emit:
            return execute.observed(self.connection, decide, self.policy, emit)

    def confirm(self, what: str) -> None:
        """Ask before something is dropped for good: see `confirm`."""
        confirm(what, self.yes or self.dry_run)


@contextmanager
def database(url: str | None, now: str | None) -> Iterator[tuple[sa.Connection, Catalog]]:
    """A connection in autocommit, and the catalog as seen from it."""
    moment = parse_now(now)
    with connect(database_url(url, alembic_config()), autocommit=True) as connection:
        try:
            yield connection, Catalog(connection, moment)
        except sa.exc.DBAPIError as error:
            raise execute.not_observed(error, connection) from error


def options(*each: Decorator) -> Decorator:
    """Give a command several options; the last of them comes first in its help."""

    def decorate(command: Command) -> Command:
        for one in each:
            command = one(command)
        return command

    return decorate


def runs(*wanted: Decorator) -> Decorator:
    """Give a command some of the options below; it is called with a `Run` that has them."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(*args: Any, **given: Any) -> Any:
            own = {one.name: given.pop(one.name) for one in fields(Run) if one.name in given}
            with ExitStack() as opened:
                run = Run(**own, acts="lock_timeout" in own, _opened=opened)
                if "lock_timeout" in own:
                    _ = run.policy  # one that makes no sense is refused first
                return command(*args, run, **given)

        return options(*wanted)(wrapped)

    return decorate


def formats(*names: str) -> Decorator:
    """Return how a command talks."""
    return click.option("--format", "form", type=click.Choice(names), default="text", show_default=True)


def _remember_quiet(context: click.Context, _: click.Parameter, quiet: bool) -> None:
    context.meta[_QUIET] = quiet


TABLES = click.argument("tables", nargs=-1, metavar="[TABLE]...")
URL = click.option("--url", help="postgresql://user@host/database")
NOW = click.option("--now", help="A moment that stands for the server's clock: 2026-11-21.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Print the exact SQL and send none of it.")
LOCK_TIMEOUT = click.option(
    "--lock-timeout", help="How long a try waits for locks, at most: 5s, or SCHEMA_KIT_LOCK_TIMEOUT."
)
QUIET = click.option(
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_remember_quiet,
    help="Say what fails, and nothing else: for cron.",
)
YES = click.option("--yes", is_flag=True, help="Do not ask.")
SCHEMA = click.option("--schema", default="partman", show_default=True, help="Where the functions live.")


def looks(*names: str) -> Decorator:
    """Return a command that looks at tables."""
    return runs(TABLES, URL, NOW, formats(*names))


def acts(command: Command) -> Command:
    """Return a command that changes tables."""
    return runs(DRY_RUN, LOCK_TIMEOUT, QUIET, TABLES, URL, NOW, formats("text", "json", "sql"))(command)


def acts_on_schema(command: Command) -> Command:
    """Return a command that changes pg_partman's functions in a schema."""
    return runs(SCHEMA, URL, formats("text", "json", "sql"), DRY_RUN, LOCK_TIMEOUT, QUIET)(command)


_QUIET = "schema_kit.quiet"


def quiet() -> bool:
    """Return whether the command that runs says only what fails."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_QUIET))
