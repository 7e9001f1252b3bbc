"""Indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import IndexDeclaration, Relation
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import indexes
from schema_kit.plans.distribution import refuse_key
from schema_kit.steps import Plan
from schema_kit.steps.indexes import DropIndexConcurrently, ReindexConcurrently
from schema_kit.tasks import Database


def create(database: Database, declared: IndexDeclaration) -> Plan:
    """Create an index, on a plain or a partitioned table."""
    declared = _found(declared, database, (declared.name,))
    tree = database.tree(declared.table, views=True)
    _refuse_unique(f"create index {declared.name} on {declared.table}", declared, tree)
    printed = database.index_tail(declared) if indexes.in_question(declared, tree) else None
    return _on_each_shard(database, declared.table, indexes.create_index(declared, tree, printed), tree)


def replaced(database: Database, declared: IndexDeclaration) -> Plan:
    """Give an index another definition."""
    name = declared.name
    declared = _found(declared, database, (name, fit(name, indexes.REPLACEMENT), fit(name, indexes.REPLACED)))
    tree = database.tree(declared.table, views=True)
    _refuse_unique(f"replace index {declared.name} on {declared.table}", declared, tree)
    # With --sql the names of the partitions' indexes are unknown: they keep the names that they get.
    known = isinstance(database, Catalog)
    plan = indexes.replace_index(declared, tree, database.index_tail(declared) if tree else None, known)
    return _on_each_shard(database, declared.table, plan, tree)


def drop(database: Database, index: QualifiedName, table: QualifiedName | None = None) -> Plan:
    """Drop an index; its table is looked up where it is None."""
    owner = _owner(index, table, database)
    if owner is None and isinstance(database, EmptyDatabase):
        return Plan(f"drop index {index}", (DropIndexConcurrently(index, None),))
    return indexes.drop_index(index, database.tree(owner, views=True) if owner else ())


def reindex(database: Database, index: QualifiedName | None, table: QualifiedName | None) -> Plan:
    """Build an index again, or all of a table."""
    if index is None:
        assert table is not None  # one of them is named
        tree = database.tree(table, views=True)
        return indexes.reindex_table(table, tree, database.reindex_leftovers([relation.name for relation in tree]))
    owner = _owner(index, table, database)
    if owner is None and isinstance(database, EmptyDatabase):
        return Plan(f"build index {index} again", (ReindexConcurrently("INDEX", index, None),))
    return indexes.reindex_index(index, database.tree(owner, views=True) if owner else ())


def _refuse_unique(title: str, declared: IndexDeclaration, tree: Sequence[Relation]) -> None:
    own = tree[0].distribution.column if tree and tree[0].distribution else None
    if declared.unique and own:
        refuse_key(title, tree, [own if element.sql == ident(own) else element.sql for element in declared.elements])


def _on_each_shard(database: Database, table: QualifiedName, plan: Plan, tree: Sequence[Relation]) -> Plan:
    """The plan; of a distributed table with nothing left to do, one look that each placement has what the table has.

    Raises:
        PlanError: a shard differs.
    """
    distribution = tree[0].distribution if tree else None
    if not (isinstance(database, Catalog) and distribution and distribution.spread) or plan:
        return plan
    refuse_for(
        f"cannot {plan.title}: it exists on the coordinator, and not everywhere",
        (one.sentence for one in database.shards_that_differ([table])),
        then=f" Build it again there: op.reindex_concurrently(table_name={table.name!r}, schema={table.schema!r}).",
    )
    return plan


def _found(declared: IndexDeclaration, database: Database, names: Sequence[str]) -> IndexDeclaration:
    """Return the declaration with its operator classes qualified, where none of the names belongs to another table."""
    for name in names:
        _owner(declared.table.sibling(name), declared.table, database)
    return classes_found(declared, database)


def classes_found(declared: IndexDeclaration, database: Database) -> IndexDeclaration:
    """Return the index with its operator classes, wherever their extensions live.

    Raises:
        PlanError: one does not exist.
    """
    elements = tuple(
        replace(key, opclass=key.opclass and _operator_class(key.opclass, declared, database))
        for key in declared.elements
    )
    return replace(declared, elements=elements)


def _operator_class(declared: str, index: IndexDeclaration, database: Database) -> str:
    bare, bracket, parameters = declared.partition("(")
    schema, _, name = bare.strip().rpartition(".")
    found = f"{schema}.{ident(name)}" if schema else database.operator_class(name, index.using)
    if name in ("gin_trgm_ops", "gist_trgm_ops") and not database.letters_have_trigrams(found):
        raise PlanError(
            f"the LC_CTYPE of this database knows no letters beyond ASCII: pg_trgm finds no trigrams in Thai and "
            f"others, and {index.name} would find nothing. Make the database with LC_CTYPE "
            "C.UTF-8 or another UTF-8 locale."
        )
    return found + bracket + parameters


def _owner(index: QualifiedName, table: QualifiedName | None, database: Database) -> QualifiedName | None:
    """Return the table of an index, or the one that is named for it.

    Raises:
        PlanError: the index belongs to another table than the named one.
    """
    owner = database.index_owner(index)
    if owner and table and owner != table:
        raise PlanError(f"index {index.name} belongs to {owner}, not to {table}.")
    if owner is None and isinstance(database, Catalog) and (kind := database.kind(index)):
        raise PlanError(f"{index} is {kind}, and this is for an index.")
    return owner or table
