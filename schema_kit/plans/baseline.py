"""What a migration pack stands on: tables that may be there already, extensions, and what is dropped again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from schema_kit.errors import PlanError
from schema_kit.model import BaselineObject, BaselineTable, ForeignKey, Table
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan, Step
from schema_kit.steps.baseline import (
    CreateExtension,
    CreateObject,
    CreateSchema,
    CreateTable,
    DropExtension,
    DropObject,
    DropSchema,
    DropTable,
    ledger_kind,
)
from schema_kit.steps.constraints import DropConstraint
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import CREATED_OBJECT

Printed = Mapping[tuple[QualifiedName, str], str]
"""How PostgreSQL prints the declared type of a column, by table and column: where that was asked."""


def create_baseline(
    declared: Sequence[BaselineTable],
    observed: Mapping[QualifiedName, Table | None],
    schemas: Collection[str],
    has_ledger: bool,
    objects: Mapping[BaselineObject, tuple[str, ...] | None] | None = None,
    printed: Printed | None = None,
) -> Plan:
    """Make each table, type and sequence where it is missing; compare it, and leave it, where it exists.

    Args:
        declared: the tables, in an order in which their foreign keys can be made.
        observed: each of them as the database has it, or None.
        schemas: the schemas that exist.
        has_ledger: whether the list of what migrations made exists.
        objects: types and sequences in an order in which they can be made, each with what it has otherwise in the
            database, or None.
        printed: how PostgreSQL prints types that are spelled otherwise.

    Raises:
        PlanError: one exists in another shape; each difference is named.
    """
    differences = [
        line
        for table in declared
        if (have := observed[table.table.name])
        for line in _compare(table.table, have, printed or {})
    ]
    differences += [
        f"{made.kind} {made.name} {line}" for made, otherwise in (objects or {}).items() for line in otherwise or ()
    ]
    if differences:
        raise PlanError(
            "the tables that exist differ from what these migrations start from:\n"
            + "\n".join(f"  - {line}" for line in differences)
            + "\nBring the tables into this shape, or the baseline revision into theirs."
        )
    missing = [table for table in declared if observed[table.table.name] is None]
    needed = [made for made, otherwise in (objects or {}).items() if otherwise is None]
    wanted = dict.fromkeys(name.schema for name in (*(one.name for one in needed), *(t.table.name for t in missing)))
    steps: list[Step] = [CreateSchema(schema) for schema in wanted if schema not in schemas]
    steps += [CreateObject(one) for one in needed]
    steps += [CreateTable(table, _closing(table, declared, missing)) for table in missing]
    if steps and not has_ledger:
        steps.insert(0, EnsureTable(CREATED_OBJECT))
    return Plan("create the baseline", tuple(steps))


def _closing(
    table: BaselineTable, declared: Sequence[BaselineTable], missing: Sequence[BaselineTable]
) -> tuple[tuple[ForeignKey, str], ...]:
    """Return the foreign keys in a circle that can be made with this table: both ends exist then."""
    place = {one.table.name: at for at, one in enumerate(missing)}
    return tuple(
        (key, statement)
        for one in declared
        for key, statement in one.later
        if max(place.get(key.table, -1), place.get(key.referenced, -1)) == place[table.table.name]
    )


def _compare(declared: Table, have: Table, printed: Printed) -> Iterator[str]:
    # Columns, indexes and constraints that a team has beyond these are its own affair.
    if have.partition_strategy:
        yield f"{have.name} is partitioned already"
    for column in declared.columns:
        found = have.column(column.name)
        if found is None:
            yield f"{have.name} has no column {column.name} ({column.type})"
        elif found.type not in (column.type, printed.get((have.name, column.name))):
            yield f"{have.name}.{column.name} is {found.type}, expected {column.type}"
        elif column.not_null and not found.not_null:
            yield f"{have.name}.{column.name} may be NULL, expected NOT NULL"
    if have.primary_key != declared.primary_key:
        keys = ", ".join(have.primary_key), ", ".join(declared.primary_key)
        yield f"{have.name} has primary key ({keys[0]}), expected ({keys[1]})"


def drop_baseline(
    declared: Sequence[BaselineTable],
    created: Mapping[str, frozenset[str]],
    filled: Collection[QualifiedName],
    left_in: Mapping[str, Collection[str]],
    has_ledger: bool,
    ledger_alone: bool,
    objects: Sequence[BaselineObject] = (),
    keys: Collection[tuple[QualifiedName, str]] = (),
) -> Plan:
    """Drop the tables that `create_baseline` made, if all of them are empty; leave all others.

    Args:
        declared: the same tables.
        created: what the list of what migrations made says.
        filled: which of them hold rows.
        left_in: what each schema that was made holds besides the declared tables.
        has_ledger: whether that list exists.
        ledger_alone: whether its schema holds nothing else.
        objects: the types and sequences of the tables, in the order in which they were made.
        keys: the foreign keys that exist, by table and name.

    Raises:
        PlanError: a table holds rows.
    """
    if filled:
        raise PlanError(
            f"{', '.join(map(str, sorted(filled)))} hold rows, and going below the baseline would drop them. Empty "
            "them first, if that is what you want."
        )
    gone = {table.table.name for table in declared if str(table.table.name) in created["table"]}
    steps: list[Step] = [
        DropConstraint(key.table, key.name, (key.referenced,))
        for table in declared
        for key, _ in table.later
        if table.table.name in gone and (key.table, key.name) in keys
    ]
    for table in reversed(declared):
        if str(table.table.name) in created["table"]:
            later = {key.name for key, _ in table.later}  # gone by now
            keys_left = [key for key in table.table.foreign_keys if key.name not in later]
            others = sorted({key.referenced for key in keys_left} - {table.table.name})
            steps.append(DropTable(table.table.name, tuple(others)))
    own = [one for one in objects if str(one.name) in created[ledger_kind(one)]]
    steps += [DropObject(one) for one in reversed(own)]
    schemas = dict.fromkeys(name.schema for name in (*(t.table.name for t in declared), *(o.name for o in objects)))
    kept = {table.table.name.schema for table in declared if str(table.table.name) not in created["table"]}
    kept |= {one.name.schema for one in objects if one not in own}
    steps += [
        DropSchema(schema, empty=not left_in[schema] and schema not in kept)
        for schema in schemas
        if schema in created["schema"]
    ]
    dropped = {str(table.table.name) for table in declared} | {str(one.name) for one in own} | set(schemas)
    if has_ledger and not set().union(*created.values()) - dropped:
        steps.append(DropTables((CREATED_OBJECT,), with_schema=ledger_alone))
    return Plan("drop the baseline", tuple(steps))


def create_extension(name: str, installed: bool, has_ledger: bool) -> Plan:
    """Install an extension where it is missing, and remember that."""
    if installed:
        return Plan(f"create extension {name}")
    remember: tuple[Step, ...] = () if has_ledger else (EnsureTable(CREATED_OBJECT),)
    return Plan(f"create extension {name}", (*remember, CreateExtension(name)))


def drop_extension(name: str, created: Mapping[str, frozenset[str]], ledger_alone: bool) -> Plan:
    """Drop an extension that `create_extension` installed; leave one that existed before."""
    if name not in created["extension"]:
        return Plan(f"drop extension {name}")
    last = not any(names - {name} if kind == "extension" else names for kind, names in created.items())
    ledger = (DropTables((CREATED_OBJECT,), with_schema=ledger_alone),) if last else ()
    return Plan(f"drop extension {name}", (DropExtension(name), *ledger))
