"""``schema_kit partitions hand-over``."""

from __future__ import annotations

import click

from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.work import Job, work
from schema_kit.model import Partitioning
from schema_kit.tasks.policies import hand_over


@click.command("hand-over")
@acts
@click.option("--schema", help="Where pg_partman lives, if there are several.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    schema: str | None,
) -> None:
    """Give a set to the extension pg_partman, 4.7 or 5: its policy goes there, and schema_kit leaves it alone.

    In one commit, without a lock on the set; names stay as they are. `schema_kit partitions adopt --take-over` brings
    it back, with what was changed of its policy there.

    Example: schema_kit partitions hand-over public.events --dry-run
    """
    if not tables:
        raise click.UsageError("name the tables: nothing is handed over that was not named")
    with database(url, now) as (connection, catalog):
        sets = [(Partitioning(catalog.relation(table), "", ""), None) for table in tables]
        job: Job[Partitioning] = Job("hand sets over", lambda catalog, one: hand_over(catalog, one.parent, schema))
        work("hand sets over", [job], sets, connection, catalog, lock_policy(lock_timeout), form, dry_run)
