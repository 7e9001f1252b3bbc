"""``schema_kit partitions``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "adopt": "Register existing partitioned tables; the policy is derived from their bounds.",
    "check": "Report problems and due work, each with the command that fixes it.",
    "create-next": "Create the current partition and those ahead of it, if they are missing.",
    "convert": "Turn a live table into a partitioned one: attach it, or copy its rows.",
    "drain-default": "Move the rows of a default partition into partitions of their own.",
    "fill-gaps": "Create the partitions that are missing between the oldest and the newest one, or the current one.",
    "hand-over": "Hand a partitioned table over to the extension pg_partman; adopt --take-over reverses it.",
    "maintain": "Do all due work: drain default partitions, create missing partitions, archive and retire old ones.",
    "retire": "Detach partitions past their retention; then keep, move or drop them.",
    "list": "List partitioned tables and their partitions: bounds, estimated rows, sizes.",
    "timeline": "Draw partitions over time, with sizes and rows as bars, gaps and due work.",
    "split": "Split a partition into the ranges of its policy, while it is in use.",
    "undo": "Turn a partitioned table back into a plain one; it blocks reads and writes.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def partitions() -> None:
    """Partitioned sets: keep them ahead of the clock, look at them.

    The database is --url, else DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit partitions list
    """
