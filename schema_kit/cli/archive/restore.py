"""``schema_kit archive restore``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.renamed import ENDS, Renamed
from schema_kit.cli.run import Run, acts
from schema_kit.model import ArchivePolicy
from schema_kit.names import QualifiedName
from schema_kit.tasks.restore import restore


@click.command("restore", cls=Renamed, old=ENDS)
@acts
@click.option("--since", help="Where it begins: 2026-01-01, or an id.")
@click.option("--until", help="Where it ends, exclusive.")
@click.option("--where", help="By rows: SQL over the table's columns, as well or instead.")
@click.option("--beside", help="The table that takes it instead; made where it is not there.")
def command(run: Run, since: str | None, until: str | None, where: str | None, beside: str | None) -> None:
    """Move a range of rows from an archive back to its table, or to a new table.

    Dates are read in the time zone of the table's policy; in UTC, where neither TABLE nor its archive is partitioned by
    that column. Partitions that lie in the range are detached from the archive and attached, without copying a row.
    Where the range begins or ends within a partition, or the table has a partition there already, rows go in batches:
    those that exist already, equal in every column, are not inserted twice; the same key with other values is refused
    before anything is written. Partitions on a cold server are copied back to the archive first, and dropped there.

    Rows that were archived one by one (way=rows) go so, too, by the column that their age is counted from, or by
    --where; then the rows that referenced them. Locked rows are skipped: run it again. What was restored is ignored by
    `archive run` until that is called with --restored; time-to-live policies ignore restores. Triggers of the table
    fire for rows that go one by one.

    Example: schema_kit archive restore bots.messages --since 2026-01-01 --until 2026-03-01
    """
    if len(run.tables) != 1:
        raise click.UsageError("name one table")
    if (since is None) is not (until is None):
        raise click.UsageError("--since and --until come together")
    wanted = run.policies(ArchivePolicy)
    name = QualifiedName.parse(beside, wanted[0].table.schema) if beside else None
    job = Job("archive", partial(restore, since=since, until=until, where=where, beside=name))
    work(run, "archive", [job], [(one, None) for one in wanted])
