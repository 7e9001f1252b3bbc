"""What a migration pack stands on: tables that may be there already, extensions, and what is dropped again."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from schema_kit.errors import PlanError
from schema_kit.model import BaselineTable, Table
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan, Step
from schema_kit.steps.baseline import (
    CreateExtension,
    CreateLedger,
    CreateSchema,
    CreateTable,
    DropExtension,
    DropLedger,
    DropSchema,
    DropTable,
)


def create_baseline(
    declared: Sequence[BaselineTable],
    observed: Mapping[QualifiedName, Table | None],
    schemas: Collection[str],
    has_ledger: bool,
    ledger: tuple[str, ...],
) -> Plan:
    """Make each table where it is missing; compare it, and leave it, where it is there.

    Args:
        declared: the tables, in an order in which their foreign keys can be made.
        observed: each of them as the database has it, or None.
        schemas: the schemas that are there.
        has_ledger: whether the list of what migrations made is there.
        ledger: the statements that make it.

    Raises:
        PlanError: a table is there in another shape; each difference is named.
    """
    differences = [
        line for table in declared if (have := observed[table.table.name]) for line in _compare(table.table, have)
    ]
    if differences:
        raise PlanError(
            "the tables that are there differ from what these migrations start from:\n"
            + "\n".join(f"  - {line}" for line in differences)
            + "\nNothing was changed. Bring the tables into this shape, or the baseline revision into theirs."
        )
    missing = [table for table in declared if observed[table.table.name] is None]
    wanted = dict.fromkeys(table.table.name.schema for table in missing)
    steps: list[Step] = [CreateSchema(schema) for schema in wanted if schema not in schemas]
    steps += [CreateTable(table) for table in missing]
    if steps and not has_ledger:
        steps.insert(0, CreateLedger(ledger))
    return Plan("create the baseline", tuple(steps))


def _compare(declared: Table, have: Table) -> Iterator[str]:
    # Columns, indexes and constraints that a team has beyond these are its own affair.
    if have.partition_strategy:
        yield f"{have.name} is partitioned already"
    for column in declared.columns:
        found = have.column(column.name)
        if found is None:
            yield f"{have.name} has no column {column.name} ({column.type})"
        elif found.type != column.type:
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
) -> Plan:
    """Drop the tables that `create_baseline` made, if all of them are empty; leave all others.

    Args:
        declared: the same tables.
        created: what the list of what migrations made says.
        filled: which of them hold rows.
        left_in: what each schema that was made holds besides the declared tables.
        has_ledger: whether that list is there.
        ledger_alone: whether its schema holds nothing else.

    Raises:
        PlanError: a table holds rows.
    """
    if filled:
        raise PlanError(
            f"{', '.join(map(str, sorted(filled)))} hold rows, and going below the baseline would drop them. "
            "Nothing was changed. Empty them first, if that is what you want."
        )
    steps: list[Step] = []
    for table in reversed(declared):
        if str(table.table.name) in created["table"]:
            others = sorted({key.referenced for key in table.table.foreign_keys} - {table.table.name})
            steps.append(DropTable(table.table.name, tuple(others)))
    schemas = dict.fromkeys(table.table.name.schema for table in declared)
    kept = {table.table.name.schema for table in declared if str(table.table.name) not in created["table"]}
    steps += [
        DropSchema(schema, empty=not left_in[schema] and schema not in kept)
        for schema in schemas
        if schema in created["schema"]
    ]
    rest = created["table"] - {str(table.table.name) for table in declared}
    if has_ledger and not rest and not created["extension"] and not created["schema"] - set(schemas):
        steps.append(DropLedger(ledger_alone))
    return Plan("drop the baseline", tuple(steps))


def create_extension(name: str, installed: bool, has_ledger: bool, ledger: tuple[str, ...]) -> Plan:
    """Install an extension where it is missing, and remember that."""
    if installed:
        return Plan(f"create extension {name}")
    remember: tuple[Step, ...] = () if has_ledger else (CreateLedger(ledger),)
    return Plan(f"create extension {name}", (*remember, CreateExtension(name)))


def drop_extension(name: str, created: Mapping[str, frozenset[str]], ledger_alone: bool) -> Plan:
    """Drop an extension that `create_extension` installed; leave one that was there before."""
    if name not in created["extension"]:
        return Plan(f"drop extension {name}")
    last = created == {"schema": frozenset(), "table": frozenset(), "extension": frozenset({name})}
    return Plan(f"drop extension {name}", (DropExtension(name), *((DropLedger(ledger_alone),) if last else ())))
