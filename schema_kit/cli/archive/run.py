"""``schema_kit archive run``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.partitions import analyze
from schema_kit.cli.renamed import Renamed
from schema_kit.cli.run import Run, acts
from schema_kit.model import ArchivePolicy
from schema_kit.tasks import archiving

OF_SET = Job("archive", archiving.run_set, archiving.run_set_due)
"""For commands that look after partitioned tables."""


@click.command("run", cls=Renamed, old={"--yes": ""})
@acts
@click.option("--restored", is_flag=True, help="Also what was restored from the archive.")
def command(run: Run, restored: bool) -> None:
    """Move due partitions and rows of each table to its archive.

    Without TABLE: every policy of schema_kit.archive_policy. By partition, one is due when it ends further behind the
    current position than archive_after; the oldest ones also while the table has more rows than max_rows. A partition
    is detached concurrently and attached to the archive; no row is copied or scanned. Where a view shows the table and
    the archive, both happen in one commit, behind a check that is validated beforehand, so that its readers see each
    row once at every moment; also where there is a default partition, and in a table that refers to itself. A partition
    that others need still (rows that refer to it, publications) stays where it is, and each run says so. By rows, those
    that are due go in batches of about half a second, each deleted from the table and inserted into the archive by one
    statement, the rows of its tree first; locked rows are skipped until the next run. Partitions older than cold_after
    go on from the archive to the server of op.create_cold_archive: copied, compared, and swapped in one commit. It
    never asks: no row is lost.

    Example: schema_kit archive run bots.messages --dry-run
    """
    wanted = run.policies(ArchivePolicy)
    job = Job("archive", partial(archiving.run, again=restored))
    work(run, "archive", [job, analyze.OF_ARCHIVE], [(one, None) for one in wanted])
