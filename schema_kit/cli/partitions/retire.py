"""``schema_kit partitions retire``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, foreseen, work
from schema_kit.cli.partitions import analyze
from schema_kit.cli.run import YES, Run, acts, quiet
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
@YES
def command(run: Run, no_grace: bool) -> None:
    """Detach partitions past their retention; then keep, move or drop them.

    Without TABLE: every table that part_config holds, and their archives. A partition is due when it ends further
    behind the current position than the policy's retention. It is detached concurrently wherever PostgreSQL can. Then
    it stays as a table of its own, or moves to retention_schema, or (where retention_keep_table is false) is dropped
    when it has been out for retention_grace, 7 days unless the policy says otherwise. One that others need still (rows
    that refer to it, views, publications) stays where it is, and each run says so. It asks before it drops a table;
    without a terminal, that requires --yes.

    Example: schema_kit partitions retire line_support.conversation --dry-run
    """
    wanted = run.policies(Partitioning)
    wanted += [] if run.tables else archives_of(run.catalog, *wanted)
    sets = [(one, table) for one, table in run.catalog.sets(wanted) if retires(run.catalog, one, table)]
    due = [one for one, _ in sets]
    if gone := _dropped(run.catalog, due, no_grace):
        run.confirm(f"this drops {', '.join(gone)}, with all rows")
    if run.yes and not quiet() and (kept := [name for name in _dropped(run.catalog, due, True) if name not in gone]):
        stay = f"{', '.join(kept)} stay until the grace period is over"
        click.echo(f"{stay}: --yes does not skip it any more, --no-grace does", err=True)
    job = Job(JOB.title, partial(retire, at_once=no_grace, drops=bool(run.yes or run.dry_run or gone)))
    work(run, "retire partitions", [job, analyze.JOB], sets)


def _dropped(catalog: Catalog, sets: list[Partitioning], no_grace: bool) -> list[str]:
    """Return what would be dropped now."""
    steps = foreseen(partial(retire, catalog, at_once=no_grace), sets)
    return [str(step.seen.name) for step in steps if isinstance(step, DropPartition)]
