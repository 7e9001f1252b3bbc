"""``schema_kit partitions fill-gaps``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions.policies import policies
from schema_kit.cli.work import Job, work
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning, Range, Table
from schema_kit.names import QualifiedName
from schema_kit.plans import archives, gaps
from schema_kit.plans.grid import grid
from schema_kit.steps import Plan


@click.command("fill-gaps")
@acts
@click.option("--since", help="Begin there, instead of with the oldest partition: 2024-01-01, or an id.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    since: str | None,
) -> None:
    """Make the partitions that are missing between the oldest one and the newest, or the present.

    No further than what is kept ahead. A window of which the default partition holds rows, or whose name another table
    has, is left and said, and so is a stretch of more than 36 windows beside a default partition, unless --since asks
    for it; all others are made. Each is a commit of its own, so that it can be interrupted and run again. At most 1000
    are made in a run.

    Example: schema_kit partitions fill-gaps shop.events --since 2024-01-01 --dry-run
    """
    bad = list[SchemaKitError]()
    with database(url, now) as (connection, catalog):
        sets = catalog.sets(policies(catalog, tables, lambda _, error: bad.append(error)))
        work(
            "fill gaps",
            jobs(since),
            sets,
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
            unreadable=bad,
        )


def jobs(since: str | None = None) -> tuple[Job[Partitioning], Job[Partitioning]]:
    """Make what can be made, then say what stands in the way of the rest."""
    due = partial(_has_gaps, since=since)
    return Job("fill gaps", partial(_fill, since=since), due), Job("fill gaps", partial(_refuse, since=since), due)


def _kept(catalog: Catalog, one: Partitioning, table: Table | None) -> Partitioning:
    """The policy without what went to an archive: that is nothing missing."""
    archive = next((p for p in catalog.archive_policies() if p.table == one.parent and p.way == "partition"), None)
    try:
        return archives.kept(grid(one, table), archive, catalog.here(one, table)) if archive and table else one
    except SchemaKitError:
        return one  # said when its turn comes


def _has_gaps(catalog: Catalog, one: Partitioning, table: Table | None, since: str | None) -> bool:
    one = _kept(catalog, one, table)
    here = catalog.here(one, table)
    return bool(gaps.gaps(one, table, here, since) or gaps.left_open(one, table, here, since))


def _fill(catalog: Catalog, one: Partitioning, since: str | None) -> Plan:
    table, windows, strays, taken = _look(catalog, one, since)
    default, rights = catalog.filled_default(table), catalog.rights_missing(one.parent)
    notes = gaps.left_open(_kept(catalog, one, table), table, catalog.here(one, table), since)
    return gaps.fill_gaps(one, table, windows, default, strays, taken, rights, notes)


def _refuse(catalog: Catalog, one: Partitioning, since: str | None) -> Plan:
    try:
        seen = _look(catalog, one, since)
    except SchemaKitError:
        return Plan("")  # said by the job before
    return gaps.refuse(one, *seen)


def _look(
    catalog: Catalog, one: Partitioning, since: str | None
) -> tuple[Table | None, tuple[Range, ...], tuple[Range, ...], tuple[QualifiedName, ...]]:
    """A set, its windows without a partition, those with rows in the default one, and names that others have."""
    table = catalog.table(one.parent)
    one = _kept(catalog, one, table)
    windows = gaps.gaps(one, table, catalog.here(one, table), since)
    assert table is not None  # it has windows, or was refused
    lines = grid(one, table)
    taken = catalog.taken([lines.partition_name(window) for window in windows])
    return table, windows, catalog.strays_among(one, table, windows), taken
