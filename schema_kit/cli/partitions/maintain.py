"""``schema_kit partitions maintain``: all that a set needs from time to time."""

from __future__ import annotations

import click

from schema_kit.cli.partitions import create_next, retire
from schema_kit.cli.partitions.common import acts, database, lock_policy, policies, work

JOBS = (create_next.decide, retire.decide)
"""In this order for each set: what is missed most comes first."""


@click.command("maintain")
@acts
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Sets at a time.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    workers: int,
) -> None:
    """Look after each set: make what is missing ahead, retire what has outlived its retention.

    Each set is looked after on its own: one that fails does not stop the others, and of two runs at once each finds
    done what the other has done. Made for cron; `partitions check` says whether something is due.

    Example: schema_kit partitions maintain --workers 4
    """
    with database(url, now) as (connection, catalog):
        sets = [one for one, table in catalog.sets(policies(catalog, tables))]
        work("maintain partitions", JOBS, sets, connection, catalog, lock_policy(lock_timeout), form, dry_run, workers)
