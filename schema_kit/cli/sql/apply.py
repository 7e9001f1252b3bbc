"""``schema_kit sql apply``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.options import acts_on_schema, database, lock_policy
from schema_kit.cli.sql.sent import sent
from schema_kit.plans.partman import refuse_schema
from schema_kit.tasks import partman


@click.command("apply")
@acts_on_schema
def command(schema: str, url: str | None, form: str, dry_run: bool, lock_timeout: str | None) -> None:
    """Install pg_partman's functions in a schema, or bring them up to date.

    All in one commit. Run again, it replaces what an older version made or what was changed by hand, and nothing
    else; policies stay. A schema that the extension pg_partman lives in is refused.

    Example: schema_kit sql apply --schema partman --dry-run
    """
    refuse_schema(schema)
    with database(url, None) as (connection, catalog):
        sent(partial(partman.install, catalog, schema), connection, catalog, lock_policy(lock_timeout), form, dry_run)
