"""Enums and domains, which Alembic makes with a table, but not with a column, and neither compares nor drops.

A type is created by a statement before the columns that need it, and dropped in the downgrade. One that no column uses
any more stays, so that a downgrade finds it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from sqlalchemy.dialects import postgresql as pg

from schema_kit.autogenerate.work import Work
from schema_kit.autogenerate.written import Stage, executed, nothing, paired
from schema_kit.catalog.compared import FoundTable, types_found
from schema_kit.from_sqlalchemy import native, own_type, own_types
from schema_kit.names import fit, ident, literal
from schema_kit.ops import classes

_DIALECT = pg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_OTHERS = "alembic_postgresql_enum"
"""A package that does the same, with operations of its own."""


def compare(work: Work) -> None:
    """Create the types that new columns need, and add the values that enums lack."""
    if _OTHERS in sys.modules:  # it runs after this, and knows Alembic's operations alone
        for operation in work.operations:
            if isinstance(operation, ops.DropColumnOp | ops.DropTableOp):
                _settle(work, operation, {})
            elif isinstance(operation, classes.CreatePartitionedTableOp):
                work.changed |= _settle_columns(operation, partial(_without_creation, work))
        return
    needed: dict[str, Any] = {}
    for operation in list(work.operations):
        _settle(work, operation, needed)
    declared = {
        _sql(own): (own, key)
        for key, table in work.models.items()
        for column in table.columns
        if (own := own_type(column.type))
    }
    assert work.context.connection is not None
    there = types_found(work.context.connection, sorted(needed.keys() | declared.keys()))
    created = [_create(own) for name, own in needed.items() if name not in there]
    work.created = {name.replace('"', "") for name in needed if name not in there}
    alter(work, there)
    if created:
        work.operations[:0] = created
        work.changed = True
    for name, (own, key) in declared.items():
        if isinstance(own, pg.ENUM):
            for operation in _values(own, there.get(name, ())):
                work.add(paired(operation, nothing(key[1], key[0]), stage=Stage.COLUMNS))
            if left := [value for value in there.get(name, ()) if value not in own.enums]:
                _say_what_is_left(work, name, own, left, more=not {*own.enums} <= {*there[name]})


def _create(own: Any) -> MigrateOperation:
    enum = isinstance(own, pg.ENUM)
    create = str((pg.CreateEnumType if enum else pg.CreateDomainType)(own).compile(dialect=_DIALECT)).strip()
    drop = f"DROP {'TYPE' if enum else 'DOMAIN'} {_sql(own)}"
    return paired(*(executed(sql) for sql in (create, drop)))


def _values(own: pg.ENUM, there: tuple[str, ...]) -> list[MigrateOperation]:
    if not there:
        return []
    made = list[MigrateOperation]()
    for place, value in enumerate(own.enums):
        if value not in there:
            before = next((one for one in own.enums[place:] if one in there), None)
            side = {"after": own.enums[place - 1]} if place else {"before": before} if before else {}
            schema = {"schema": own.schema} if own.schema else {}
            made.append(classes.AddEnumValueConcurrentlyOp(str(own.name), value, **schema, **side))
    return made


def _say_what_is_left(work: Work, name: str, own: pg.ENUM, left: list[str], *, more: bool) -> None:
    """Say what to do about values that only the database has, unless checks refuse them wherever the type is used."""
    columns = [
        (key, column.name)
        for key, table in work.models.items()
        for column in table.columns
        if key in work.tables and (found := own_type(column.type)) and _sql(found) == name
    ]
    if not (open_ := [(key, column) for key, column in columns if not _refuses(work.tables[key], column, own.enums)]):
        return
    values, kept = (", ".join(map(literal, some)) for some in (left, own.enums))
    where = ", ".join(f"{work.tables[key].name}.{ident(column)}" for key, column in open_)
    renamed = f'If it is only renamed: op.execute("ALTER TYPE {name} RENAME VALUE ... TO ...") and no new value. '
    work.say(
        f"The enum {name} has {values}, and its model does not. PostgreSQL drops no value of an enum. "
        f"{renamed if more else ''}Give the rows that have it another value (op.update_in_batches), and refuse it from "
        f"then on with a check constraint of the model: {where} IN ({kept}). The value itself stays."
    )


def _refuses(table: FoundTable, column: str, values: Sequence[str]) -> bool:
    """Return whether a check of a column names these values and no others."""
    return any(
        one.kind == "c"
        and one.validated
        and one.columns == (column,)
        and {text.replace("''", "'") for text in _LITERAL.findall(one.definition)} == {*values}
        for one in table.constraints
    )


_LITERAL = re.compile(r"'((?:[^']|'')*)'")


# Types in operations


def _without_what_comes_with_types(found: FoundTable, back: ops.AddColumnOp | ops.CreateTableOp) -> bool:
    """Take out of what is made again what domains give, and the default of a serial key, which brings its sequence."""
    own = {one.name for one in found.columns if one.default is not None}
    nullable = {one.name for one in found.columns if not one.not_null}
    columns = [back.column] if isinstance(back, ops.AddColumnOp) else back.columns
    changed = False
    for column in (one for one in columns if isinstance(one, sa.Column)):
        if not column.nullable and column.name in nullable:
            column.nullable, changed = True, True
        default = column.server_default
        if not isinstance(default, sa.DefaultClause):
            continue
        sequence = fit(f"{back.table_name}_{column.name}", "_seq")
        serial = found.primary_key == (column.name,) and sequence in str(default.arg)
        if serial or column.name not in own:
            column.server_default, changed = None, True
    return changed


def _without_the_domains_own(work: Work, change: ops.AlterColumnOp) -> None:
    """Take out the default and the NOT NULL of a domain, which reflection takes for those of the column."""
    found = work.tables.get(work.key(change.schema, change.table_name))
    there = found.column(change.column_name) if found else None
    if there is None:
        return
    if change.modify_nullable and not there.not_null:
        change.existing_nullable, change.modify_nullable, work.changed = True, None, True
        if not change.has_changes():
            work.put(change, [])
            return
    if there.default is not None or change.existing_server_default is False:
        return
    if not isinstance(change.existing_server_default, sa.Identity | sa.Computed):
        change.existing_server_default = None
        if change.modify_server_default is None:
            change.modify_server_default, work.changed = False, True
            if not change.has_changes():
                work.put(change, [])


def _settle(work: Work, operation: MigrateOperation, needed: dict[str, Any]) -> None:
    """Have an operation, and what takes it back, use types that exist already."""

    def settled(type_: Any) -> Any:
        for own in own_types(type_):
            needed.setdefault(_sql(own), own)
        return _without_creation(work, type_)

    match operation:
        case ops.DropColumnOp() | ops.DropTableOp():
            back: Any = operation.reverse()
            found = work.tables.get(work.key(operation.schema, operation.table_name))
            changed = found and _without_what_comes_with_types(found, back)
            if _settle_columns(back, lambda type_: _without_creation(work, type_)) or changed:
                paired(operation, back)
        case ops.AlterColumnOp():
            if operation.modify_type is not None:
                settled(operation.modify_type)
            _without_the_domains_own(work, operation)
        case _:
            work.changed |= _settle_columns(operation, settled)


def _settle_columns(operation: MigrateOperation, settled: Callable[[Any], Any]) -> bool:
    def column_of(column: Any) -> Any:
        type_ = settled(column.type) if isinstance(column, sa.Column) else None
        if type_ is None:
            return column
        copy = column._copy()
        copy.type = type_
        return copy

    match operation:
        case ops.AddColumnOp():
            before: list[Any] = [operation.column]
            (operation.column,) = after = [column_of(operation.column)]
        case ops.CreateTableOp():
            before = list(operation.columns)
            operation.columns = after = [column_of(one) for one in before]
        case classes.CreatePartitionedTableOp():
            before = list(operation.bound.arguments["columns"])
            after = [column_of(one) for one in before]
            operation.bound.arguments["columns"] = tuple(after)
        case _:
            return False
    return any(one is not other for one, other in zip(before, after, strict=True))


def alter(work: Work, there: Collection[str] | None = None) -> None:
    """Write a change of type from or to an enum by itself, by the text of the values.

    Args:
        work: what is left of Alembic's operations.
        there: change only to types that are not among these.
    """
    for operation in [one for one in work.operations if isinstance(one, ops.AlterColumnOp)]:
        types = (operation.modify_type, operation.existing_type)
        own = [type_ is not None and own_type(type_) for type_ in types]
        if operation.modify_type is None or not any(own):
            continue
        if there is None or (own[0] and _sql(own[0]) not in there):
            made = paired(_changed(operation, types[0], types[1]), _changed(operation, types[1], types[0]))
            operation.modify_type = None
            work.put(operation, [made, *([operation] if operation.has_changes() else [])])


def _changed(operation: ops.AlterColumnOp, type_: Any, existing: Any) -> MigrateOperation:
    table = ".".join(ident(part) for part in (operation.schema, operation.table_name) if part)
    column = ident(operation.column_name)
    if own_type(type_) is None:
        words: dict[str, Any] = {"existing_type": existing, "existing_nullable": operation.existing_nullable}
        return ops.AlterColumnOp(
            operation.table_name, operation.column_name, schema=operation.schema, modify_type=type_, **words
        )
    spelled = _DIALECT.type_compiler_instance.process(native(type_))
    using = f"{column}::text{'[]' * spelled.endswith('[]')}::{spelled}"
    sql = f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {spelled} USING {using}"
    return executed(sql)


def _without_creation(work: Work, type_: Any) -> Any:
    """Return the same type, as an existing one; None for what neither has a name nor is written otherwise for that."""
    found = native(type_)
    if isinstance(found, sa.ARRAY):
        item = _without_creation(work, found.item_type)
        return None if item is None else pg.ARRAY(item, dimensions=found.dimensions)
    if own_type(found) is None and not isinstance(found, pg.DOMAIN):
        return None
    schema = {"schema": found.schema} if found.schema else {}
    if isinstance(found, pg.ENUM):
        return _Enum(*found.enums, name=found.name, create_type=False, **schema)
    inner = _without_creation(work, found.data_type) or found.data_type
    domain = _Domain(found.name, inner, create_type=False, **schema)
    domain.context = work.context
    return domain


class _Enum(pg.ENUM):
    """An existing enum: SQLAlchemy 2.0 writes it as one that is to be made."""

    __visit_name__ = "ENUM"

    def __repr__(self) -> str:
        words = [*map(repr, self.enums), f"name={str(self.name)!r}"]
        words += [f"schema={self.schema!r}"] if self.schema else []
        return f"ENUM({', '.join(words)}, create_type=False)"

    def copy(self, **_: Any) -> _Enum:
        return self


_Enum.__module__ = pg.ENUM.__module__


class _Domain(pg.DOMAIN):
    """An existing domain, which Alembic writes so that it is not made."""

    __visit_name__ = "DOMAIN"
    context: AutogenContext

    def __repr__(self) -> str:
        words = [repr(str(self.name)), render._repr_type(self.data_type, self.context)]
        words += [f"schema={self.schema!r}"] if self.schema else []
        return f"DOMAIN({', '.join(words)}, create_type=False)"

    def copy(self, **_: Any) -> _Domain:
        return self


_Domain.__module__ = pg.DOMAIN.__module__


def _sql(own: Any) -> str:
    return ".".join(ident(part) for part in (own.schema, str(own.name)) if part)
