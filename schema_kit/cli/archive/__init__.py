"""``schema_kit archive``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "restore": "Move a range of rows from an archive back to its table, or to a new table.",
    "run": "Move due partitions and rows of each table to its archive.",
    "export": "Write partitions to files and verify the files; with --drop, drop the partitions afterwards.",
    "files": "List the files and their rows; --verify reads each file again.",
    "import": "Load files: attach them as partitions if their range is free, insert the rows otherwise.",
    "status": "Show what each archive holds, what is due and what is in transit.",
    "verify": "Report differences between an archive and its table.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def archive() -> None:
    """Archives: rows leave the hot table, and nothing is ever lost.

    The policies stand in schema_kit.archive_policy, where op.set_archive_policy puts them. The database is --url, else
    DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit archive run --dry-run
    """
