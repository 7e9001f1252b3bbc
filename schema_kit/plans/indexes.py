"""Plan indexes on plain and partitioned tables while writes continue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schema_kit.errors import PlanError
from schema_kit.model import Index, IndexDeclaration, Relation
from schema_kit.names import MAX_BYTES, QualifiedName, fit
from schema_kit.steps import Plan, Step
from schema_kit.steps.indexes import (
    REPLACED_COMMENT,
    AdoptIndexes,
    AttachIndex,
    CreateIndexConcurrently,
    CreateParentIndex,
    DropIndexConcurrently,
    DropParentIndex,
    ReindexConcurrently,
    RenameIndexes,
    WaitForBuild,
)

REPLACEMENT = "__replacement"
"""What the name of an index ends in until it takes the place of another."""

REPLACED = "__replaced"
"""What the name of an index ends in from then on until it is dropped."""


def root_of(tree: Sequence[Relation], title: str) -> Relation:
    """Return the table itself.

    Raises:
        PlanError: there is no such table.
    """
    if not tree:
        raise PlanError(f"cannot {title}: there is no such table.")
    return tree[0]


def create_index(declared: IndexDeclaration, tree: Sequence[Relation], printed: str | None = None) -> Plan:
    """Make an index; an INVALID leftover of an earlier try is replaced.

    On a partitioned table: ON ONLY the parent, then each leaf concurrently, then attached; the last one makes the
    parent's valid. New partitions that come up meanwhile get theirs by themselves.

    Args:
        declared: the index.
        tree: the table, then its partitions, parents before children; empty where there is no such table.
        printed: what PostgreSQL prints of the declared index after USING; None where nothing is compared.

    Raises:
        PlanError: no such table, or an index of that name has another definition.
    """
    title = f"create index {declared.name} on {declared.table}"
    root_of(tree, title)
    abort = f"op.drop_index_concurrently({declared.name!r}, schema={declared.table.schema!r})"
    return Plan(title, tuple(_made(_Wanted(declared, printed), tree, title)), abort=abort)


def in_question(declared: IndexDeclaration, tree: Sequence[Relation]) -> bool:
    """Return whether something of the index's name exists, so that its definition has to be compared."""
    return any(
        relation.imagined or _existing(declared, relation, relation.parent if place else None)
        for place, relation in enumerate(tree)
    )


@dataclass(frozen=True)
class _Wanted:
    declared: IndexDeclaration
    printed: str | None
    advice: str = "give the index another name, or build it again as declared with op.replace_index_concurrently"
    places: Mapping[QualifiedName, str | None] = field(default_factory=dict)
    """Where it lies on each table, if it is not declared."""

    def on(self, table: QualifiedName) -> IndexDeclaration:
        """Return what is declared, for one of the tables."""
        return replace(self.declared, tablespace=self.places.get(table, self.declared.tablespace))

    def differs(self, found: Index) -> bool:
        """Return whether an index has another definition than the declared one."""
        return self.printed is not None and (found.tail, found.unique) != (self.printed, self.declared.unique)

    def refuse(self, found: Index, table: QualifiedName) -> PlanError:
        """Shows both definitions."""
        there = f"{'UNIQUE ' if found.unique else ''}INDEX ON {table} USING {found.tail}"
        declared = f"{'UNIQUE ' if self.declared.unique else ''}INDEX ON {table} USING {self.printed}"
        return PlanError(
            f"index {table.sibling(found.name)} has another definition than the declared one. {self.advice}.\n"
            f"  there:    {there}\n"
            f"  declared: {declared}"
        )


def foreign(tree: Sequence[Relation]) -> tuple[QualifiedName, ...]:
    """Return the partitions that are foreign tables."""
    return tuple(name for relation in tree for name in relation.foreign)


def _made(wanted: _Wanted, tree: Sequence[Relation], title: str) -> Iterator[Step]:
    if not (others := foreign(tree)):
        yield from _create(wanted, tree[0], None, tree)
        return
    # Without a part on each partition an index that was made ON ONLY the parent never becomes valid, and foreign
    # tables can have none: only CREATE INDEX on the parent passes them over.
    declared, root = wanted.declared, tree[0]
    if declared.unique:
        raise PlanError(
            f"cannot {title}: it is unique, which no partition that is a foreign table can promise: "
            f"{', '.join(map(str, others))}. Make it on each of the other partitions."
        )
    found = root.index(declared.name)
    if found and wanted.differs(found):
        raise wanted.refuse(found, root.name)
    if found and found.valid:
        return
    if found:
        yield from _drop(root.name.sibling(found.name), root, tree)
    for leaf in (relation for relation in tree if not relation.partitioned):
        name = index_name(declared, leaf, root.name)
        own = None if found and (part := leaf.index(name)) and part.parent else leaf.index(name)
        if own and own.valid and wanted.differs(own):
            raise wanted.refuse(own, leaf.name)
        yield from build(wanted.on(leaf.name), name, leaf.name, own)
    place = wanted.on(root.name).tablespace
    place = None if place == "pg_default" else place
    yield AdoptIndexes(replace(declared, tablespace=place), (*(relation.name for relation in tree[1:]), *others))


def _create(
    wanted: _Wanted, relation: Relation, parent: QualifiedName | None, tree: Sequence[Relation]
) -> Iterator[Step]:
    declared = wanted.on(relation.name)
    found = _existing(declared, relation, parent)
    attached = found is not None and parent is not None and found.parent == parent
    if found and not attached and (found.valid or relation.partitioned) and wanted.differs(found):
        raise wanted.refuse(found, relation.name)
    if found and parent and not attached and found.parent:
        raise PlanError(
            f"index {relation.name.sibling(found.name)} is attached to {found.parent} already, and cannot be to "
            f"{parent}. Rename it."
        )
    name = found.name if found else index_name(declared, relation, parent)
    own = relation.name.sibling(name)
    if relation.partitioned:
        if found is None:
            # PostgreSQL refuses to name the default tablespace for what has no storage.
            place = None if declared.tablespace == "pg_default" else declared.tablespace
            yield CreateParentIndex(replace(declared, name=name, table=relation.name, tablespace=place))
        children = [other for other in tree if other.parent == relation.name]
        below = [step for child in children for step in _create(wanted, child, own, tree)]
        yield from below
        validated = any(isinstance(step, AttachIndex) and step.parent == own for step in below)
        if found and not found.valid and not validated and children:
            # A child that was invalid when it was attached, and was mended since, leaves the parent invalid until any
            # ATTACH is issued again.
            child = _existing(declared, children[0], own)
            assert child is not None  # no step below attaches it
            yield AttachIndex(own, children[0].name.sibling(child.name))
    elif found and not found.valid and found.parent is not None:
        # PostgreSQL does not drop it alone, since it is attached.
        yield from _reindex_one(found, relation)
    else:
        yield from build(declared, name, relation.name, found)
    if parent is not None and not attached:
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
    return _attached(relation, parent) or relation.index(index_name(declared, relation, parent))


def _attached(relation: Relation, parent: QualifiedName | None) -> Index | None:
    return next((index for index in relation.indexes if parent and index.parent == parent), None)


def index_name(declared: IndexDeclaration, relation: Relation, parent: QualifiedName | None) -> str:
    """Return the declared name on the table itself; on a partition the partition's name comes before it."""
    return declared.name if parent is None else child_name(relation, declared.name)


def child_name(partition: Relation, index: str) -> str:
    """Return what a partition's index is called after the parent's."""
    return fit(f"{partition.name.name}_{index}")


# Away


def drop_index(index: QualifiedName, tree: Sequence[Relation]) -> Plan:
    """Drop an index: concurrently, but for the index of a partitioned table, where PostgreSQL knows no such way.

    What an unfinished creation left on the partitions goes first, concurrently.

    Args:
        index: the index.
        tree: its table, then the partitions; empty where there is no such table.

    Raises:
        PlanError: something rests on the index, or it is part of a partitioned one.
    """
    title = f"drop index {index}"
    found = _at_root(index, tree)
    if found is None:
        return Plan(title)
    root = tree[0]
    _refuse_what_rests_on(found, root, tree, title)
    if not root.partitioned:
        return Plan(title, (DropIndexConcurrently(index, root.name),))
    orphans = [step for relation in tree[1:] for step in _drop_orphan(found, relation, tree)]
    return Plan(title, (*orphans, *_drop(index, root, tree)))


def _at_root(index: QualifiedName, tree: Sequence[Relation]) -> Index | None:
    if not tree:
        return None
    return tree[0].index(index.name) or (Index(index.name, "") if tree[0].imagined else None)


def _refuse_what_rests_on(found: Index, root: Relation, tree: Sequence[Relation], title: str) -> None:
    table, index = root.name, root.name.sibling(found.name)
    if found.constraint:
        raise PlanError(
            f"cannot {title}: it carries the constraint {found.name} of {table}, {found.constraint}. Change the "
            "constraint instead (op.drop_constraint_concurrently)."
        )
    if found.parent:
        raise PlanError(
            f"cannot {title}: it is the part of {found.parent} on {table}. Name {found.parent}, whose parts {index} "
            "and the others are."
        )
    for name, part in _parts(found, root, tree):
        if part.needed_by:
            what = "it" if part is found else name.sibling(part.name)
            raise PlanError(
                f"cannot {title}: {' and '.join(part.needed_by)} rests on {what}. That has to go or to rest on another "
                "index first."
            )


def _parts(index: Index, relation: Relation, tree: Sequence[Relation]) -> Iterator[tuple[QualifiedName, Index]]:
    """Yield an index, and those of the partitions that are attached to it, each with its table."""
    yield relation.name, index
    for child in (other for other in tree if other.parent == relation.name):
        if part := _attached(child, relation.name.sibling(index.name)):
            yield from _parts(part, child, tree)


def _below(relation: Relation, tree: Sequence[Relation]) -> list[Relation]:
    children = [other for other in tree if other.parent == relation.name]
    return [deeper for child in children for deeper in (child, *_below(child, tree))]


def _drop(index: QualifiedName, relation: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    if relation.partitioned:
        yield DropParentIndex(index, relation.name, tuple(other.name for other in _below(relation, tree)))
    else:
        yield DropIndexConcurrently(index, relation.name)


def _drop_orphan(parent: Index, relation: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    orphan = relation.index(child_name(relation, parent.name))
    if orphan is None or orphan.parent or orphan.constraint or orphan.needed_by:
        return
    same = (orphan.tail, orphan.unique) == (parent.tail, parent.unique)
    if same or not (orphan.valid or relation.partitioned):
        yield from _drop(relation.name.sibling(orphan.name), relation, tree)


# One in place of another


def replace_index(
    declared: IndexDeclaration, tree: Sequence[Relation], printed: str | None, names_of_parts: bool = True
) -> Plan:
    """Give an index another definition; there is no moment without one.

    The new one is built under a name of its own, takes the old one's name in one commit, and then the old one goes.
    Where no valid index has the name, the declared one is created.

    Args:
        declared: the new index.
        tree: its table, then the partitions; empty where there is no such table.
        printed: what PostgreSQL prints of the declared index after USING.
        names_of_parts: the names of the partitions' indexes are known, and change too.

    Raises:
        PlanError: no such table, or something rests on the index, or it is part of a partitioned one, or another index
            has one of the two names that are needed for a while.
    """
    title = f"replace index {declared.name} on {declared.table}"
    root, index = root_of(tree, title), declared.table.sibling(declared.name)
    new, aside = fit(declared.name, REPLACEMENT), fit(declared.name, REPLACED)
    old = _at_root(index, tree)
    wanted = _Wanted(declared, printed)
    if old is None or not wanted.differs(old) or not (old.valid or root.partitioned):
        begun = root.index(new)
        left = [new] if begun and not wanted.differs(begun) else []
        left += [aside] if _is_replaced(root.index(aside)) else []
        steps = [*_made(wanted, tree, title), *_drop_all(left, root, tree)]
        return Plan(title, tuple(steps))
    _refuse_what_rests_on(old, root, tree, title)
    in_the_way = root.index(aside)
    if in_the_way and not _is_replaced(in_the_way):
        raise PlanError(f"cannot {title}: there is an index {aside} of {root.name}. Rename it.")
    advice = f"drop it (op.drop_index_concurrently) if an earlier replacement of {index} has left it, or rename it"
    parts = tuple(_parts(old, root, tree))
    places = {} if declared.tablespace else {table: part.tablespace for table, part in parts}
    wanted = _Wanted(replace(declared, name=new), printed, advice, places)
    steps = [*_drop_all([aside] if in_the_way else [], root, tree)]
    steps += _made(wanted, tree, title)
    below = list(_renamed_parts(declared.name, index, index.sibling(new), root, tree)) if names_of_parts else []
    renames = ((index, aside), (index.sibling(new), declared.name), *below)
    alike = tuple(_alike(old, new, root, tree))
    marks = () if root.imagined else tuple((table.sibling(part.name), part.marks) for table, part in parts)
    steps += [
        RenameIndexes(root.name, index, aside, renames, old.comment, alike, marks),
        *_drop_all([aside], root, tree),
    ]
    return Plan(title, tuple(steps))


def _is_replaced(index: Index | None) -> bool:
    return index is not None and index.comment == REPLACED_COMMENT


def _drop_all(names: Sequence[str], root: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    for name in names:
        yield from _drop(root.name.sibling(name), root, tree)


def _alike(
    old: Index, new: str, relation: Relation, tree: Sequence[Relation]
) -> Iterator[tuple[QualifiedName, QualifiedName, QualifiedName]]:
    """Which new index gets an old one's statistics targets and CLUSTER's mark; parts of both, their comments, too."""
    if old.statistics or old.clustered or (old.parent and old.comment is not None):
        yield relation.name.sibling(old.name), relation.name, relation.name.sibling(new)
    for child in (other for other in tree if other.parent == relation.name):
        before, after = (_attached(child, relation.name.sibling(name)) for name in (old.name, new))
        if before:
            yield from _alike(before, after.name if after else child_name(child, new), child, tree)


def _renamed_parts(
    name: str, old: QualifiedName, new: QualifiedName, relation: Relation, tree: Sequence[Relation]
) -> Iterator[tuple[QualifiedName, str]]:
    for child in (other for other in tree if other.parent == relation.name):
        before, after = _attached(child, old), _attached(child, new)
        wanted, taken = child_name(child, name), child.index(child_name(child, name))
        now = after.name if after else child_name(child, fit(name, REPLACEMENT))
        if before and before.name == wanted:
            yield child.name.sibling(wanted), child_name(child, fit(name, REPLACED))
        if now != wanted and (taken is None or taken == before):
            yield child.name.sibling(now), wanted
        old_part = child.name.sibling(before.name if before else wanted)
        yield from _renamed_parts(name, old_part, child.name.sibling(now), child, tree)


# Again


def reindex_index(index: QualifiedName, tree: Sequence[Relation]) -> Plan:
    """Build an index again, concurrently; a partitioned one part by part.

    Args:
        index: the index.
        tree: its table, then the partitions; empty where there is no such index.

    Raises:
        PlanError: there is no such index, or it carries an exclusion constraint.
    """
    title = f"build index {index} again"
    found = _at_root(index, tree)
    if found is None:
        raise PlanError(f"cannot {title}: there is no such index.")
    if found.exclusion:
        raise PlanError(
            f"cannot {title}: it carries the exclusion constraint {found.name} of {tree[0].name}, which PostgreSQL "
            "builds with writes stopped only (REINDEX INDEX)."
        )
    return Plan(title, tuple(_reindex(found, tree[0], tree)))


def _reindex(found: Index, relation: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    if relation.partitioned:
        for child in (other for other in tree if other.parent == relation.name):
            if part := _attached(child, relation.name.sibling(found.name)):
                yield from _reindex(part, child, tree)
        yield from _validate(found, relation, tree)
        return
    for leftover in relation.indexes:
        if _is_leftover(leftover, found.name):
            yield from _drop_leftover(leftover, relation)
    yield from _reindex_one(found, relation)


def _reindex_one(found: Index, relation: Relation) -> Iterator[Step]:
    if found.building:
        yield WaitForBuild(found.name, relation.name)
    yield ReindexConcurrently("INDEX", relation.name.sibling(found.name), relation.name)


def reindex_table(
    table: QualifiedName, tree: Sequence[Relation], toast: Sequence[tuple[QualifiedName, QualifiedName]]
) -> Plan:
    """Build all indexes of a table again, concurrently; those of a partitioned one partition by partition.

    Args:
        table: the table.
        tree: it and its partitions; empty where there is no such table.
        toast: INVALID leftovers of an earlier try on TOAST tables: the index, and the TOAST table.

    Raises:
        PlanError: there is no such table.
    """
    title = f"build the indexes of {table} again"
    root_of(tree, title)
    steps: list[Step] = [DropIndexConcurrently(index, owner) for index, owner in toast]
    for relation in tree:
        if not relation.partitioned:
            steps += _reindex_leaf(relation)
    for relation in reversed(tree):
        if relation.partitioned:
            steps += [step for index in relation.indexes for step in _validate(index, relation, tree)]
    return Plan(title, tuple(steps))


def _reindex_leaf(relation: Relation) -> Iterator[Step]:
    leftovers = [index for index in relation.indexes if _is_leftover(index)]
    for leftover in leftovers:
        yield from _drop_leftover(leftover, relation)
    yield ReindexConcurrently("TABLE", relation.name, relation.name)
    for index in relation.indexes:
        # REINDEX TABLE passes them over.
        if not (index.valid or index in leftovers or index.exclusion):
            yield from _reindex_one(index, relation)


def _validate(found: Index, relation: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    """A partitioned index stays INVALID when its parts have been mended, until any ATTACH is issued again."""
    own = relation.name.sibling(found.name)
    children = [other for other in tree if other.parent == relation.name]
    parts = [_attached(child, own) for child in children]
    if not found.valid and parts and all(parts):
        assert parts[0] is not None  # all of them exist
        yield AttachIndex(own, children[0].name.sibling(parts[0].name))


def _is_leftover(index: Index, of: str | None = None) -> bool:
    """Whether REINDEX CONCURRENTLY has left it behind: INVALID and named <index>_ccnew, _ccold1, ..., made to fit."""
    match = re.fullmatch(r"(.*)_cc(?:new|old)\d*", index.name, re.DOTALL)
    if match is None or index.valid or index.parent or index.constraint:
        return False
    cut = len(index.name.encode()) > MAX_BYTES - 4
    return of is None or match[1] == of or (cut and of.startswith(match[1]))


def _drop_leftover(leftover: Index, relation: Relation) -> Iterator[Step]:
    if leftover.building:
        yield WaitForBuild(leftover.name, relation.name)
    else:
        yield DropIndexConcurrently(relation.name.sibling(leftover.name), relation.name)
