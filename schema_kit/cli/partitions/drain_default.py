"""``schema_kit partitions drain-default``."""

from __future__ import annotations

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, work
from schema_kit.cli.partitions.copy_options import copies
from schema_kit.cli.run import Run, acts
from schema_kit.model import CopyLimits, Partitioning
from schema_kit.steps import Plan
from schema_kit.tasks import copying

JOB = Job("drain the default", copying.drain, copying.drain_due)


@click.command("drain-default")
@acts
@copies
@click.option("--until", help="Also rows farther ahead than partitions are kept, up to there: 2027-12-31, or an id.")
@click.option("--abort", is_flag=True, help="Give it up: all that it has made so far goes.")
def command(run: Run, workers: int, limits: CopyLimits, until: str | None, abort: bool) -> None:
    """Move the rows of a default partition into partitions of their own.

    Without TABLE: every table that part_config holds. Rows are copied, the keys of those that change meanwhile are
    logged and replayed, what was copied is compared, and one short commit swaps: readers of the table see every row at
    every moment. Rows farther ahead than partitions are kept stay there, and each run says so. If it is interrupted,
    run it again: it resumes where it stopped; --abort undoes what it has made.

    Example: schema_kit partitions drain-default line_support.conversation --workers 2
    """

    def decide(catalog: Catalog, one: Partitioning) -> Plan:
        return copying.give_up_drain(catalog, one) if abort else copying.drain(catalog, one, limits, until)

    sets = run.catalog.sets(run.policies(Partitioning))
    work(run, "drain the default", [Job(JOB.title, decide, JOB.due)], sets, sessions=workers)
