"""Constraints and foreign keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schema_kit.model import CheckDeclaration, ForeignKeyDeclaration, KeyDeclaration
from schema_kit.names import QualifiedName, ident
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import constraints, distribution, unique_constraints
from schema_kit.steps import Plan
from schema_kit.steps.constraints import ValidateConstraint
from schema_kit.tasks import Database


def create_foreign_key(database: Database, declared: ForeignKeyDeclaration, validate: bool = True) -> Plan:
    """Create a foreign key; validated for the old rows with *validate*."""
    tree, to = database.tree(declared.table), database.tree(declared.referenced)
    referenced = tuple(relation.name for relation in to[1:])
    title = f"create foreign key {declared.name} on {declared.table}"
    distribution.refuse_foreign_key(title, declared, tree, to)
    plan = constraints.create_foreign_key(declared, tree, database.server(), referenced)
    plan = replace(plan, notes=(*plan.notes, *distribution.managed(tree, to))) if plan else plan
    return plan if validate else _unproved(plan)


def create_check(database: Database, declared: CheckDeclaration, validate: bool = True) -> Plan:
    """Create a check; validated for the old rows with *validate*."""
    tree = database.tree(declared.table)
    ask = bool(tree) and (tree[0].partitioned or tree[0].check(declared.name) is not None)
    printed = database.check_forms(declared.table, declared.expression) if ask else ()
    plan = constraints.create_check(declared, tree, printed)
    return plan if validate else _unproved(plan)


def _unproved(plan: Plan) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if not isinstance(step, ValidateConstraint)))


def create_key(database: Database, declared: KeyDeclaration, not_null: Sequence[Plan] = ()) -> Plan:
    """Create a unique constraint, or a primary key of columns that *not_null* makes NOT NULL."""
    tree = database.tree(declared.table)
    distribution.refuse_key(f"create {declared.name} on {declared.table}", tree, declared.columns)
    compare = unique_constraints.bare_index_in_question(declared, tree)
    printed = database.index_tail(unique_constraints.key_index(declared)) if compare else None
    owner = database.index_owner(declared.table.sibling(declared.name))
    return unique_constraints.create_key(declared, tree, not_null, printed, owner)


def create_primary_key(database: Database, declared: KeyDeclaration) -> Plan:
    """Create a primary key; its columns are made NOT NULL first."""
    not_null = [set_not_null(database, declared.table, column) for column in declared.columns]
    return create_key(database, declared, not_null)


def validate(database: Database, constraint: str, table: QualifiedName) -> Plan:
    """Validate a constraint that exists."""
    if isinstance(database, EmptyDatabase):
        # Ordinary operations of Alembic's may have made it, which are not followed.
        return Plan(f"validate {constraint}", (ValidateConstraint(table, constraint),))
    return constraints.validate_constraint(constraint, table, database.tree(table))


def set_not_null(database: Database, table: QualifiedName, column: str) -> Plan:
    """Make a column NOT NULL."""
    tree = database.tree(table)
    found = tree[0].column(column) if tree else None
    ask = found is not None and not found.not_null
    proof = database.check_definition(table, f"{ident(column)} IS NOT NULL") if ask else ""
    return constraints.set_not_null(table, column, tree, proof, database.server())


def drop(database: Database, constraint: str, table: QualifiedName) -> Plan:
    """Drop a constraint of any kind."""
    obstacles = database.stops_drop(table, constraint=constraint)
    return constraints.drop_constraint(constraint, table, database.tree(table), obstacles, ends(database, table))


def ends(database: Database, name: QualifiedName) -> constraints.Ends:
    """Return the tables at the other end of a table's foreign keys, either way, each with its partitions."""
    table = database.table(name)
    return {tree[0]: tree for tree in table.trees} if table else {}
