"""``schema_kit sql remove``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.confirm import confirm
from schema_kit.cli.options import acts_on_schema, database, lock_policy
from schema_kit.cli.sql.sent import sent
from schema_kit.plans.partman import refuse_schema
from schema_kit.tasks import partman


@click.command("remove")
@acts_on_schema
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(schema: str, url: str | None, form: str, dry_run: bool, lock_timeout: str | None, yes: bool) -> None:
    """Drop pg_partman's functions that schema_kit has installed; policies, partitions and templates stay.

    It asks first; without a terminal it requires --yes.

    Example: schema_kit sql remove --schema partman --dry-run
    """
    refuse_schema(schema)
    with database(url, None) as (connection, catalog):
        decide = partial(partman.remove, catalog, schema)
        if decide():
            confirm(f"this drops pg_partman's functions in schema {schema}", yes or dry_run)
        sent(decide, connection, catalog, lock_policy(lock_timeout), form, dry_run)
