"""``schema_kit partitions hand-over``."""

from __future__ import annotations

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.run import Run, acts
from schema_kit.model import Partitioning
from schema_kit.tasks.policies import hand_over


@click.command("hand-over")
@acts
@click.option("--schema", help="Where pg_partman lives, if there are several.")
@click.option("--rename", is_flag=True, help="Give partitions the names that pg_partman would give them.")
def command(run: Run, schema: str | None, rename: bool) -> None:
    """Hand a partitioned table over to the extension pg_partman; adopt --take-over reverses it.

    For pg_partman 4.7 and 5. In one commit, without a lock on the table, with the partitions that are partitioned
    themselves; names stay as they are. With --rename, each partition of another name is renamed, which locks it briefly
    (ACCESS EXCLUSIVE). `schema_kit partitions adopt --take-over` brings it back, with later changes of its policy.

    Example: schema_kit partitions hand-over public.events --dry-run
    """
    if not run.tables:
        raise click.UsageError("name the tables: nothing is handed over that was not named")
    sets = [(Partitioning(name, "", ""), None) for name in run.names()]
    job: Job[Partitioning] = Job("hand sets over", lambda catalog, one: hand_over(catalog, one.parent, schema, rename))
    work(run, "hand sets over", [job], sets)
