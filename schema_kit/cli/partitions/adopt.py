"""``schema_kit partitions adopt``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import create_next
from schema_kit.cli.work import Job, fail, work
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.policies import missing_config
from schema_kit.plans import adoption
from schema_kit.plans.adoption import Reading
from schema_kit.plans.policies import changed, partitioned_already
from schema_kit.steps import Plan
from schema_kit.steps.partman import StartMaintenance


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    given: Mapping[str, Any]
    take_over: bool
    leave_irregular: bool


@click.command("adopt")
@acts
@click.option("--all", "everything", is_flag=True, help="Each set that has no policy yet.")
@click.option("--control", help="The column that decides.")
@click.option("--interval", help="Instead of what the bounds tell: 1 month, 7 days, 15 minutes, 100000.")
@click.option("--timezone", help="Instead of the database's, the session's or UTC: an IANA name.")
@click.option("--origin", help="Where some window begins, on that clock or among the ids.")
@click.option("--encoding", help="How the column holds a moment: seconds, milliseconds, uuidv7, ulid, snowflake.")
@click.option("--premake", type=click.IntRange(1), help="Partitions to keep ahead.")
@click.option("--take-over", is_flag=True, help="Turn pg_partman's own maintenance of the set off.")
@click.option("--leave-irregular", is_flag=True, help="Let past partitions be that lie on no grid.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    everything: bool,
    take_over: bool,
    leave_irregular: bool,
    **given: Any,
) -> None:
    """Take over sets that were made by hand, by pg_partman, pgslice, Citus, django-postgres-extra, or anybody.

    The policy is read off the bounds of the partitions, whatever their names, and registered in part_config; what
    other tools have written down is held against them. It says what it found and why, and what create-next would do
    next. No partition is touched.

    Example: schema_kit partitions adopt public.events --dry-run
    """
    wish = Wish({name: value for name, value in given.items() if value is not None}, take_over, leave_irregular)
    with database(url, now) as (connection, catalog):
        found = _wanted(catalog, tables, everything)
        sets, failed = [], list[SchemaKitError]()
        for parent, control in found:
            one = Partitioning(parent, wish.given.get("control", control), "")
            try:
                _tell(catalog, one, wish, form)
                sets.append(one)
            except SchemaKitError as error:
                failed.append(error)
        if sets or not failed:
            job = Job("adopt sets", partial(_decide, wish=wish))
            work(
                "adopt sets",
                [job],
                [(one, None) for one in sets],
                connection,
                catalog,
                lock_policy(lock_timeout),
                form,
                dry_run,
            )
        fail(failed, sets)


def _wanted(catalog: Catalog, tables: tuple[str, ...], everything: bool) -> list[tuple[QualifiedName, str]]:
    known = {policy.parent for policy in catalog.policies()}
    if tables:
        names = [catalog.relation(table) for table in tables]
        found = [row for row in catalog.partitioned(names) if row[0] in names]  # dots are no part of a text's structure
        if missing := [name for name in names if name not in {row[0] for row in found}]:
            for name in missing:
                partitioned_already(Partitioning(name, "", ""), catalog.table(name))
        return found
    found = [row for row in catalog.partitioned() if row[0] not in known]
    if not everything:
        there = ", ".join(str(row[0]) for row in found) or "none"
        raise click.UsageError(f"name the tables, or say --all. Sets without a policy: {there}.")
    return found


def _reading(catalog: Catalog, one: Partitioning, wish: Wish) -> Reading:
    registered = catalog.policy(one.parent)
    if registered and wish.take_over:
        for hint in catalog.told(one.parent):
            if hint.maintained and hint.config:
                registered = adoption.as_told(registered, hint.policy)
    if registered:
        return Reading(changed(one.parent, registered, wish.given), ("it is registered already",))
    tables = [partitioned_already(each, table) for each, table in catalog.sets((one,))]
    told = catalog.told(one.parent)
    return adoption.read_bounds(one.parent, one.control, tables, wish.given, told, catalog.time_zones())


def _decide(catalog: Catalog, one: Partitioning, wish: Wish) -> Plan:
    reading = _reading(catalog, one, wish)
    sets = [
        (each, partitioned_already(each, table), catalog.here(each, table))
        for each, table in catalog.sets((reading.policy,))
    ]
    plan = adoption.adopt(
        reading,
        catalog.policy(one.parent),
        sets,
        missing_config(catalog),
        catalog.lacking(register=True),
        catalog.told(one.parent),
        take_over=wish.take_over,
        leave_irregular=wish.leave_irregular,
    )
    off = wish.take_over and catalog.policy_row(one.parent).get("automatic_maintenance") == "off"
    return replace(plan, steps=(*plan.steps, StartMaintenance(one.parent))) if off else plan


def _tell(catalog: Catalog, one: Partitioning, wish: Wish, form: str) -> None:
    """What was found, why, and what comes next: talk, so it goes to stderr."""
    _decide(catalog, one, wish)
    reading = _reading(catalog, one, wish)
    because = [*reading.because, *_apart(reading), *_beside(catalog, one, wish)]
    upcoming = _next(catalog, reading.policy)
    if form == "json":
        policy = {**asdict(reading.policy), "parent": str(one.parent)}
        line = {"event": "Read", "policy": policy, "because": because, "next": upcoming}
        click.echo(json.dumps(line), err=True)
        return
    click.echo(f"{one.parent}  by {one.control}", err=True)
    for reason in because:
        click.echo(f"  {reason}", err=True)
    for step in upcoming or ["nothing is missing"]:
        click.echo(f"  next: {step}", err=True)


def _apart(reading: Reading) -> list[str]:
    return [f"{partition.name} lies on no grid, and is let be" for partition in reading.irregular]


def _beside(catalog: Catalog, one: Partitioning, wish: Wish) -> list[str]:
    """Two that maintain one set would make its partitions twice."""
    on = [hint for hint in catalog.told(one.parent) if hint.maintained and hint.config]
    if wish.take_over:
        return [f"{hint.config}: its maintenance goes off" for hint in on]
    return [f"{hint.config}: its maintenance is on, too; --take-over turns it off" for hint in on]


def _next(catalog: Catalog, policy: Partitioning) -> list[str]:
    """What create-next would do."""
    steps: list[str] = []
    for each, _ in catalog.sets((policy,)):
        try:
            steps += [step.summary for step in create_next.decide(catalog, each).steps]
        except PlanError as error:
            steps.append(f"create-next refuses {each.parent}: {error}")
    return steps
