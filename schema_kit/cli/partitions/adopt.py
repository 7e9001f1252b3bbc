"""``schema_kit partitions adopt``."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, fail, work
from schema_kit.cli.run import Run, acts
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.keys import ENCODINGS
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans.adoption import Reading
from schema_kit.plans.policies import partitioned_already
from schema_kit.tasks import partitions, policies


@click.command("adopt")
@acts
@click.option("--all", "everything", is_flag=True, help="Each partitioned table without a policy.")
@click.option("--control", help="The column that decides.")
@click.option("--interval", help="Instead of what the bounds tell: 1 month, 7 days, 15 minutes, 100000.")
@click.option("--timezone", help="Instead of the database's, the session's or UTC: an IANA name.")
@click.option("--origin", help="Where some window begins, on that clock or among the ids.")
@click.option("--encoding", help=f"How the column holds a moment: {', '.join(ENCODINGS)}.")
@click.option("--premake", type=click.IntRange(1), help="Partitions to keep ahead.")
@click.option("--take-over", is_flag=True, help="Turn pg_partman's own maintenance of the table off.")
@click.option("--leave-irregular", is_flag=True, help="Ignore past partitions that do not match the interval.")
def command(run: Run, everything: bool, take_over: bool, leave_irregular: bool, **given: Any) -> None:
    """Register existing partitioned tables; the policy is derived from their bounds.

    The policy is read off the bounds of the partitions, whatever their names, and registered in part_config; what
    other tools have written down is held against them. It says what it found and why, and what create-next would do
    next. No partition is touched.

    Example: schema_kit partitions adopt public.events --dry-run
    """
    given = {name: value for name, value in given.items() if value is not None}
    found = _wanted(run.catalog, run.tables, everything)
    sets, failed = [], list[SchemaKitError]()
    for parent, control in found:
        one = Partitioning(parent, given.get("control", control), "")
        try:
            policies.adopt(run.catalog, one, given, take_over, leave_irregular)  # refusals come first
            _tell(run.catalog, one, policies.reading(run.catalog, one, given, take_over), take_over, run.form)
            sets.append(one)
        except SchemaKitError as error:
            failed.append(error)
    if sets or not failed:
        job = Job(
            "adopt sets", partial(policies.adopt, given=given, take_over=take_over, leave_irregular=leave_irregular)
        )
        work(run, "adopt sets", [job], [(one, None) for one in sets])
    fail(failed, sets)


def _wanted(catalog: Catalog, tables: tuple[str, ...], everything: bool) -> list[tuple[QualifiedName, str]]:
    known = {policy.parent for policy in catalog.policies()}
    if tables:
        names = [catalog.relation(table) for table in tables]
        found = [row for row in catalog.partitioned(names) if row[0] in names]  # dots are no part of a text's structure
        others = [name for name in names if name not in {row[0] for row in found}]
        found += [(name, hint.policy.control) for name in others if (hint := policies.of_sql(catalog, name))]
        if missing := [name for name in names if name not in {row[0] for row in found}]:
            for name in missing:
                partitioned_already(Partitioning(name, "", ""), catalog.table(name))
        return found
    found = [row for row in catalog.partitioned() if row[0] not in known]
    if not everything:
        there = ", ".join(str(row[0]) for row in found) or "none"
        raise click.UsageError(f"name the tables, or say --all. Sets without a policy: {there}.")
    return found


def _tell(catalog: Catalog, one: Partitioning, reading: Reading, take_over: bool, form: str) -> None:
    """What was found, why, and what comes next: talk, so it goes to stderr."""
    because = [*reading.because, *_apart(reading), *_beside(catalog, one, take_over)]
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
    return [f"{partition.name} does not match the interval; ignored" for partition in reading.irregular]


def _beside(catalog: Catalog, one: Partitioning, take_over: bool) -> list[str]:
    """Two that maintain one set would make its partitions twice."""
    on = [hint for hint in catalog.told(one.parent) if hint.maintained and hint.config]
    if take_over:
        return [f"{hint.config}: its maintenance goes off" for hint in on]
    return [f"{hint.config}: its maintenance is on, too; --take-over turns it off" for hint in on]


def _next(catalog: Catalog, policy: Partitioning) -> list[str]:
    """Return what create-next would do."""
    if policies.of_sql(catalog, policy.parent):
        return ["run_maintenance_proc() of pg_partman's functions in SQL"]
    steps: list[str] = []
    for each, _ in catalog.sets((policy,)):
        try:
            steps += [step.summary for step in partitions.create_next(catalog, each).steps]
        except PlanError as error:
            steps.append(f"create-next refuses {each.parent}: {error}")
    return steps
