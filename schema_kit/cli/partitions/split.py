"""``schema_kit partitions split``."""

from __future__ import annotations

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, work
from schema_kit.cli.partitions.copy_options import copies
from schema_kit.cli.policies import policies
from schema_kit.cli.run import Run, acts
from schema_kit.errors import PlanError
from schema_kit.model import CopyLimits, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.tasks import copying


@click.command("split")
@acts
@copies
@click.option("--abort", is_flag=True, help="Give it up: all that it has made so far goes.")
def command(run: Run, workers: int, limits: CopyLimits, abort: bool) -> None:
    """Split a partition into the ranges of its policy, while it is in use.

    TABLE is the partition. The first partition of a table that was converted by attaching it holds all of its rows:
    this command divides it into months. It works as drain-default does, and resumes where it stopped when it is run
    again.

    Example: schema_kit partitions split line_support.conversation_before_20261201
    """
    if not run.tables:
        raise click.UsageError("name the partition to split")
    for name in run.names():
        parent = _parent(run.catalog, name)

        def decide(catalog: Catalog, one: Partitioning, name: QualifiedName = name) -> Plan:
            if abort:
                return copying.give_up_split(catalog, one, name)
            return copying.split(catalog, one, name, limits)

        sets = run.catalog.sets(policies(run.catalog, Partitioning, [parent.sql]))
        work(run, f"split {name}", [Job(f"split {name} of", decide)], sets, sessions=workers)


def _parent(catalog: Catalog, partition: QualifiedName) -> QualifiedName:
    run = catalog.copy_run(partition)
    parent = catalog.parent_of(partition) or (run.parent if run else None)
    if parent is None:
        catalog.refuse_others(partition)
        raise PlanError(f"{partition} is not a partition.")
    return parent
