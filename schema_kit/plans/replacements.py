"""Plan what tables that take a partition's place get of what it had of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schema_kit.model import Copy, CopyTarget, Index, Table
from schema_kit.names import ident
from schema_kit.plans.unpartition import own_checks
from schema_kit.steps.columns_alike import not_null_alike_sql


def heirs(copy: Copy, purpose: str) -> tuple[CopyTarget, ...]:
    """Those of the targets that take the source's place: of a default partition that is drained, the new one alone."""
    return copy.targets if purpose == "split" else tuple(target for target in copy.targets if target.default)


def own_indexes(parent: Table, source: Table | None, purpose: str) -> tuple[Index, ...]:
    """Return the indexes that a partition has, and its parent has not."""
    if source is None or purpose == "convert":
        return ()
    there = {(index.constraint or index.tail, index.unique) for index in parent.indexes}
    own = (index for index in source.indexes if index.parent is None and index.valid and not index.primary)
    return tuple(index for index in own if (index.constraint or index.tail, index.unique) not in there)


def own_sql(parent: Table, source: Table, copy: Copy, purpose: str) -> Iterator[str]:
    """Yield what is sent once the targets exist, as LIKE the parent makes them."""
    checks = [check for check in source.checks if check[0] in _checks(parent, source)]
    for target in heirs(copy, purpose):
        yield not_null_alike_sql(source.name, target.built)
        for name, definition, _ in checks:
            yield f"ALTER TABLE {target.built.sql} ADD CONSTRAINT {ident(name)} {definition}"


def obstacles(parent: Table, source: Table) -> Iterator[str]:
    """Yield what the source has of its own that those which take its place would not have."""
    keys = {key.definition for key in parent.foreign_keys}
    yield from (f"foreign key {key.name} is its own" for key in source.foreign_keys if key.definition not in keys)
    own = _checks(parent, source)
    yield from (f"check {name} is its own and not validated" for name, _, ok in source.checks if name in own and not ok)
    index = source.index(source.replica_identity)
    if index and index.parent is None:
        yield f"its replica identity is index {index.name}, which is its own: make it for {parent.name}, or use another"
    definitions = {one.definition for one in parent.statistics_objects}
    yield from (
        f"statistics {one.name} are its own: make them for {parent.name}, or drop them"
        for one in source.statistics_objects
        if one.definition not in definitions
    )


def _checks(parent: Table, source: Table) -> set[str]:
    """Return those that say more than where the source lies, or what of its parent does not lie there."""
    others = [column.name for column in source.columns if column.name not in parent.partitioned_by]
    texts = {name: text for name, text, _ in source.checks}

    def elsewhere(name: str) -> bool:
        text = texts[name]
        return text.startswith("CHECK ((NOT ") and not any(re.search(rf"\b{re.escape(o)}\b", text) for o in others)

    return {name for name in own_checks(parent, source)[1] if not elsewhere(name)}
