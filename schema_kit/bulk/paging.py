"""Read a result page by page, each where the last one ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import operators

from schema_kit.errors import DeclarationError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins: None after the last one."""

    rows: Sequence[Any]
    after: tuple[Any, ...] | None


def page(
    connection: sa.Connection | Session,
    select: sa.GenerativeSelect,
    *,
    size: int = 50,
    after: Sequence[Any] | None = None,
) -> Page:
    """Read one page by its keys (keyset paging): page 1,000 costs what page 1 does, and no row is seen twice.

    Args:
        connection: A Connection or a Session.
        select: A select with ORDER BY over columns of one table: none of them nullable, together unique, and the
            beginning of an index, after columns that WHERE compares with `=`.
        size: Rows of a page.
        after: `Page.after` of the page before; nothing for the first one.

    Raises:
        DeclarationError: the order can skip or repeat rows, or no index that is declared serves it;
            or *size* or *after* is invalid.

    Example: `page(session, sa.select(Message).order_by(Message.timestamp, Message.id), after=last.after)`

    https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
    """
    if not isinstance(size, int) or size < 1:
        raise DeclarationError(f"size={size!r}: a page has one row at least.")
    if after is not None and (isinstance(after, str) or not isinstance(after, Sequence)):
        raise DeclarationError(f"after={after!r}: give Page.after of the page before.")
    order = _order(select)
    _refuse(select, order)
    statement: Any = select.limit(size + 1)
    if after is not None:
        if len(after) != len(order):
            raise DeclarationError(f"after has {len(after)} values; the order has {len(order)} columns.")
        statement = statement.where(_beyond(order, after))
    statement = statement.add_columns(*(column.label(f"schema_kit_key_{n}") for n, (column, _) in enumerate(order)))
    found = connection.execute(statement).all()
    keys = len(order)
    rows = [row[:-keys] for row in found[:size]]
    if found and len(found[0]) - keys == 1:
        rows = [row[0] for row in rows]
    return Page(rows, tuple(found[size - 1][-keys:]) if len(found) > size else None)


async def async_page(connection: AsyncConnection | AsyncSession, select: sa.GenerativeSelect, **options: Any) -> Page:
    """Do the same on an AsyncConnection or an AsyncSession: see `page`.

    Example: `await async_page(session, select, after=last.after)`
    """
    return await connection.run_sync(page, select, **options)


def _order(select: Any) -> list[tuple[sa.Column[Any], bool]]:
    """Return the columns of ORDER BY, each with whether it descends."""
    found = list[tuple[sa.Column[Any], bool]]()
    for clause in select._order_by_clauses:
        element: Any = clause
        descending = False
        while isinstance(element, sa.UnaryExpression):
            if element.modifier not in {operators.desc_op, operators.asc_op}:
                raise DeclarationError(
                    f"ORDER BY {clause}: NULLS FIRST and LAST have no place among columns that are not nullable."
                )
            descending = element.modifier is operators.desc_op
            element = element.element
        column = next(iter(element.base_columns), None) if isinstance(element, sa.ColumnElement) else None
        if not isinstance(column, sa.Column) or not isinstance(column.table, sa.Table):
            raise DeclarationError(f"ORDER BY {clause}: pages go by columns of a table.")
        found.append((column, descending))
    if not found:
        raise DeclarationError("The select has no ORDER BY: pages need an order that is unique.")
    return found


def _refuse(select: Any, order: list[tuple[sa.Column[Any], bool]]) -> None:
    """Refuse an order that can skip rows or repeat them, or that reads the whole table."""
    columns = [column for column, _ in order]
    names = ", ".join(column.name for column in columns)
    table = columns[0].table
    if any(column.table is not table for column in columns):
        raise DeclarationError(f"ORDER BY {names}: pages go by columns of one table.")
    assert isinstance(table, sa.Table)
    if nullable := [column.name for column in columns if column.nullable]:
        raise DeclarationError(f"ORDER BY {names}: {', '.join(nullable)} can be NULL, which no page would begin after.")
    equal = _equal(select, table)
    unique: list[set[sa.Column[Any]]] = [set(table.primary_key.columns)] if len(table.primary_key.columns) else []
    unique += [set(one.columns) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    unique += [set(one.columns) for one in table.indexes if one.unique and _where(one) is None and _plain(one)]
    if not any(key <= {*columns, *equal} and not any(c.nullable for c in key) for key in unique):
        key = ", ".join(column.name for column in table.primary_key.columns)
        raise DeclarationError(
            f"ORDER BY {names} is not unique: rows that are equal would be skipped. Add {key or 'a key'} to it."
        )
    keys = [one for one in table.constraints if isinstance(one, sa.PrimaryKeyConstraint | sa.UniqueConstraint)]
    served = [([(column, False) for column in one.columns], True) for one in keys]
    served += [(_directed(one), bool(one.unique)) for one in table.indexes if _where(one) is None]
    if not any(_serves(index, distinct, equal, order) for index, distinct in served):
        raise DeclarationError(
            f"No index that the model of {table.fullname} declares serves ORDER BY {names}: each page would sort."
        )


def _where(index: sa.Index) -> Any:
    return index.dialect_options["postgresql"]["where"]


def _plain(index: sa.Index) -> bool:
    return all(isinstance(part, sa.Column) for part in index.expressions)


_WRITTEN = re.compile(r'"?(?P<name>\w+)"?(?:\s+(?:asc|(?P<desc>desc)))?', re.IGNORECASE)


def _directed(index: sa.Index) -> list[tuple[Any, bool]]:
    """Return the columns of a B-tree with their directions, as far as they are columns."""
    if index.dialect_options["postgresql"]["using"] not in {False, None, "btree"}:
        return []
    found = list[tuple[Any, bool]]()
    columns: Any = index.table.columns if index.table is not None else {}
    for part in index.expressions:
        descending = isinstance(part, sa.UnaryExpression) and part.modifier is operators.desc_op
        column: Any = part.element if isinstance(part, sa.UnaryExpression) else part
        if not isinstance(column, sa.Column):
            written = _WRITTEN.fullmatch(str(getattr(column, "element", column)))  # desc("at"), text("at DESC")
            if written is None or written["name"] not in columns:
                break
            column, descending = columns[written["name"]], descending or bool(written["desc"])
        found.append((column, descending))
    return found


def _equal(select: Any, table: sa.Table) -> set[sa.Column[Any]]:
    """Return the columns that WHERE compares with one value, in a condition that all rows meet."""
    found = set[sa.Column[Any]]()
    for condition in select._where_criteria:
        parts = condition.clauses if getattr(condition, "operator", None) is operators.and_ else [condition]
        for part in parts:
            if isinstance(part, sa.BinaryExpression) and part.operator is operators.eq:
                sides = [next(iter(side.base_columns), None) for side in (part.left, part.right)]
                found |= {side for side in sides if isinstance(side, sa.Column) and side.table is table}
    return found


def _serves(
    index: list[tuple[Any, bool]],
    unique: bool,
    equal: set[sa.Column[Any]],
    order: list[tuple[sa.Column[Any], bool]],
) -> bool:
    """Whether an index has the order's columns in a row, all in the order's direction or all in the other one."""
    wanted = [(column, descending) for column, descending in order if column not in equal]
    left = [(column, descending) for column, descending in index if column not in equal]
    pairs = list(zip(left, wanted, strict=False))
    if not (len(pairs) == len(wanted) or (unique and pairs)) or any(one[0] is not other[0] for one, other in pairs):
        return False
    return len({one[1] is other[1] for one, other in pairs}) <= 1


def _beyond(order: list[tuple[sa.Column[Any], bool]], after: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Return what comes after a row: a comparison of rows, or its written-out form where directions differ."""
    values = [sa.literal(value, column.type) for (column, _), value in zip(order, after, strict=True)]
    if len({descending for _, descending in order}) == 1:
        left, right = sa.tuple_(*(column for column, _ in order)), sa.tuple_(*values)
        return left < right if order[0][1] else left > right
    ways = list[sa.ColumnElement[bool]]()
    for n, ((column, descending), value) in enumerate(zip(order, values, strict=True)):
        before = [other == earlier for (other, _), earlier in zip(order[:n], values[:n], strict=True)]
        ways.append(sa.and_(*before, column < value if descending else column > value))
    return sa.or_(*ways)
