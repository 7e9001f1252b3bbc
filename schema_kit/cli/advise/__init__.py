"""``schema_kit advise``: what production's planner would do, asked of an empty copy."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = {
    "index": "Recommend indexes for statements, and list indexes that none of them needs.",
    "partition": "Report whether partitioning a table would help, by which column and interval.",
    "plan": "Show the plan that production would choose, with and without an index.",
}


@click.group(name="advise", cls=Lazy, package=__name__, texts=COMMANDS)
def advise() -> None:
    """Ask production's planner without production: on an empty copy with its catalog, statistics and sizes.

    A throw-away server of the embedded PostgreSQL plans; it is removed at the end. Production is asked for its
    catalog, statistics and sizes, by pg_dump among others (ACCESS SHARE on each table), and for nothing else. The role
    needs pg_read_all_data. No value of a row is shown.

    Example: schema_kit advise plan "SELECT * FROM orders WHERE customer_id = $1"
    """
