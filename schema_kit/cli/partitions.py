"""``schema_kit partitions``: keep sets ahead of the clock, and look at them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
import sqlalchemy as sa

from schema_kit import environment, execute, report, script
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError, PlanError, SchemaKitError
from schema_kit.model import Partition, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import partitions as plans
from schema_kit.script import LockPolicy, parse_milliseconds
from schema_kit.steps import Plan, Step

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def partitions() -> None:
    """Partitioned sets: keep them ahead of the clock, look at them.

    The database is --url, else DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit partitions list
    """


def _common(formats: Sequence[str]) -> Callable[[Command], Command]:
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


@partitions.command("create-next")
@_common(["text", "json", "sql"])
@click.option("--dry-run", is_flag=True, help="Print the exact SQL and send none of it.")
@click.option("--lock-timeout", help="How long a try waits for locks, at most: 5s, or SCHEMA_KIT_LOCK_TIMEOUT.")
def create_next(
    tables: tuple[str, ...], url: str | None, now: str | None, form: str, dry_run: bool, lock_timeout: str | None
) -> None:
    """Make the current partition and the premade ones ahead of it, where they are missing.

    Without TABLE: every set that part_config holds. Run it from cron as often as you like: it makes what is missing,
    and says when there is nothing to do. Writers go on meanwhile.

    Example: schema_kit partitions create-next line_support.conversation --dry-run
    """
    policy = script.from_environment(LockPolicy(), os.environ)
    if lock_timeout:
        policy = script.changed(policy, longest=parse_milliseconds(lock_timeout))
    with _database(url, now) as (connection, catalog):
        wanted = _policies(catalog, tables)
        if dry_run:
            plan = _plan(catalog, wanted)
            _show(plan, "sql" if form == "text" else form, policy)
            return
        done: list[Step] = []
        failed: list[SchemaKitError] = []
        with _telling(form) as emit:
            for one in wanted:
                try:
                    execute.run(connection, partial(_plan, catalog, [one]), policy, _both(emit, done))
                except SchemaKitError as error:  # one broken set does not stop the others
                    failed.append(error)
        if done or not failed:
            _show(Plan("create next partitions", tuple(done)), form, policy)
    if failed:
        _fail(failed, done)


def _both(emit: execute.Emit, done: list[Step]) -> execute.Emit:
    """Tell what happens, and keep what is committed."""

    def tell(event: execute.Event) -> None:
        if isinstance(event, execute.StepDone):
            done.append(event.step)
        emit(event)

    return tell


def _fail(failed: Sequence[SchemaKitError], done: Sequence[Step]) -> None:
    if len(failed) == 1 and not done:
        raise failed[0]
    for error in failed:
        click.echo(f"error: {error}", err=True)
    raise ExecutionError(f"{len(failed)} of the sets could not be looked after; the others were.")


@partitions.command("list")
@_common(["text", "json"])
def list_(tables: tuple[str, ...], url: str | None, now: str | None, form: str) -> None:
    """Show sets with their partitions: bounds in the set's time zone, rows estimated, size, what is premade.

    Example: schema_kit partitions list rag_chat.messages
    """
    with _database(url, now) as (_, catalog):
        sets = [(policy, catalog.table(policy.parent)) for policy in _policies(catalog, tables)]
        moment = catalog.now()
    failed: list[SchemaKitError] = []
    shown: list[dict[str, Any]] = []
    for policy, table in sets:
        try:
            shown.append(_set_as_json(policy, table, moment))
            if form == "text":
                _print_set(policy, table, moment)
        except SchemaKitError as error:  # one whose control column is gone does not hide the others
            failed.append(error)
    if form == "json":
        click.echo(json.dumps({"sets": shown}, indent=2, ensure_ascii=False))
    if failed:
        _fail(failed, ())
    if not sets:
        click.echo("no partitioned sets are registered", err=True)


@contextmanager
def _database(url: str | None, now: str | None) -> Iterator[tuple[sa.Connection, Catalog]]:
    moment = environment.parse_now(now)
    with environment.connect(
        environment.database_url(url, environment.configured_url()), autocommit=True
    ) as connection:
        try:
            yield connection, Catalog(connection, moment)
        except sa.exc.DBAPIError as error:
            raise execute.not_observed(error) from error


@contextmanager
def _telling(form: str) -> Iterator[execute.Emit]:
    if form == "json":
        yield report.to_json
        return
    with report.terminal() as emit:
        yield emit


def _policies(catalog: Catalog, tables: Sequence[str]) -> list[Partitioning]:
    known = {policy.parent: policy for policy in catalog.policies()}
    if not tables:
        return list(known.values())
    names = [QualifiedName.parse(table) for table in tables]
    if unknown := [str(name) for name in names if name not in known]:
        there = ", ".join(map(str, known)) or "none"
        raise PlanError(
            f"{', '.join(unknown)}: no policy in schema_kit.part_config (there: {there}). Nothing was changed."
        )
    return [known[name] for name in names]


def _plan(catalog: Catalog, policies: Sequence[Partitioning]) -> Plan:
    plan = Plan("create next partitions")
    for policy in policies:
        table = catalog.table(policy.parent)
        default, strays = catalog.filled_default(table), catalog.strays(policy, table)
        plan += plans.create_next(policy, table, catalog.now(), default, strays)
    return plan


def _show(plan: Plan, form: str, policy: LockPolicy) -> None:
    if form == "json":
        steps = [
            {
                "summary": step.summary,
                "locks": [{"mode": lock.mode.value, "table": str(lock.table)} for lock in step.locks],
                "sql": list(script.render(step, policy)),
            }
            for step in plan.steps
        ]
        click.echo(json.dumps({"steps": steps}, indent=2, ensure_ascii=False))
    elif not plan:
        click.echo("nothing to do", err=True)
    elif form == "sql":
        click.echo(script.write(plan, policy))
    else:
        for step in plan.steps:
            click.echo(step.summary)


def _bounds(partition: Partition, policy: Partitioning, table: Table) -> tuple[str, str]:
    if partition.default:
        return "DEFAULT", ""
    taken = plans.range_of(partition, plans.codec(policy, table))

    def local(moment: datetime | None, unbounded: str) -> str:
        return (
            unbounded
            if moment is None
            else moment.astimezone(ZoneInfo(policy.timezone)).strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")
        )

    return local(taken.lower, "MINVALUE"), local(taken.upper, "MAXVALUE")


def _state(partition: Partition, policy: Partitioning, table: Table, now: datetime) -> str:
    if partition.default:
        return "default"
    taken = plans.range_of(partition, plans.codec(policy, table))
    if taken.lower is not None and taken.lower > now:
        return "premade"
    return "past" if taken.upper is not None and taken.upper <= now else "current"


def _set_as_json(policy: Partitioning, observed: Table | None, now: datetime) -> dict[str, Any]:
    return {
        "parent": str(policy.parent),
        "control": policy.control,
        "interval": policy.interval,
        "timezone": policy.timezone,
        "premake": policy.premake,
        "partitions": [
            {
                "name": str(partition.name),
                "from": _bounds(partition, policy, table)[0],
                "to": _bounds(partition, policy, table)[1],
                "rows": partition.rows if partition.rows >= 0 else None,
                "bytes": partition.bytes,
                "state": _state(partition, policy, table, now),
            }
            for table in [observed]
            if table
            for partition in table.partitions
        ],
    }


def _print_set(policy: Partitioning, table: Table | None, now: datetime) -> None:
    kept = f"every {policy.interval}, {policy.timezone}, premake {policy.premake}"
    click.echo(f"{policy.parent}  by {policy.control}, {kept}")
    if table is None:
        click.echo("  there is no such table\n")
        return
    lines = [("partition", "from", "to", "rows (est.)", "size", "state")]
    for partition in table.partitions:
        count = f"{partition.rows:,}" if partition.rows >= 0 else "not analyzed"
        state, bounds = _state(partition, policy, table, now), _bounds(partition, policy, table)
        lines.append((partition.name.name, *bounds, count, _size(partition.bytes), state))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    click.echo()


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB"
