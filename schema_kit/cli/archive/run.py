"""``schema_kit archive run``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.archive.common import policies
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import analyze
from schema_kit.cli.work import Job, work
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import ArchivePolicy, Moved, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.ops.moving import (
    both,
    cut_of,
    moves,
    of,
    partitioned,
    refuse_without_rights,
    under_way,
    with_room,
)
from schema_kit.plans import archive_access, archives, rows, ttl
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan
from schema_kit.steps.archives import AttachMoved, ForgetMove, ForgetRestored, MovePartitionAcross
from schema_kit.steps.rows import RemoveRows


def by_partition(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """What one table has to let go of, partition by partition; what is on its way comes first."""
    plan = Plan(f"archive partitions of {policy.table}")
    partitioning = partitioned(catalog, policy)
    table, archive = both(catalog, policy)
    names, notes = archives.due(policy, partitioning, table, catalog.here(partitioning, table))
    known = of(catalog, policy)
    kept = () if again else archives.restored(policy, partitioning, table, known)
    there = {partition.name: partition for partition in table.partitions}
    going = [
        (policy.table, policy.archive, name, there[name].lower, there[name].upper) for name in names if name not in kept
    ]
    forgotten = [*_void(policy, partitioning, table, known, names)]
    views = archives.spanning(table, archive)
    steps, stay = moves(catalog, policy, partitioning, views, (*under_way(known, policy), *going))
    if steps or forgotten:
        refuse_without_rights(catalog, policy)
    if steps:
        archive_access.refuse_open(table, archive)
    said = (
        f"{name} was restored from the archive and stays until it is asked for: --restored"
        for name in names
        if name in kept
    )
    notes = (*notes, *said, *stay)
    return Plan(plan.title, (*forgotten, *steps), notes)


def _void(
    policy: ArchivePolicy, partitioning: Partitioning, table: Table, known: list[Moved], due: Collection[QualifiedName]
) -> Iterator[ForgetMove]:
    """What is remembered and means nothing any more: of no table, or of one that is where it was before."""
    for row in known:
        if row.since is None and row.there and row.attached_to and row.name not in due:
            yield ForgetMove(row.name, "it never left")
        elif not row.there and not archives.restored(policy, partitioning, table, [row]):
            yield ForgetMove(row.name, "there is no such table any more")


def by_rows(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """What one table has to let go of row by row, with what hangs on it."""
    one, plan = rows_due(catalog, policy, again)
    first = (ForgetRestored(policy.table),) if again and policy.restored else ()
    notes = () if again else tuple(_stays(policy))
    moves = tuple(with_room(catalog, plan.steps)) if catalog.has_row_where(policy.table, one.where) else ()
    for step in moves:
        if isinstance(step, RemoveRows) and step.archive:
            table, archive = catalog.table(step.table), catalog.table(step.archive.table)
            assert table is not None  # its rows were looked at
            assert archive is not None
            archive_access.refuse_open(table, archive)
    return Plan(plan.title, (*first, *moves), notes)


def rows_due(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> tuple[Leaving, Plan]:
    """Which rows are due by a policy, and the steps that move them, whether there are any or not."""
    goes = rows.archives(catalog.leaving(policy.table), catalog.archive_policies())
    seen = catalog.leaving(policy.table, tuple(goes.values()))
    one = ttl.archiving(policy, seen, catalog.now(), goes, cut_of(catalog, policy), restored=again)
    return one, rows.remove(one, seen)


def _stays(policy: ArchivePolicy) -> Iterator[str]:
    for which in policy.restored:
        yield f"rows of {policy.table} were restored and stay until they are asked for (--restored): {which}"


WAYS: dict[str, Callable[[Catalog, ArchivePolicy, bool], Plan]] = {
    "partition": by_partition,
    "rows": by_rows,
}
"""How rows go to an archive, and who decides what is due."""


def decide(catalog: Catalog, policy: ArchivePolicy, again: bool = False) -> Plan:
    """What one policy asks for now; *again*, whether what was restored goes, too."""
    way = WAYS.get(policy.way)
    if way is None:
        raise PlanError(f"cannot archive {policy.table}: nothing here knows the way {policy.way!r}.")
    return way(catalog, policy, again)


def of_set(catalog: Catalog, one: Partitioning) -> Plan:
    """What a set has to let go of, for whoever looks after sets."""
    plan = Plan(f"archive partitions of {one.parent}")
    mine = [p for p in catalog.archive_policies() if p.table == one.parent and p.way == "partition"]
    return by_partition(catalog, mine[0]) if mine else plan


def of_set_due(catalog: Catalog, one: Partitioning, table: Table | None) -> bool:
    """Whether a policy says anything of the set."""
    del table
    return any(policy.table == one.parent and policy.way == "partition" for policy in catalog.archive_policies())


OF_SET = Job("archive", of_set, of_set_due)
"""For whoever looks after sets."""


@click.command("run")
@acts
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--restored", is_flag=True, help="Also what was restored from the archive.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    yes: bool,
    restored: bool,
) -> None:
    """Take what is due from each table to its archive.

    Without TABLE: every policy of schema_kit.archive_policy. By partition, one is due when it ends further behind the
    present than archive_after. It is detached concurrently and attached to the archive; no row is copied or scanned.
    Where a view shows the table and the archive, both happen in one commit, behind a check that is proved beforehand,
    so that its readers see each row once at every moment; also beside a default partition, and in a table that refers
    to itself. A partition that others need still (rows that refer to it, publications) stays where it is, and each run
    says so. By rows, those that are due go in batches of about half a second, each deleted from the table and inserted
    into the archive by one statement, the rows of its tree first; one that somebody has locked is passed over and comes
    next time. On a terminal it asks first.

    Example: schema_kit archive run bots.messages --dry-run
    """
    with database(url, now) as (connection, catalog):
        wanted = policies(catalog, tables)
        job = Job("archive", partial(decide, again=restored))
        if not (yes or dry_run or not sys.stdin.isatty() or _agreed(catalog, wanted, restored)):
            return
        work(
            "archive",
            [job, analyze.OF_ARCHIVE],
            [(one, None) for one in wanted],
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
        )


def _agreed(catalog: Catalog, wanted: list[ArchivePolicy], restored: bool) -> bool:
    """Whether a person agrees to what would go; nobody is asked where that is nothing."""
    going: list[str] = []
    for policy in wanted:
        try:
            steps = decide(catalog, policy, restored).steps
        except SchemaKitError:
            continue  # said when its turn comes
        moves = (step for step in steps if isinstance(step, AttachMoved | MovePartitionAcross))
        going += [f"{step.wanted.seen.name} to {step.route.goes_to}" for step in moves]
        batches = (step for step in steps if isinstance(step, RemoveRows) and step.archive)
        going += [f"rows of {step.table} to {step.archive.table}" for step in batches if step.archive]
    return not going or click.confirm(f"Move {', '.join(going)}?", err=True)
