"""``schema_kit sql apply``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.jobs import send
from schema_kit.cli.run import Run, acts_on_schema
from schema_kit.plans.partman import refuse_schema
from schema_kit.tasks import partman


@click.command("apply")
@acts_on_schema
def command(run: Run, schema: str) -> None:
    """Install or update pg_partman's functions in a schema.

    All in one commit. Run again, it replaces what an older version made or what was changed by hand, and nothing
    else; policies stay. A schema that the extension pg_partman lives in is refused.

    Example: schema_kit sql apply --schema partman --dry-run
    """
    refuse_schema(schema)
    send(run, partial(partman.install, run.catalog, schema))
