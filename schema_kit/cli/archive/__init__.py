"""``schema_kit archive``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "restore": "Take a range from the archive back into its table, or beside it.",
    "run": "Take what is due from each table to its archive.",
    "export": "Write partitions to files, read them back, compare; with --drop, drop what lies in them then.",
    "files": "Show which rows lie in which file; --verify reads each file again.",
    "import": "Bring the rows of files back: attached where their range is free, else inserted.",
    "status": "What is in each archive, what is due, and what is on its way.",
    "verify": "Say what an archive has otherwise than its table.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def archive() -> None:
    """Archives: rows leave the hot table, and nothing is ever lost.

    The policies stand in schema_kit.archive_policy, where op.set_archive_policy puts them. The database is --url, else
    DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit archive run --dry-run
    """
