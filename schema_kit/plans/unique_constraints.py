"""Plan unique constraints and primary keys: over indexes that are built concurrently, leaf by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from schema_kit.errors import PlanError
from schema_kit.model import Index, IndexDeclaration, IndexElement, KeyDeclaration, Relation
from schema_kit.names import QualifiedName, fit, ident, idents
from schema_kit.plans import indexes
from schema_kit.plans.constraints import refuse_foreign
from schema_kit.plans.indexes import root_of
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddKeyUsingIndex, AddParentKey, key_sql
from schema_kit.steps.indexes import AttachIndex


def create_key(
    declared: KeyDeclaration,
    tree: Sequence[Relation],
    not_null: Sequence[Plan] = (),
    printed: str | None = None,
    owner: QualifiedName | None = None,
) -> Plan:
    """Add a unique constraint or a primary key over an index that is built concurrently.

    On a partitioned table: the parent's, invalid; each leaf's over its own index; then attached.

    Args:
        declared: the constraint.
        tree: the table, then its partitions.
        not_null: the plans that make a primary key's columns NOT NULL first.
        printed: what PostgreSQL prints of the index after USING; None where nothing is compared.
        owner: the table that has an index of that name.

    Raises:
        PlanError: no such table, or a constraint or index of that name is something else.
    """
    title = f"create {'primary key' if declared.primary else 'unique constraint'} {declared.name} on {declared.table}"
    root = root_of(tree, title)
    if owner and owner != declared.table:
        raise PlanError(f"cannot {title}: {owner} has an index of that name.")
    if root.check(declared.name) or any(key.name == declared.name for key in root.foreign_keys):
        raise PlanError(f"cannot {title}: there is another constraint of that name.")
    primary = next((index for index in root.indexes if index.primary), None)
    if declared.primary and primary and primary.name != declared.name:
        raise PlanError(f"{declared.table} has a primary key already: {primary.name}.")
    refuse_foreign(title, tree)
    for relation in tree:
        if missing := [column for column in relation.key if column not in declared.columns]:
            raise PlanError(
                f"cannot {title}: {relation.name} is partitioned by {', '.join(missing)}, and PostgreSQL requires all "
                "columns of the partition key among those of the constraint."
            )
    first = tuple(step for plan in not_null for step in plan.steps)
    return Plan(title, (*first, *_key(declared, root, None, tree, printed)))


def key_index(declared: KeyDeclaration) -> IndexDeclaration:
    """Return the index that the constraint rests on."""
    return IndexDeclaration(
        declared.name,
        declared.table,
        tuple(IndexElement(ident(column)) for column in declared.columns),
        unique=True,
        nulls_not_distinct=declared.nulls_not_distinct,
        include=declared.include,
    )


def bare_index_in_question(declared: KeyDeclaration, tree: Sequence[Relation]) -> bool:
    """Whether an index has the name of one that is needed and no constraint, so that its definition is compared."""
    names = [declared.name, *(_partition_name(declared, relation) for relation in tree[1:])]
    found = [relation.index(name) for relation, name in zip(tree, names, strict=False)]
    return any(index and index.constraint is None for index in found)


def _refuse_other_key(declared: KeyDeclaration, relation: Relation, found: Index, printed: str | None) -> None:
    if found.constraint is None:
        same = found.unique and (not found.valid or printed in (None, found.tail)) and not relation.partitioned
    else:
        # A constraint's definition is its kind, its columns, and what is said only where it is not the default.
        nulls = " NULLS NOT DISTINCT" if declared.nulls_not_distinct else ""
        begin = "PRIMARY KEY (" if declared.primary else f"UNIQUE{nulls} ("
        include = f") INCLUDE ({idents(declared.include)}" if declared.include else ""
        deferred = f" {declared.deferred}".rstrip()
        same = (
            found.columns == declared.columns
            and found.constraint.startswith(begin)
            and found.constraint.replace('"', "").endswith(f"{include}){deferred}".replace('"', ""))
            and bool(include) is (") INCLUDE (" in found.constraint)
        )
    if not same:
        there = found.constraint or f"{'UNIQUE ' if found.unique else ''}INDEX USING {found.tail}"
        raise PlanError(
            f"{found.name} of {relation.name} exists and is something else:\n"
            f"  there:    {there}\n  declared: {key_sql(declared)}\nDrop or rename it first."
        )


def _key(
    declared: KeyDeclaration,
    relation: Relation,
    parent: QualifiedName | None,
    tree: Sequence[Relation],
    printed: str | None,
) -> Iterator[Step]:
    attached = next((index for index in relation.indexes if parent and index.parent == parent), None)
    name = attached.name if attached else declared.name if parent is None else _partition_name(declared, relation)
    own, found = relation.name.sibling(name), relation.index(name)
    if found:
        _refuse_other_key(declared, relation, found, printed)
    if relation.partitioned:
        if found is None:
            yield AddParentKey(declared, name, relation.name)
        children = [other for other in tree if other.parent == relation.name]
        steps = [step for child in children for step in _key(declared, child, own, tree, printed)]
        yield from steps
        if found and not found.valid and children and not steps:
            child = next(index for index in children[0].indexes if index.parent == own)
            yield AttachIndex(own, children[0].name.sibling(child.name))
    else:
        index = replace(key_index(declared), name=name, table=relation.name)
        yield from indexes.build(index, name, relation.name, found)
        if found is None or found.constraint is None:
            yield AddKeyUsingIndex(declared, name, relation.name)
    if parent is not None and attached is None:
        yield AttachIndex(parent, own)


def _partition_name(declared: KeyDeclaration, relation: Relation) -> str:
    return fit(f"{relation.name.name}_{declared.name}")
