"""``schema_kit sql status``."""

from __future__ import annotations

import click

from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.run import SCHEMA, URL, Run, formats, runs
from schema_kit.plans.partman import refuse_schema, state
from schema_kit.sqlscripts import partman_objects
from schema_kit.tasks.partman import seen


@click.command("status")
@SCHEMA
@URL
@formats("text", "json")
@runs()
@click.pass_context
def command(context: click.Context, run: Run, schema: str) -> None:
    """Report functions that are missing, older or changed by hand.

    Exit codes: 0 nothing to do, 4 apply has work to do.

    Example: schema_kit sql status --schema partman
    """
    refuse_schema(schema)
    found = seen(run.catalog, schema)
    states = [(one.kind, one.name, state(one, found)) for one in partman_objects(schema)]
    other = [line for line in states if line[2] != "current"]
    if run.form == "json":
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
