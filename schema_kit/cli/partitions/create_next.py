"""``schema_kit partitions create-next``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.partitions import analyze
from schema_kit.cli.partitions.policies import policies
from schema_kit.cli.work import Job, work
from schema_kit.errors import SchemaKitError
from schema_kit.tasks.partitions import create_next, create_next_due

JOB = Job("create next partitions", create_next, create_next_due)


@click.command("create-next")
@acts
@click.option("--premake", type=click.IntRange(1), help="Partitions to keep ahead, instead of the policy's number.")
@click.option("--until", help="Make all that are missing from the present to there: 2027-12-31, or an id.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    premake: int | None,
    until: str | None,
) -> None:
    """Make the current partition and the premade ones ahead of it, where they are missing.

    Without TABLE: every set that part_config holds. Run it from cron as often as you like: it makes what is missing,
    and says when there is nothing to do. Writers go on meanwhile. At most 1000 partitions are kept ahead.

    Example: schema_kit partitions create-next line_support.conversation --dry-run
    """
    bad = list[SchemaKitError]()
    with database(url, now) as (connection, catalog):
        wanted = [
            replace(one, premake=premake or one.premake)
            for one in policies(catalog, tables, lambda _, error: bad.append(error))
        ]
        job = Job(JOB.title, partial(create_next, until=until), partial(create_next_due, until=until))
        work(
            "create next partitions",
            [job, analyze.JOB],
            catalog.sets(wanted),
            connection,
            catalog,
            lock_policy(lock_timeout),
            form,
            dry_run,
            unreadable=bad,
        )
