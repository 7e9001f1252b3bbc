"""``schema_kit partitions maintain``: all periodic work on partitioned tables."""

from __future__ import annotations

from functools import partial

import click

from schema_kit import execute
from schema_kit.cli.archive import run as archive
from schema_kit.cli.jobs import work
from schema_kit.cli.partitions import analyze, create_next, drain_default, fill_gaps, retire
from schema_kit.cli.run import Run, acts
from schema_kit.model import Partitioning
from schema_kit.tasks import partitions

JOBS = (
    drain_default.JOB,
    create_next.JOB,
    *fill_gaps.jobs(),
    archive.OF_SET,
    retire.JOB,
    retire.OF_ARCHIVE,
    analyze.JOB,
)
"""In this order for each table: rows in the default partition would be in the way of new ones."""


@click.command("maintain")
@acts
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Sets at a time.")
def command(run: Run, workers: int) -> None:
    """Do all due work: drain default partitions, create missing partitions, archive and retire old ones.

    Then it is analyzed as a whole, which autovacuum never does, where its statistics are off by more than a tenth;
    before PostgreSQL 18, where that reads every partition, at most once a day.

    Partitions of its archive are retired as well, by the archive's own retention.

    Each partitioned table is maintained on its own: one that fails does not stop the others, and of two runs at once
    each finds done what the other has done. When it ends without an error, that is remembered in schema_kit.part_config
    (maintenance_last_run), which `status` shows. Made for cron; `partitions check` says whether something is due.

    Example: schema_kit partitions maintain --workers 4
    """
    sets = run.catalog.sets(run.policies(Partitioning))
    work(run, "maintain partitions", JOBS, sets, workers)
    if not run.dry_run:
        decide = partial(partitions.maintained, run.catalog, [policy for policy, _ in sets])
        execute.run(run.connection, decide, run.policy, lambda _: None)
