"""``schema_kit partitions undo``."""

from __future__ import annotations

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.confirm import confirm
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.work import Job, work
from schema_kit.errors import DeclarationError
from schema_kit.model import Partitioning
from schema_kit.steps import Plan
from schema_kit.tasks.conversion import unpartition


def decide(catalog: Catalog, one: Partitioning) -> Plan:
    """What the way back needs."""
    return unpartition(catalog, one.parent)


@click.command("undo")
@acts
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    yes: bool,
) -> None:
    """Make TABLE a plain table again: its first partition takes in the rows of the others.

    It blocks: reads and writes of the table wait while those rows move; rows of the first partition do not move. The
    primary key loses the control column, and the policy goes. It asks first; without a terminal it requires --yes.
    Of a conversion that never came to its swap, it drops what is left.

    Example: schema_kit partitions undo rag_chat.messages --dry-run
    """
    if not tables:
        raise DeclarationError("name the tables: nothing is undone that was not named")
    with database(url, now) as (connection, catalog):
        sets = [(Partitioning(catalog.relation(table), "", ""), None) for table in tables]
        blocked = [str(one.parent) for one, _ in sets if decide(catalog, one)]  # refusals come before the question
        if blocked:
            confirm(
                f"this blocks reads and writes of {', '.join(blocked)} while the rows of later partitions move",
                yes or dry_run,
            )
        work(
            "undo partitioning",
            [Job("undo partitioning", decide)],
            sets,
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
        )
