"""``schema_kit sql show``."""

from __future__ import annotations

import click

from schema_kit import sqlscripts


@click.command("show")
@click.argument("name")
def command(name: str) -> None:
    """Print a script.

    NAME is its path below sql/ or the last part of it.

    Example: schema_kit sql show create_parent
    """
    click.echo(sqlscripts.read(f"{sqlscripts.named(name)}.sql"), nl=False)
