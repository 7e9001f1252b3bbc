"""What the commands have in common: the policies, and what is observed of one."""

from __future__ import annotations

from collections.abc import Sequence

from schema_kit.catalog import Catalog
from schema_kit.cli.options import named
from schema_kit.model import TimeToLive
from schema_kit.plans import rows, ttl
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan


def policies(catalog: Catalog, tables: Sequence[str]) -> list[TimeToLive]:
    """The policies of the tables that were named, or all.

    Raises:
        PlanError: a table has none.
    """
    known = {policy.table: policy for policy in catalog.ttl_policies()}
    if not tables:
        return list(known.values())
    return named(
        [catalog.relation(table) for table in tables], known, "ttl_policy", "; op.set_ttl_policy registers one"
    )


def removal(catalog: Catalog, policy: TimeToLive) -> tuple[Leaving, Plan]:
    """Which rows of a table have expired, and what removes them.

    Raises:
        PlanError: what is there does not agree with the policy.
    """
    observed = catalog.leaving(policy.table)
    archives = rows.archives(observed, catalog.archive_policies()) if policy.archive_first else {}
    if archives:
        observed = catalog.leaving(policy.table, tuple(archives.values()))
    one = ttl.leaving(policy, observed, catalog.now(), archives)
    return one, rows.remove(one, observed)
