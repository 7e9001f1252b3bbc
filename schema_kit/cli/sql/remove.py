"""``schema_kit sql remove``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.jobs import send
from schema_kit.cli.run import YES, Run, acts_on_schema
from schema_kit.plans.partman import refuse_schema
from schema_kit.tasks import partman


@click.command("remove")
@acts_on_schema
@YES
def command(run: Run, schema: str) -> None:
    """Drop pg_partman's functions; policies and partitions are kept.

    It asks first; without a terminal it requires --yes.

    Example: schema_kit sql remove --schema partman --dry-run
    """
    refuse_schema(schema)
    decide = partial(partman.remove, run.catalog, schema)
    if run.observed(decide):
        run.confirm(f"this drops pg_partman's functions in schema {schema}")
    send(run, decide)
