"""``schema_kit partitions retire``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.confirm import confirm
from schema_kit.cli.options import acts, database, lock_policy, quiet
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
@click.option("--no-grace", is_flag=True, help="Drop at once what the policy does not keep: no grace period.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    no_grace: bool,
    yes: bool,
) -> None:
    """Take partitions out that have outlived their retention; then keep them, move them, or drop them.

    Without TABLE: every set that part_config holds, and their archives. A partition is due when it ends further behind
    the present than the policy's retention. It is detached concurrently wherever PostgreSQL can. Then it stays as a
    table of its own, or moves to retention_schema, or (where retention_keep_table is false) is dropped when it has been
    out for retention_grace, 7 days unless the policy says otherwise. One that others need still (rows that refer to it,
    views, publications) stays where it is, and each run says so. It asks before it drops a table; without a terminal,
    that requires --yes.

    Example: schema_kit partitions retire line_support.conversation --dry-run
    """
    bad = list[SchemaKitError]()
    with database(url, now) as (connection, catalog):
        wanted = policies(catalog, tables, lambda _, error: bad.append(error))
        wanted += [] if tables else archives_of(catalog, *wanted)
        sets = [(one, table) for one, table in catalog.sets(wanted) if retires(catalog, one, table)]
        due = [one for one, _ in sets]
        if gone := _dropped(catalog, due, no_grace):
            confirm(f"this drops {', '.join(gone)}, with all rows", yes or dry_run)
        if yes and not quiet() and (kept := [name for name in _dropped(catalog, due, True) if name not in gone]):
            stay = f"{', '.join(kept)} stay until the grace period is over"
            click.echo(f"{stay}: --yes does not skip it any more, --no-grace does", err=True)
        job = Job(JOB.title, partial(retire, at_once=no_grace, drops=bool(yes or dry_run or gone)))
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


def _dropped(catalog: Catalog, sets: list[Partitioning], no_grace: bool) -> list[str]:
    """What would be dropped now."""
    gone: list[str] = []
    for one in sets:
        try:
            steps = retire(catalog, one, at_once=no_grace).steps
            gone += [str(step.seen.name) for step in steps if isinstance(step, DropPartition)]
        except SchemaKitError:
            continue  # said when its turn comes
    return gone
