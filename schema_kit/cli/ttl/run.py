"""``schema_kit ttl run``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.jobs import Job, foreseen, work
from schema_kit.cli.run import Run, acts
from schema_kit.errors import SchemaKitError
from schema_kit.model import TimeToLive
from schema_kit.plans.ttl import in_order
from schema_kit.steps import Step
from schema_kit.steps.retirement import DropPartition
from schema_kit.steps.rows import RemoveRows
from schema_kit.tasks import ttl


@click.command("run")
@acts
@click.option("--yes", is_flag=True, help="Do not ask: for cron.")
def command(run: Run) -> None:
    """Delete expired rows, referencing rows first.

    Without TABLE: every policy that ttl_policy holds, those of other tables' trees first. Rows go in batches of about
    half a second, each a commit of its own, with pauses for replicas and for vacuum. Locked rows are skipped until the
    next run; no lock is waited for beyond the lock budget. Where a table is partitioned by the column, partitions that
    have expired as a whole are detached and dropped instead, unless rows refer to them or the table has a retention of
    its own. It asks first; without a terminal it requires --yes.

    Example: schema_kit ttl run rag_chat.user_sessions --dry-run
    """
    wanted = _in_order(run.catalog, run.policies(TimeToLive))
    steps = [] if run.yes or run.dry_run else foreseen(partial(ttl.run, run.catalog), wanted)
    if gone := [step.summary for step in steps if _for_good(step)]:
        click.echo("\n".join(f"  {line}" for line in gone), err=True)
        run.confirm("this removes these rows for good")
    work(run, "remove expired rows", [Job("remove expired rows", ttl.run)], [(one, None) for one in wanted])


def _in_order(catalog: Catalog, wanted: list[TimeToLive]) -> list[TimeToLive]:
    found = []
    for one in wanted:
        try:
            found.append((one, len(ttl.removal(catalog, one)[1].steps)))
        except SchemaKitError:
            found.append((one, 0))  # said when its turn comes
    return in_order(found)


def _for_good(step: Step) -> bool:
    return isinstance(step, DropPartition) or (isinstance(step, RemoveRows) and step.archive is None)
