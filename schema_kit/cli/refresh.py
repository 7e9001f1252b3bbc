"""``schema_kit refresh``."""

from __future__ import annotations

from dataclasses import dataclass

import click

from schema_kit.cli.jobs import Job, work
from schema_kit.cli.run import DRY_RUN, LOCK_TIMEOUT, QUIET, URL, Run, formats, runs
from schema_kit.names import QualifiedName
from schema_kit.tasks import views


@dataclass(frozen=True)
class _View:
    parent: QualifiedName


@click.command("refresh")
@runs(
    DRY_RUN,
    LOCK_TIMEOUT,
    QUIET,
    click.argument("tables", nargs=-1, required=True, metavar="VIEW..."),
    URL,
    formats("text", "json", "sql"),
)
def refresh(run: Run) -> None:
    """Refresh materialized views while they are read.

    Each one as op.refresh_materialized_view_concurrently does: concurrently, with the help of its unique index, or, if
    it was never filled, by a plain REFRESH. Readers continue. A view that fails does not stop the others; of two runs
    at once one works on a view. Made for cron.

    Example: schema_kit refresh market_research.category_metrics
    """
    job = Job[_View]("refresh", lambda catalog, view: views.refresh(catalog, view.parent))
    work(run, "refresh", [job], [(_View(name), None) for name in run.names()])
