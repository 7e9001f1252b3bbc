"""What commands have in common: their options, the database, and how it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from schema_kit import environment, execute, report, script
from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy, parse_milliseconds
from schema_kit.url import alembic_config, database_url

Command = TypeVar("Command", bound=Callable[..., Any])
Policy = TypeVar("Policy")


def looks(*formats: str) -> Callable[[Command], Command]:
    """The options of a command that looks: tables, --url, --now, --format."""

    def decorate(command: Command) -> Command:
        for option in (
            click.argument("tables", nargs=-1, metavar="[TABLE]..."),
            click.option("--url", help="postgresql://user@host/database"),
            click.option("--now", help="A moment that stands for the server's clock: 2026-11-21."),
            click.option("--format", "form", type=click.Choice(formats), default="text", show_default=True),
        ):
            command = option(command)
        return command

    return decorate


def acts(command: Command) -> Command:
    """The options of a command that changes something: those of one that looks, --dry-run and --lock-timeout."""
    command = click.option("--dry-run", is_flag=True, help="Print the exact SQL and send none of it.")(command)
    command = click.option(
        "--lock-timeout", help="How long a try waits for locks, at most: 5s, or SCHEMA_KIT_LOCK_TIMEOUT."
    )(command)
    command = click.option(
        "--quiet",
        is_flag=True,
        expose_value=False,
        callback=_remember_quiet,
        help="Say what fails, and nothing else: for cron.",
    )(command)
    return looks("text", "json", "sql")(command)


def acts_on_schema(command: Command) -> Command:
    """The options of a command that changes a schema: --schema, --url, --format, --dry-run, --lock-timeout, --quiet."""
    for option in (
        click.option("--schema", default="partman", show_default=True, help="Where the functions live."),
        click.option("--url", help="postgresql://user@host/database"),
        click.option("--format", "form", type=click.Choice(("text", "json", "sql")), default="text", show_default=True),
        click.option("--dry-run", is_flag=True, help="Print the exact SQL and send none of it."),
        click.option("--lock-timeout", help="How long a try waits for locks, at most: 5s, or SCHEMA_KIT_LOCK_TIMEOUT."),
        click.option(
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_remember_quiet,
            help="Say what fails, and nothing else: for cron.",
        ),
    ):
        command = option(command)
    return command


_QUIET = "schema_kit.quiet"


def _remember_quiet(context: click.Context, _: click.Parameter, quiet: bool) -> None:
    context.meta[_QUIET] = quiet


def quiet() -> bool:
    """Whether the command that runs was told to say what fails, and nothing else."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_QUIET))


def lock_policy(lock_timeout: str | None) -> LockPolicy:
    """The policy of the environment, changed by --lock-timeout."""
    policy = script.from_environment(LockPolicy(), os.environ)
    return script.changed(policy, longest=parse_milliseconds(lock_timeout)) if lock_timeout else policy


@contextmanager
def database(url: str | None, now: str | None) -> Iterator[tuple[sa.Connection, Catalog]]:
    """A connection in autocommit, and the catalog as seen from it."""
    moment = environment.parse_now(now)
    with environment.connect(database_url(url, alembic_config()), autocommit=True) as connection:
        try:
            yield connection, Catalog(connection, moment)
        except sa.exc.DBAPIError as error:
            raise execute.not_observed(error) from error


@contextmanager
def telling(form: str) -> Iterator[execute.Emit]:
    """Events as JSON lines or on the terminal; none with --quiet."""
    if quiet():
        yield lambda _: None
        return
    if form == "json":
        yield report.to_json
        return
    with report.terminal() as emit:
        yield emit


def named(
    tables: Sequence[QualifiedName], known: dict[QualifiedName, Policy], where: str, advice: str = ""
) -> list[Policy]:
    """The policies of the tables that were named.

    Args:
        tables: which.
        known: the policies that there are.
        where: the table that they stand in.
        advice: what to do where one is missing.

    Raises:
        PlanError: a table has none.
    """
    if unknown := [str(name) for name in tables if name not in known]:
        there = ", ".join(map(str, known)) or "none"
        raise PlanError(f"{', '.join(unknown)}: no policy in schema_kit.{where} (there: {there}){advice}.")
    return [known[name] for name in tables]
