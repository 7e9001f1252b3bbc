"""``schema_kit partitions drain-default``."""

from __future__ import annotations

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.partitions.common import acts, database, lock_policy, policies, work
from schema_kit.model import Partitioning
from schema_kit.ops import copying as ops
from schema_kit.plans import copying
from schema_kit.steps import Plan


@click.command("drain-default")
@acts
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Sessions that copy at once.")
@click.option("--abort", is_flag=True, help="Give it up: all that it has made so far goes.")
def command(
    tables: tuple[str, ...],
    url: str | None,
    now: str | None,
    form: str,
    dry_run: bool,
    lock_timeout: str | None,
    workers: int,
    abort: bool,
) -> None:
    """Give the rows of a default partition partitions of their own, while it is in use.

    Without TABLE: every set that part_config holds. Rows are copied, the keys of those that change meanwhile are
    logged and replayed, what was copied is compared, and one short commit swaps: readers of the table see every row at
    every moment. Interrupted, it goes on where it stopped when it is run again; --abort takes back what it has made.

    Example: schema_kit partitions drain-default line_support.conversation --workers 2
    """

    def decide(catalog: Catalog, one: Partitioning) -> Plan:
        if not abort:
            return ops.drain(catalog, one)
        table = catalog.table(one.parent)
        default = next((p.name for p in table.partitions if p.default), None) if table else None
        if default is None:
            return Plan("give up")
        return copying.abandon(default, catalog.copying(default, table, one, "drain"))

    with database(url, now) as (connection, catalog):
        sets = [one for one, _ in catalog.sets(policies(catalog, tables))]
        policy = lock_policy(lock_timeout)
        work("drain the default", [decide], sets, connection, catalog, policy, form, dry_run, sessions=workers)
