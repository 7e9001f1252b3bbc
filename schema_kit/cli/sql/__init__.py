"""``schema_kit sql``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "apply": "Install pg_partman's functions in a schema, or bring them up to date.",
    "list": "The scripts that there are, and what each makes or shows.",
    "remove": "Drop pg_partman's functions; policies and partitions stay.",
    "render": "Print what apply would send to an empty database, for psql.",
    "run": "Run a query of sql/queries/ and print its rows.",
    "show": "Print one script as it is.",
    "status": "Say which functions are missing, older or changed by hand.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def sql() -> None:
    """SQL that a person runs: pg_partman's functions without the extension, and queries for a DBA.

    The functions work on the policies in schema_kit.part_config, as the other commands do.

    Example: schema_kit sql apply --schema partman
    """
