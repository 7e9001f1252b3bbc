"""``schema_kit partitions hand-over``."""

from __future__ import annotations

from functools import partial

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.options import acts, database, lock_policy
from schema_kit.cli.work import Job, work
from schema_kit.errors import PlanError
from schema_kit.model import Partitioning
from schema_kit.plans.handover import hand_over
from schema_kit.plans.policies import partitioned_already
from schema_kit.steps import Plan


def decide(catalog: Catalog, one: Partitioning, schema: str | None) -> Plan:
    """What the hand-over needs; nothing where it is done."""
    policy = catalog.policy(one.parent)
    if policy is None:
        raise PlanError(f"{one.parent} has no policy in schema_kit.part_config.")
    row = catalog.policy_row(one.parent)
    if row.get("automatic_maintenance") == "off" and any(hint.maintained for hint in catalog.told(one.parent)):
        return Plan(f"hand {one.parent} over to pg_partman")
    table = partitioned_already(policy, catalog.table(one.parent))
    return hand_over(policy, row, table, catalog.partman_configs(), schema)


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
        job = Job("hand sets over", partial(decide, schema=schema))
        work("hand sets over", [job], sets, connection, catalog, lock_policy(lock_timeout), form, dry_run)
