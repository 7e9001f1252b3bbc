"""``schema_kit partitions``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "adopt": "Take over sets that somebody else has made: their policy is read off their bounds.",
    "check": "Say what is wrong with sets, what is due, and the command that sets it right.",
    "create-next": "Make the current partition and the premade ones ahead of it, where they are missing.",
    "convert": "Make a table in use partitioned: it becomes the first partition, or its rows are copied.",
    "drain-default": "Give the rows of a default partition partitions of their own, while it is in use.",
    "fill-gaps": "Make the partitions that are missing between the oldest one and the newest, or the present.",
    "hand-over": "Give a set to the extension pg_partman; adopt --take-over brings it back.",
    "maintain": "Look after each set: drain its default partition, make what is missing, retire what is due.",
    "retire": "Take out what has outlived its retention; then keep it, move it or drop it.",
    "list": "Show sets with their partitions: bounds, rows estimated, size, what is premade.",
    "timeline": "Draw sets over time: partitions with size and rows as bars, what is premade, gaps, what is due.",
    "split": "Cut a partition into the windows of its set, while it is in use.",
    "undo": "Make a set a plain table again; it blocks.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def partitions() -> None:
    """Partitioned sets: keep them ahead of the clock, look at them.

    The database is --url, else DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit partitions list
    """
