"""Rows of an application as values of columns, in the columns' order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg

from schema_kit.errors import DeclarationError

_DIALECT: sa.Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
Row = Mapping[str, Any] | Sequence[Any]
_AT_ONCE = 1000


def named(table: Any) -> tuple[sa.Table, dict[str, sa.Column[Any]]]:
    """Return a table, or that of a model, and its columns by the names that rows use: a model's are its attributes."""
    if isinstance(table, sa.Table):
        return table, {column.key: column for column in table.columns}
    mapper = sa.inspect(table, raiseerr=False)
    local = getattr(mapper, "local_table", None)
    if not isinstance(local, sa.Table):
        raise DeclarationError(f"{table!r} is neither a Table nor a mapped class that has one.")
    attributes = {
        attribute.key: column
        for attribute in mapper.column_attrs
        for column in attribute.columns
        if column.table is local
    }
    return local, attributes


def ordered(
    columns: Mapping[str, sa.Column[Any]], rows: Iterable[Row], names: Sequence[str] | None
) -> tuple[list[sa.Column[Any]], Iterator[tuple[Any, ...]]]:
    """Return the columns that are written, and each row as a tuple of what the driver takes.

    Columns come from *names*, else from the keys of the first row; those with a default in Python that are not among
    them are added with it. All rows have the same keys.
    """
    remaining = iter(rows)
    first = next(remaining, None)
    if first is None:
        return [], iter(())
    keys = list(names) if names else list(first) if isinstance(first, Mapping) else None
    if keys is None:
        raise DeclarationError("rows that are no mappings need columns=[...], in their order.")
    if unknown := [key for key in keys if key not in columns]:
        raise DeclarationError(f"there is no column {', '.join(map(repr, unknown))}; there are {', '.join(columns)}.")
    given = [columns[key] for key in keys]
    made = [(column, make) for key, column in columns.items() if key not in keys and (make := _default(column))]
    return given + [column for column, _ in made], _tuples(
        chain([first], remaining), keys, given, [make for _, make in made], by_name=isinstance(first, Mapping)
    )


def _tuples(
    rows: Iterable[Row],
    keys: list[str],
    given: list[sa.Column[Any]],
    made: list[Callable[[], Any]],
    *,
    by_name: bool,
) -> Iterator[tuple[Any, ...]]:
    """Yield rows as tuples. Types convert a column of many rows at once, which is faster than row by row."""
    processors = [(n, found) for n, column in enumerate(given) if (found := _processor(column))]
    take: Callable[[Any], Any] = itemgetter(*keys) if len(keys) > 1 else lambda row: (row[keys[0]],)
    remaining, before = iter(rows), 0
    while some := list[Any](islice(remaining, _AT_ONCE)):
        try:
            values: Iterable[Any] = list(map(take, some)) if by_name else some
        except KeyError:
            raise _unlike(some, before, keys) from None
        if set(map(len, some)) != {len(keys)}:
            raise _unlike(some, before, keys)
        if processors or made:
            columns: list[Iterable[Any]] = list(zip(*values, strict=True))
            for n, process in processors:
                columns[n] = map(process, columns[n])
            values = zip(*columns, *([make() for _ in some] for make in made), strict=True)
        yield from values
        before += len(some)


def _unlike(rows: list[Any], before: int, keys: list[str]) -> DeclarationError:
    """Name the first of these rows that has other keys, or another number of values; *before* rows came before them."""
    listed = ", ".join(keys)
    for number, row in enumerate(rows, before + 1):
        if isinstance(row, Mapping) and set(row) != set(keys):
            return DeclarationError(
                f"row {number} has the keys {', '.join(row)}, the first one {listed}: give each row the same ones."
            )
        if len(row) != len(keys):
            break
    return DeclarationError(f"row {number} has {len(row)} values for {len(keys)} columns ({listed}).")


def _processor(column: sa.Column[Any]) -> Callable[[Any], Any] | None:
    return column.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _default(column: sa.Column[Any]) -> Callable[[], Any] | None:
    """Return what makes a value where a row has none: the column's default in Python."""
    default: Any = column.default
    if default is None or not (default.is_scalar or default.is_callable):
        return None
    process = _processor(column) or (lambda value: value)
    if default.is_scalar:
        return lambda: process(default.arg)
    return lambda: process(default.arg(None))
