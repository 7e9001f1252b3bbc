"""The policies that commands work by: of partitioned tables, of archives, of time-to-live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.model import ArchivePolicy, Partitioning, TimeToLive
from schema_kit.names import QualifiedName

Policy = TypeVar("Policy", Partitioning, ArchivePolicy, TimeToLive)
Unreadable = Callable[[str, SchemaKitError], None]


class _Kept(NamedTuple):
    where: str
    advice: str
    all: Callable[[Catalog, Unreadable | None], Iterable[Any]]
    named: Callable[[Catalog, list[QualifiedName]], Iterable[Any]]


_KEPT: dict[type, _Kept] = {
    Partitioning: _Kept("part_config", "", Catalog.policies, Catalog.policies_of),
    ArchivePolicy: _Kept(
        "archive_policy",
        "; op.set_archive_policy registers one",
        lambda catalog, _: catalog.archive_policies(),
        lambda catalog, _: catalog.archive_policies(),
    ),
    TimeToLive: _Kept(
        "ttl_policy",
        "; op.set_ttl_policy registers one",
        lambda catalog, _: catalog.ttl_policies(),
        lambda catalog, _: catalog.ttl_policies(),
    ),
}


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
    kept = _KEPT[kind]
    if not tables:
        return list(kept.all(catalog, unreadable))
    names = list(dict.fromkeys(map(catalog.relation, tables)))
    known = {one.parent: one for one in kept.named(catalog, names)}
    if missing := [str(name) for name in names if name not in known]:
        known |= {one.parent: one for one in kept.all(catalog, lambda *_: None)}
        there = ", ".join(map(str, known)) or "none"
        raise PlanError(f"{', '.join(missing)}: no policy in schema_kit.{kept.where} (there: {there}){kept.advice}.")
    return [known[name] for name in names]
