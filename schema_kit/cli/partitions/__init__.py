"""``schema_kit partitions``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = (
    "adopt",
    "check",
    "convert",
    "create-next",
    "drain-default",
    "fill-gaps",
    "hand-over",
    "list",
    "maintain",
    "retire",
    "split",
    "timeline",
    "undo",
)


@click.group(cls=Lazy, package=__name__, names=COMMANDS, attribute="command")
def partitions() -> None:
    """Maintain, inspect and convert partitioned tables.

    The database is --url, else DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit partitions list
    """
