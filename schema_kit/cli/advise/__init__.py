"""``schema_kit advise``: what production's planner would do, asked of an empty copy."""

from __future__ import annotations

import click

from schema_kit.cli.lazy import Lazy

COMMANDS = ("index", "partition", "plan")


@click.group(name="advise", cls=Lazy, package=__name__, names=COMMANDS)
def advise() -> None:
    """Recommend indexes and partitions for statements, by the planner's costs.

    A throw-away server of the embedded PostgreSQL plans; it is removed at the end. Production is asked for its
    catalog, statistics and sizes, by pg_dump among others (ACCESS SHARE on each table), and for nothing else. The role
    needs pg_read_all_data. No value of a row is shown.

    Example: schema_kit advise plan "SELECT * FROM orders WHERE customer_id = $1"
    """
