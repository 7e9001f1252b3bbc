"""How autogenerate writes an operation into a revision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp
from sqlalchemy.sql.elements import conv

from schema_kit.from_sqlalchemy import sql_of
from schema_kit.model import Cut
from schema_kit.ops.operation import PlanOperation, Several

_COLON = re.compile(r"(?<![:\w\\]):(?=\w+(?!:))")
_LIST_VALUE = re.compile(r"E?'((?:[^']|'')*)'|NULL|true|false|-?\d+")


@renderers.dispatch_for(Several)
def each(context: AutogenContext, several: Several) -> list[str]:
    """Return each of them, in their order."""
    return [line for one in several.ops for line in render.render_op(context, one)]


@renderers.dispatch_for(PlanOperation)
def rendered(context: AutogenContext, operation: PlanOperation) -> str | list[str]:
    """Return the call, with what was given and is not the default; the tables of a baseline stand before it."""
    preparer: Any = context.migration_context.impl.dialect.identifier_preparer
    before = preparer._double_percents
    try:
        preparer._double_percents = False  # SQL is text of the revision here, and has no parameters
        return _call(context, operation)
    finally:
        preparer._double_percents = before


def _call(context: AutogenContext, operation: PlanOperation) -> str | list[str]:
    if operation.called == "create_partitioned_table":
        given = [repr(operation.positional[0]), *_items(table_of(operation), context)]
    else:
        given = [_value(value, context) for value in operation.positional]
    given += [f"{name}={_value(value, context)}" for name, value in operation.keywords.items()]
    metadata = next((one for one in operation.bound.arguments.values() if isinstance(one, sa.MetaData)), None)
    prefix = render._sqlalchemy_autogenerate_prefix(context)
    before = [] if metadata is None else [f"metadata = {prefix}MetaData()", *_tables(metadata, context)]
    call = f"{render._alembic_autogenerate_prefix(context)}{operation.called}({', '.join(given)})"
    return [*before, call] if before else call


def table_of(operation: PlanOperation) -> sa.Table:
    """Return the table that create_partitioned_table makes: its columns belong to it from the first time on."""
    if "table" not in operation.info:
        name, *items = operation.positional
        operation.info["table"] = CreateTableOp(name, items, schema=operation.bound.kwargs.get("schema")).to_table()
    found: sa.Table = operation.info["table"]
    return found


def _tables(metadata: sa.MetaData, context: AutogenContext) -> list[str]:
    prefix = render._sqlalchemy_autogenerate_prefix(context)
    found = []
    for table in metadata.tables.values():
        options = {"schema": table.schema, "comment": table.comment}
        given = [repr(str(table.name)), "metadata", *_items(table, context)]
        given += [f"{name}={value!r}" for name, value in options.items() if value is not None]
        given += [f"{name}={value!r}" for name, value in table.dialect_kwargs.items()]
        found.append(f"{prefix}Table({', '.join(given)})")
    return found


def _items(table: sa.Table, context: AutogenContext) -> list[str]:
    """Return the columns, constraints and indexes of a table."""
    columns = [_column(column, context) for column in table.columns]
    constraints = [_constraint(one, context) for one in table.constraints]
    indexes = [_index(index, context) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    return [*columns, *sorted(text for text in constraints if text is not None), *indexes]


def _index(index: sa.Index, context: AutogenContext) -> str:
    given = [repr(str(index.name)), *render._get_index_rendered_expressions(index, context)]
    given += ["unique=True"] if index.unique else []
    given += render._render_dialect_kwargs_items(context, index.dialect_kwargs)
    return f"{render._sqlalchemy_autogenerate_prefix(context)}Index({', '.join(given)})"


def _column(column: sa.Column[Any], context: AutogenContext) -> str:
    """Return a column with its checks; with its keys, too, where it has no table yet that holds them."""
    text = render._render_column(column, context)
    prefix = render._sqlalchemy_autogenerate_prefix(context)
    head = f"{prefix}Column({str(column.name)!r}, {render._repr_type(column.type, context)}, "
    if not text.startswith(head):
        return text  # the user's own
    bound = getattr(column, "table", None) is not None
    keys: list[sa.ForeignKey] = [] if bound else sorted(column.foreign_keys, key=lambda key: key.target_fullname)
    checks = [one for one in column.constraints if isinstance(one, sa.CheckConstraint)]
    own = [_foreign_key(key, context) for key in keys]
    own += [check for one in checks if (check := _constraint(one, context))]
    flags = [name for name in ("primary_key", "unique", "index") if not bound and getattr(column, name)]
    more = ", ".join((text.removeprefix(head)[:-1], *(f"{name}=True" for name in flags)))
    return f"{head}{''.join(f'{one}, ' for one in own)}{more})"


def _constraint(constraint: sa.Constraint, context: AutogenContext) -> str | None:
    """Return a constraint as Alembic writes it; of a check the SQL as it is."""
    text = render._render_constraint(constraint, context, None)
    if text is None or not isinstance(constraint, sa.CheckConstraint):
        return text
    as_alembic = render._render_potential_expr(constraint.sqltext, context, wrap_in_element=False)
    return text.replace(as_alembic, repr(_sql(constraint.sqltext)), 1)


def _sql(clause: Any) -> str:
    """Return SQL as `sa.text` takes it: a colon that begins no parameter is escaped."""
    return _COLON.sub(r"\\:", sql_of(clause))


_OF_FOREIGN_KEYS = ("name", "onupdate", "ondelete", "deferrable", "initially", "match", "use_alter", "comment")


def _foreign_key(key: sa.ForeignKey, context: AutogenContext) -> str:
    options = {name: getattr(key, name, None) for name in _OF_FOREIGN_KEYS}
    given = [repr(key.target_fullname), *(f"{name}={value!r}" for name, value in options.items() if value)]
    given += render._render_dialect_kwargs_items(context, key.dialect_kwargs)
    return f"{render._sqlalchemy_autogenerate_prefix(context)}ForeignKey({', '.join(given)})"


def _value(value: Any, context: AutogenContext, *, among: bool = False) -> str:
    """Return an argument; a column *among* others is its name."""
    if hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    if isinstance(value, sa.MetaData):
        return "metadata"
    if isinstance(value, sa.Column):
        return repr(str(value.name)) if among else _column(value, context)
    match value:
        case sa.types.TypeEngine():
            return str(render._repr_type(value, context))
        case type() if issubclass(value, sa.types.TypeEngine):
            return str(render._repr_type(value(), context))
        case sa.FetchedValue():
            return str(render._render_server_default(value, context))
        case sa.ClauseElement():
            return f"{render._sqlalchemy_autogenerate_prefix(context)}text({_sql(value)!r})"
        case Cut():
            return _cut(value, context)
        case Mapping():
            return f"{{{', '.join(f'{key!r}: {_value(one, context)}' for key, one in value.items())}}}"
        case list():
            return f"[{', '.join(_value(one, context, among=True) for one in value)}]"
        case tuple():
            return f"({''.join(f'{_value(one, context, among=True)}, ' for one in value).removesuffix(' ')})"
        case _:
            return _literal(value, context)


def _literal(value: Any, context: AutogenContext) -> str:
    """Return a value as Python reads it, and the import it needs."""
    match value:
        case Enum():
            context.imports.add(f"import {type(value).__module__}")
            return f"{type(value).__module__}.{type(value).__qualname__}.{value.name}"
        case date() | time() | timedelta():
            context.imports.add("import datetime")
            zone: tzinfo | None = getattr(value, "tzinfo", None)
            if zone is not None and type(zone).__module__ != "datetime":
                context.imports.add(f"import {type(zone).__module__}")
        case Decimal() | UUID():
            context.imports.add(f"from {type(value).__module__} import {type(value).__name__}")
        case float() if value != value or value in (float("inf"), float("-inf")):
            return f"float({str(value)!r})"
        case conv():  # a name that no naming convention changes again
            return f"{render._alembic_autogenerate_prefix(context)}f({str(value)!r})"
        case str():
            return repr(str(value))  # a quoted_name is one, too
        case _:
            pass
    return repr(value)


def _cut(cut: Cut, context: AutogenContext) -> str:
    """Return the call that makes it; `alembic.op` does not have it."""
    called = f"by_{cut.strategy.lower()}"
    context.imports.add(f"from schema_kit.op import {called}")
    if cut.strategy == "HASH":
        return f"{called}({cut.column!r}, {len(cut.parts)})"
    listed = [(suffix[1:], sql) for suffix, sql in cut.parts if sql != "DEFAULT"]
    parts = {name: [*map(_list_value, _LIST_VALUE.finditer(sql))] for name, sql in listed}
    default = ", default=True" if len(parts) < len(cut.parts) else ""
    return f"{called}({cut.column!r}, {parts!r}{default})"


def _list_value(found: re.Match[str]) -> Any:
    """Return what `by_list` was given, from what PostgreSQL receives."""
    if found[1] is not None:
        text = found[1].replace("''", "'")
        return text.replace("\\\\", "\\") if found[0].startswith("E") else text
    words = {"NULL": None, "true": True, "false": False}
    return words[found[0]] if found[0] in words else int(found[0])
