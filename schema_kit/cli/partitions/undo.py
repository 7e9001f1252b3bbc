"""``schema_kit partitions undo``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, work
from schema_kit.cli.run import YES, Run, acts
from schema_kit.errors import DeclarationError
from schema_kit.model import Partitioning
from schema_kit.steps import Plan
from schema_kit.tasks.conversion import unpartition


def decide(catalog: Catalog, one: Partitioning) -> Plan:
    """Return what the rollback needs."""
    return unpartition(catalog, one.parent)


@click.command("undo")
@acts
@YES
def command(run: Run) -> None:
    """Turn a partitioned table back into a plain one; it blocks reads and writes.

    It blocks: reads and writes of the table wait while those rows move; rows of the first partition do not move. The
    primary key loses the control column, and the policy goes. It asks first; without a terminal it requires --yes.
    Of a conversion that never came to its swap, it drops what is left.

    Example: schema_kit partitions undo rag_chat.messages --dry-run
    """
    if not run.tables:
        raise DeclarationError("name the tables: nothing is undone that was not named")
    sets = [(Partitioning(name, "", ""), None) for name in run.names()]
    # Refusals come before the question.
    blocked = [str(one.parent) for one, _ in sets if run.observed(partial(decide, run.catalog, one))]
    if blocked:
        run.confirm(f"this blocks reads and writes of {', '.join(blocked)} while the rows of later partitions move")
    work(run, "undo partitioning", [Job("undo partitioning", decide)], sets)
