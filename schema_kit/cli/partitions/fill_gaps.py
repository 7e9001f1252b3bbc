"""``schema_kit partitions fill-gaps``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.run import Run, acts
from schema_kit.model import Partitioning
from schema_kit.tasks import partitions


@click.command("fill-gaps")
@acts
@click.option("--since", help="Begin there, instead of with the oldest partition: 2024-01-01, or an id.")
def command(run: Run, since: str | None) -> None:
    """Create the partitions that are missing between the oldest and the newest one, or the current one.

    No further than what is kept ahead. A range of which the default partition holds rows, or whose name another table
    has, is left and reported, and so is a gap of more than 36 ranges if there is a default partition, unless --since
    asks for it; all others are created. Each is a commit of its own, so that it can be interrupted and run again. At
    most 1000 are created in a run.

    Example: schema_kit partitions fill-gaps shop.events --since 2024-01-01 --dry-run
    """
    sets = run.catalog.sets(run.policies(Partitioning))
    work(run, "fill gaps", jobs(since), sets)


def jobs(since: str | None = None) -> tuple[Job[Partitioning], Job[Partitioning]]:
    """Make what can be made, then say what stands in the way of the rest."""
    fill, refuse = partial(partitions.fill_gaps, since=since), partial(partitions.refuse_gaps, since=since)
    due = partial(partitions.has_gaps, since=since)
    return Job("fill gaps", fill, due), Job("fill gaps", refuse, due)
