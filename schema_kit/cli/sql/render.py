"""``schema_kit sql render``."""

from __future__ import annotations

import click

from schema_kit.plans.partman import refuse_schema, whole_script
from schema_kit.sqlscripts import PARTMAN


@click.command("render")
@click.option("--schema", default=PARTMAN, show_default=True, help="Where the functions live.")
def command(schema: str) -> None:
    """Print the SQL that apply would send to an empty database.

    Example: schema_kit sql render --schema partman | psql --single-transaction
    """
    refuse_schema(schema)
    click.echo(whole_script(schema))
