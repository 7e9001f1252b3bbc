"""What the commands have in common: the policies."""

from __future__ import annotations

from collections.abc import Sequence

from schema_kit.catalog import Catalog
from schema_kit.cli.options import named
from schema_kit.model import TimeToLive


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
