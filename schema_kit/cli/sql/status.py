"""``schema_kit sql status``."""

from __future__ import annotations

import click

from schema_kit.cli.options import database
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.plans.partman import refuse_schema, state
from schema_kit.sqlscripts import PARTMAN, partman_objects
from schema_kit.tasks.partman import seen


@click.command("status")
@click.option("--schema", default=PARTMAN, show_default=True, help="Where the functions live.")
@click.option("--url", help="postgresql://user@host/database")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.pass_context
def command(context: click.Context, schema: str, url: str | None, form: str) -> None:
    """Say which of pg_partman's functions are missing, older or changed by hand; exit code 4 if apply has work to do.

    Example: schema_kit sql status --schema partman
    """
    refuse_schema(schema)
    with database(url, None) as (_, catalog):
        found = seen(catalog, schema)
    states = [(one.kind, one.name, state(one, found)) for one in partman_objects(schema)]
    other = [line for line in states if line[2] != "current"]
    if form == "json":
        told = {
            "schema": schema,
            "extension": found.extension,
            "objects": [{"kind": kind, "name": name, "state": how} for kind, name, how in states],
        }
        echo_json(told)
    elif found.extension:
        click.echo(f"the extension pg_partman lives in schema {schema}")
    else:
        for kind, name, how in other:
            click.echo(wrapped(f"{how:<16} {kind.lower()} {name}"))
        click.echo(f"{len(states) - len(other)} of {len(states)} objects are current", err=True)
    context.exit(4 if other and not found.extension else 0)
