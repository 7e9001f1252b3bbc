"""``schema_kit partitions retire``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import analyze
from schema_kit.cli.partitions.policies import policies
from schema_kit.cli.work import Job, work
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import archives, retention
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.retirement import DropPartition


def decide(catalog: Catalog, one: Partitioning, at_once: bool = False, drops: bool = True) -> Plan:
    """What one set has to let go of."""
    table = catalog.table(one.parent)
    past, notes = retention.due(one, table, catalog.here(one, table)) if one.retention else ((), ())
    if past:
        due_there = _awaited(catalog, one, table)
        awaited = [part.name for part in past if part.name in due_there]
        notes += tuple(f"{part} stays: it is due for its archive first (schema_kit archive run)" for part in awaited)
        past = tuple(part for part in past if part.name not in awaited)
    cut_off = [p for p in (table.partitions if table else ()) if p.detach_pending and p not in past]
    retired = [row for row in catalog.retired() if row.parent == one.parent]
    leaves, pending = ([catalog.detaching(one.parent, p.name) for p in parts] for parts in (past, cut_off))
    schema = one.retention_schema
    plan = retention.retire(
        one,
        [seen for seen in leaves if seen],
        [seen for seen in pending if seen],
        {row: catalog.detaching(one.parent, row.name) if row.there else None for row in retired},
        catalog.now(),
        load("tables/retired_partition.sql"),
        [QualifiedName(schema, name) for name in catalog.relations_in(schema)] if schema else (),
        catalog.may_not_create_in(schema) if schema else (),
        at_once=at_once,
        drops=drops,
        at=catalog.given_now,
    )
    return Plan(plan.title, plan.steps, (*notes, *plan.notes))


def _awaited(catalog: Catalog, one: Partitioning, table: Table | None) -> set[QualifiedName]:
    """What the set's archive is to get, so that nothing is dropped because it could not go there."""
    mine = (p for p in catalog.archive_policies() if p.table == one.parent and p.way == "partition")
    return {name for policy in mine for name in archives.due(policy, one, table, catalog.here(one, table))[0]}


def due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Whether a set has a retention, or something on its way out."""
    pending = any(partition.detach_pending for partition in table.partitions) if table else False
    return bool(one.retention) or pending or one.parent in catalog.retired_from()


JOB = Job("retire partitions", decide, due)


def archives_of(catalog: Catalog, sets: Sequence[Partitioning]) -> list[Partitioning]:
    """The archives of sets that have a policy of their own: nothing else is done for an archive than retiring."""
    names, known = {one.parent for one in sets}, [p for p in catalog.archive_policies() if p.way == "partition"]
    wanted = [policy.archive for policy in known if policy.table in names and policy.archive not in names]
    return [one for one in catalog.policies_of(wanted) if due(catalog, one, None)] if wanted else []


def of_archive(catalog: Catalog, one: Partitioning) -> Plan:
    """What the archive of a set has to let go of."""
    plan = Plan(f"retire partitions of the archive of {one.parent}")
    for archive in archives_of(catalog, [one]):
        plan += decide(catalog, archive)
    return plan


OF_ARCHIVE = Job(
    "retire partitions of the archive", of_archive, lambda catalog, one, table: bool(archives_of(catalog, [one]))
)


@click.command("retire")
@acts
@click.option("--yes", is_flag=True, help="Drop at once what the policy does not keep: no grace period, no question.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    yes: bool,
) -> None:
    """Take partitions out that have outlived their retention; then keep them, move them, or drop them.

    Without TABLE: every set that part_config holds, and their archives. A partition is due when it ends further behind
    the present than the policy's retention. It is detached concurrently wherever PostgreSQL can. Then it stays as a
    table of its own, or moves to retention_schema, or (where retention_keep_table is false) is dropped when it has been
    out for retention_grace, 7 days unless the policy says otherwise. One that others need still (rows that refer to it,
    views, publications) stays where it is, and each run says so. On a terminal it asks before it drops.

    Example: schema_kit partitions retire line_support.conversation --dry-run
    """
    bad = list[SchemaKitError]()
    with database(url, now) as (connection, catalog):
        wanted = policies(catalog, tables, lambda _, error: bad.append(error))
        wanted += [] if tables else archives_of(catalog, wanted)
        sets = [(one, table) for one, table in catalog.sets(wanted) if due(catalog, one, table)]
        drops = yes or dry_run or not sys.stdin.isatty() or _agreed(catalog, [one for one, _ in sets])
        job = Job(JOB.title, partial(decide, at_once=yes, drops=drops))
        work(
            "retire partitions",
            [job, analyze.JOB],
            sets,
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
            unreadable=bad,
        )


def _agreed(catalog: Catalog, sets: list[Partitioning]) -> bool:
    """Whether a person agrees to what would be dropped; nobody is asked where that is nothing."""
    gone: list[str] = []
    for one in sets:
        try:
            gone += [str(step.seen.name) for step in decide(catalog, one).steps if isinstance(step, DropPartition)]
        except SchemaKitError:
            continue  # said when its turn comes
    return not gone or click.confirm(f"Drop {', '.join(gone)}, with all rows?", err=True)
