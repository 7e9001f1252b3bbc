"""``schema_kit partitions maintain``: all that a set needs from time to time."""

from __future__ import annotations

import click

from schema_kit.cli.archive import run as archive
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import analyze, create_next, drain_default, fill_gaps, retire
from schema_kit.cli.partitions.policies import policies
from schema_kit.cli.work import work
from schema_kit.errors import SchemaKitError

JOBS = (
    drain_default.JOB,
    create_next.JOB,
    *fill_gaps.jobs(),
    archive.OF_SET,
    retire.JOB,
    retire.OF_ARCHIVE,
    analyze.JOB,
)
"""In this order for each set: rows in the default partition would be in the way of new ones, while none is refused."""


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
    """Look after each set: drain its default partition, make what is missing, archive and retire what is due.

    Then it is analyzed as a whole, which autovacuum never does, where its statistics are off by more than a tenth;
    before PostgreSQL 18, where that reads every partition, at most once a day.

    Of its archive, too, retired is what is due by that one's own retention.

    Each set is looked after on its own: one that fails does not stop the others, and of two runs at once each finds
    done what the other has done. Made for cron; `partitions check` says whether something is due.

    Example: schema_kit partitions maintain --workers 4
    """
    bad = list[SchemaKitError]()
    with database(url, now) as (connection, catalog):
        sets = catalog.sets(policies(catalog, tables, lambda _, error: bad.append(error)))
        work(
            "maintain partitions",
            JOBS,
            sets,
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
            workers,
            unreadable=bad,
        )
