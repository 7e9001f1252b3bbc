"""Checks of bloat: tables and B-trees that take far more room on disk than their rows need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from schema_kit.health.facts import Bloat, Observed
from schema_kit.health.finding import Finding, Repair
from schema_kit.names import QualifiedName
from schema_kit.plans.drift import several

SHARE = 0.5
"""Reported where rows need less than this share of what is taken,"""
WORTH_BYTES = 64 * 1024 * 1024
"""and so many bytes or more would be given back."""


def tables(seen: Observed) -> Iterator[Finding]:
    """Yield tables that take twice what their rows need, or more."""
    for root, found in _by_root(seen, of_indexes=False):
        names = [one.table for one in found]
        sql = " ".join(f"VACUUM (FULL, ANALYZE) {name.sql};" for name in names)
        why = "It writes the table again under ACCESS EXCLUSIVE (pg_repack and pg_squeeze do so while it is in use):"
        yield Finding("table_bloated", root, "", _said(names, found), Repair(sql=sql, why=why))


def indexes(seen: Observed) -> Iterator[Finding]:
    """B-trees that take twice what their entries need, or more."""
    tops = {part.name: index for index, parts in seen.folded for part in (index, *parts)}
    groups = defaultdict[tuple[QualifiedName, QualifiedName], list[Bloat]](list)
    for root, found in _by_root(seen, of_indexes=True):
        for one in found:
            if one.index in tops:
                groups[root, tops[one.index].name].append(one)
    for (root, top), found in groups.items():
        names = [one.index for one in found if one.index]
        call = "; ".join(f"op.reindex_concurrently({name.name!r}, schema={name.schema!r})" for name in names)
        yield Finding("index_bloated", root, top.name, _said(names, found), Repair(call))


def _by_root(seen: Observed, *, of_indexes: bool) -> Iterator[tuple[QualifiedName, list[Bloat]]]:
    groups = defaultdict[QualifiedName, list[Bloat]](list)
    for one in seen.bloated:
        if (one.index is not None) is of_indexes:
            groups[seen.root(one.table)].append(one)
    yield from groups.items()


def _said(names: Sequence[QualifiedName], found: Sequence[Bloat]) -> str:
    taken, needed = (sum(getattr(one, what) for one in found) / 1048576 for what in ("bytes", "needed"))
    return f"{several(names)}: {taken:,.0f} MB on disk, of which the rows need at most about {needed:,.0f} MB."
