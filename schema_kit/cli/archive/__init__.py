"""``schema_kit archive``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = ("export", "files", "import", "restore", "run", "status", "verify")


@click.group(cls=Lazy, package=__name__, names=COMMANDS, attribute="command")
def archive() -> None:
    """Archive old rows and partitions, and restore them.

    The policies stand in schema_kit.archive_policy, where op.set_archive_policy puts them. The database is --url, else
    DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit archive run --dry-run
    """
