"""Indexes on plain and partitioned tables, beside live traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from schema_kit.errors import PlanError
from schema_kit.model import Index, IndexDeclaration, Relation
from schema_kit.names import QualifiedName, fit
from schema_kit.steps import Plan, Step
from schema_kit.steps.indexes import (
    AttachIndex,
    CreateIndexConcurrently,
    CreateParentIndex,
    DropIndexConcurrently,
    DropParentIndex,
    WaitForBuild,
)


def create_index(declared: IndexDeclaration, tree: Sequence[Relation]) -> Plan:
    """Make an index; an INVALID leftover of an earlier try is replaced.

    On a partitioned table: ON ONLY the parent, then each leaf concurrently, then attached; the last one makes the
    parent's valid. New partitions that come up meanwhile get theirs by themselves.

    Args:
        declared: the index.
        tree: the table, then its partitions, parents before children; empty where there is no such table.

    Raises:
        PlanError: no such table, or another session is building the index.
    """
    title = f"create index {declared.name} on {declared.table}"
    if not tree:
        raise PlanError(f"cannot {title}: there is no such table. Nothing was changed.")
    return Plan(title, tuple(_create(declared, tree[0], None, tree)))


def _create(
    declared: IndexDeclaration, relation: Relation, parent: QualifiedName | None, tree: Sequence[Relation]
) -> Iterator[Step]:
    found = _existing(declared, relation, parent)
    name = found.name if found else index_name(declared, relation, parent)
    own = relation.name.sibling(name)
    if relation.partitioned:
        if found is None:
            yield CreateParentIndex(replace(declared, name=name, table=relation.name))
        children = [other for other in tree if other.parent == relation.name]
        below = [step for child in children for step in _create(declared, child, own, tree)]
        yield from below
        if found and not found.valid and not below and children:
            # A child that was invalid when it was attached, and was mended since, leaves the parent invalid until any
            # ATTACH is issued again.
            child = _existing(declared, children[0], own)
            assert child is not None  # nothing was left to do below
            yield AttachIndex(own, children[0].name.sibling(child.name))
    else:
        if found and not found.valid and found.parent is not None:
            raise PlanError(
                f"index {own} is INVALID and already attached to {found.parent}; PostgreSQL does not drop it alone. "
                f"Nothing was changed; run REINDEX INDEX CONCURRENTLY {own.sql} and then this again."
            )
        yield from build(declared, name, relation.name, found)
    if parent is not None and (found is None or found.parent != parent):
        yield AttachIndex(parent, own)


def build(declared: IndexDeclaration, name: str, table: QualifiedName, found: Index | None) -> Iterator[Step]:
    """Make one table's index: nothing if it is valid, again if it is an INVALID leftover, later if others build it."""
    if found and found.valid:
        return
    if found and found.building:
        yield WaitForBuild(name, table)
    elif found:
        yield DropIndexConcurrently(table.sibling(name), table)
    yield CreateIndexConcurrently(declared, name, table)


def _existing(declared: IndexDeclaration, relation: Relation, parent: QualifiedName | None) -> Index | None:
    attached = next((index for index in relation.indexes if parent and index.parent == parent), None)
    return attached or relation.index(index_name(declared, relation, parent))


def index_name(declared: IndexDeclaration, relation: Relation, parent: QualifiedName | None) -> str:
    """The declared name on the table itself; on a partition the partition's name comes before it."""
    return declared.name if parent is None else fit(f"{relation.name.name}_{declared.name}")


def drop_index(index: QualifiedName, tree: Sequence[Relation]) -> Plan:
    """Drop an index: concurrently, but for the index of a partitioned table, where PostgreSQL knows no such way.

    Args:
        index: the index.
        tree: its table, then the partitions; empty where there is no such table.
    """
    title = f"drop index {index}"
    if not tree or tree[0].index(index.name) is None:
        return Plan(title)
    root = tree[0]
    if root.partitioned:
        return Plan(title, (DropParentIndex(index, root.name, tuple(relation.name for relation in tree[1:])),))
    return Plan(title, (DropIndexConcurrently(index, root.name),))
