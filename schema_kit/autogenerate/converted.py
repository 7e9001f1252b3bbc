"""A plain table that its model declares partitioned: the operation that converts it, and what that does of the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from schema_kit.autogenerate.written import paired
from schema_kit.catalog import Catalog
from schema_kit.declare.nouns import Partitioned, given
from schema_kit.model import ForeignKey, Table
from schema_kit.names import ident
from schema_kit.ops import classes


def conversion(
    catalog: Catalog, there: Table, table: sa.Table, one: Partitioned, upgrade: ops.UpgradeOps
) -> Iterator[MigrateOperation]:
    """Convert a table, and take out of *upgrade* what that does: longer foreign keys to the table.

    Args:
        catalog: where the table is.
        there: the table, as observed.
        table: its model.
        one: how the model declares it partitioned.
        upgrade: what Alembic proposes.
    """
    schema = {} if table.schema is None else {"schema": table.schema}
    forbidden = _forget(upgrade, table.schema, table.name, lambda change: _forbids_null(change, one.control))
    keys = [key for key in there.incoming if one.control not in key.referenced_columns]
    incoming = _incoming(keys, table, one.control, upgrade, catalog)
    words = {name: value for name, value in given(one).items() if name not in ("control", "interval", *_OF_NEW)}
    convert = classes.ConvertToPartitionedOp(
        table.name,
        one.control,
        one.interval,
        **schema,
        **words,
        default_partition=one.default_partition,
        **({"incoming_foreign_keys": incoming} if incoming else {}),
    )
    kept = {"keep_primary_key": True} if one.control in there.primary_key else {}
    if forbidden:  # first, so that the downgrade ends with a column that can be NULL
        yield classes.SetNotNullConcurrentlyOp(table.name, one.control, **schema)
    yield paired(convert, classes.UnpartitionOp(table.name, **schema, **kept))


_OF_NEW = ("default_partition", "partition_by", "sub_partitions")


def _incoming(
    keys: list[ForeignKey], table: sa.Table, control: str, upgrade: ops.UpgradeOps, catalog: Catalog
) -> str | None:
    """Return what becomes of the foreign keys to a table, as the models of the referencing tables have them."""
    ways = set()
    for key in keys:
        referring = next((one for one in table.metadata.tables.values() if _is(one, key, catalog)), None)
        if referring is None:
            continue
        longer = [one for one in referring.foreign_key_constraints if _leads_to(one, table, control)]
        if not longer and any(one.referred_table is table for one in referring.foreign_key_constraints):
            continue  # by the old key: the operation says what to do
        ways.add("composite" if longer else "drop")
        columns = {column.name for one in longer for column in one.columns} - set(key.columns)
        names = {key.name, *(str(one.name) for one in longer)}
        _forget(upgrade, referring.schema, referring.name, partial(_of_key, columns=columns, names=names))
    return ways.pop() if len(ways) == 1 else None


def _is(table: sa.Table, key: ForeignKey, catalog: Catalog) -> bool:
    if table.name != key.table.name:
        return False
    return table.schema == key.table.schema if table.schema else catalog.relation(ident(table.name)) == key.table


def _leads_to(key: sa.ForeignKeyConstraint, table: sa.Table, control: str) -> bool:
    return key.referred_table is table and control in {element.column.name for element in key.elements}


def _forbids_null(change: MigrateOperation, column: str) -> bool:
    return isinstance(change, ops.AlterColumnOp) and change.column_name == column and change.modify_nullable is False


def _of_key(change: MigrateOperation, *, columns: set[str], names: set[str]) -> bool:
    match change:
        case ops.AddColumnOp():
            return change.column.name in columns
        case ops.DropConstraintOp() | ops.CreateForeignKeyOp():
            return str(change.constraint_name) in names
        case _:
            return False


def _forget(upgrade: ops.UpgradeOps, schema: str | None, name: str, done: Callable[[MigrateOperation], bool]) -> bool:
    """Take operations out of what Alembic proposes for a table; whether there were any."""
    found = False
    for group in [one for one in upgrade.ops if isinstance(one, ops.ModifyTableOps)]:
        if (group.schema, group.table_name) != (schema, name):
            continue
        for change in [one for one in group.ops if done(one)]:
            found = True
            if isinstance(change, ops.AlterColumnOp):
                change.modify_nullable = None
                if change.has_changes():
                    continue
            group.ops.remove(change)
        if not group.ops:
            upgrade.ops.remove(group)
    return found
