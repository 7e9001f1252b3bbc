"""``schema_kit partitions retire``."""

from __future__ import annotations

import sys
from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import analyze
from schema_kit.cli.partitions.policies import policies
from schema_kit.cli.work import Job, work
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning
from schema_kit.steps.retirement import DropPartition
from schema_kit.tasks.retirement import archives_of, retire, retire_archive, retires

JOB = Job("retire partitions", retire, retires)
OF_ARCHIVE = Job(
    "retire partitions of the archive", retire_archive, lambda catalog, one, table: bool(archives_of(catalog, one))
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
        wanted += [] if tables else archives_of(catalog, *wanted)
        sets = [(one, table) for one, table in catalog.sets(wanted) if retires(catalog, one, table)]
        drops = yes or dry_run or not sys.stdin.isatty() or _agreed(catalog, [one for one, _ in sets])
        job = Job(JOB.title, partial(retire, at_once=yes, drops=drops))
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
            gone += [str(step.seen.name) for step in retire(catalog, one).steps if isinstance(step, DropPartition)]
        except SchemaKitError:
            continue  # said when its turn comes
    return not gone or click.confirm(f"Drop {', '.join(gone)}, with all rows?", err=True)
