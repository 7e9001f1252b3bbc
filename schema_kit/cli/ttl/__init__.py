"""``schema_kit ttl``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = ("run", "status")


@click.group(cls=Lazy, package=__name__, names=COMMANDS, attribute="command")
def ttl() -> None:
    """Delete expired rows in batches.

    The policies stand in schema_kit.ttl_policy, where op.set_ttl_policy puts them. The database is --url, else
    DATABASE_URL, else sqlalchemy.url of alembic.ini, else the embedded one.

    Example: schema_kit ttl run --dry-run
    """
