"""``schema_kit sql``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = ("apply", "list", "remove", "render", "run", "show", "status")


@click.group(cls=Lazy, package=__name__, names=COMMANDS, attribute="command")
def sql() -> None:
    """Install pg_partman's functions in SQL; run queries for a DBA.

    The functions work on the policies in schema_kit.part_config, as the other commands do.

    Example: schema_kit sql apply --schema partman
    """
