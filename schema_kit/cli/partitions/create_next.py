"""``schema_kit partitions create-next``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.partitions import analyze
from schema_kit.cli.run import Run, acts
from schema_kit.model import Partitioning
from schema_kit.tasks.partitions import create_next, create_next_due

JOB = Job("create next partitions", create_next, create_next_due)


@click.command("create-next")
@acts
@click.option("--premake", type=click.IntRange(1), help="Partitions to keep ahead, instead of the policy's number.")
@click.option("--until", help="Make all that are missing from the current range to this one: 2027-12-31, or an id.")
def command(run: Run, premake: int | None, until: str | None) -> None:
    """Create the current partition and those ahead of it, if they are missing.

    Without TABLE: every set that part_config holds. Run it from cron as often as you like: it makes what is missing,
    and says when there is nothing to do. Writers go on meanwhile. At most 1000 partitions are kept ahead.

    Example: schema_kit partitions create-next line_support.conversation --dry-run
    """
    wanted = [replace(one, premake=premake or one.premake) for one in run.policies(Partitioning)]
    job = Job(JOB.title, partial(create_next, until=until), partial(create_next_due, until=until))
    work(run, "create next partitions", [job, analyze.JOB], run.catalog.sets(wanted))
