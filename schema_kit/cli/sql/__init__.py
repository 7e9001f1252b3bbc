"""``schema_kit sql``: one file a command."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "apply": "Install or update pg_partman's functions in a schema.",
    "list": "List the scripts and queries, each with what it does.",
    "remove": "Drop pg_partman's functions; policies and partitions are kept.",
    "render": "Print the SQL that apply would send to an empty database.",
    "run": "Run one of the queries and print its rows.",
    "show": "Print a script.",
    "status": "Report functions that are missing, older or changed by hand.",
}


@click.group(cls=Lazy, package=__name__, texts=COMMANDS, attribute="command")
def sql() -> None:
    """SQL that a person runs: pg_partman's functions without the extension, and queries for a DBA.

    The functions work on the policies in schema_kit.part_config, as the other commands do.

    Example: schema_kit sql apply --schema partman
    """
