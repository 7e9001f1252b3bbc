"""The policies that commands work by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from schema_kit.catalog import Catalog
from schema_kit.cli.options import named
from schema_kit.errors import SchemaKitError
from schema_kit.model import Partitioning


def policies(
    catalog: Catalog, tables: Sequence[str], unreadable: Callable[[str, SchemaKitError], None] | None = None
) -> list[Partitioning]:
    """The policies of the tables that were named, or all that maintenance is on for (automatic_maintenance).

    Args:
        catalog: where they are.
        tables: as they were named.
        unreadable: is told of rows of part_config that are no policies.

    Raises:
        PlanError: a table has none.
        DeclarationError: a row is no policy, and *unreadable* is not there to be told.
    """
    if not tables:
        return list(catalog.policies(unreadable))
    names = list(dict.fromkeys(catalog.relation(table) for table in tables))
    known = {policy.parent: policy for policy in catalog.policies_of(names)}
    if len(known) < len(names):  # those that there are, for the message
        known |= {policy.parent: policy for policy in catalog.policies(lambda *_: None)}
    return named(names, known, "part_config")
