"""The policies that commands work by: of partitioned tables, of archives, of time-to-live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import ArchivePolicy, Partitioning, TimeToLive
from schema_kit.storage import ARCHIVE_POLICY, PART_CONFIG, TTL_POLICY

Policy = TypeVar("Policy", Partitioning, ArchivePolicy, TimeToLive)
Unreadable = Callable[[str, SchemaKitError], None]


_ADVICE = {ArchivePolicy: "; op.set_archive_policy registers one", TimeToLive: "; op.set_ttl_policy registers one"}
_TABLES = {Partitioning: PART_CONFIG, ArchivePolicy: ARCHIVE_POLICY, TimeToLive: TTL_POLICY}


def _all(catalog: Catalog, kind: type, unreadable: Unreadable | None) -> Iterable[Any]:
    if kind is Partitioning:
        return catalog.policies(unreadable)
    return catalog.archive_policies() if kind is ArchivePolicy else catalog.ttl_policies()


def policies(
    catalog: Catalog, kind: type[Policy], tables: Sequence[str] = (), unreadable: Unreadable | None = None
) -> list[Policy]:
    """Return the policies of the tables that were named, or all; of partitioned tables all that maintenance is on for.

    Args:
        catalog: where they are.
        kind: of what.
        tables: as they were named.
        unreadable: is given rows of part_config that are no policies.

    Raises:
        PlanError: a table has none.
        DeclarationError: a row is not a policy, and *unreadable* is left out.
    """
    if not tables:
        return list(_all(catalog, kind, unreadable))
    names = list(dict.fromkeys(map(catalog.relation, tables)))
    found = catalog.policies_of(names) if kind is Partitioning else _all(catalog, kind, None)
    known = {one.parent: one for one in found}
    if missing := [str(name) for name in names if name not in known]:
        known |= {one.parent: one for one in _all(catalog, kind, lambda *_: None)}
        there = ", ".join(map(str, known)) or "none"
        advice = _ADVICE.get(kind, "")
        raise PlanError(f"{', '.join(missing)}: no policy in {_TABLES[kind]} (there: {there}){advice}.")
    return [known[name] for name in names]
