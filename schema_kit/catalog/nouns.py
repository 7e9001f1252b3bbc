"""Nouns of rows: a column has the name of the field that it fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

Noun = TypeVar("Noun")


def noun(of: Callable[..., Noun], row: Any, **given: Any) -> Noun:
    """Return a noun whose fields are columns of the row, arrays as tuples, but for those *given*.

    Args:
        of: its class; a field without a column keeps its default, a column without a field is passed over.
        row: what `session.rows` returned, or a mapping.
        given: fields that are no column, or another value than the column's.
    """
    columns: Mapping[str, Any] = row if isinstance(row, Mapping) else row._mapping
    named = _fields(of) & columns.keys() - given.keys()
    return of(**{name: _value(columns[name]) for name in named}, **given)


@cache
def _fields(of: Any) -> frozenset[str]:
    return frozenset(field.name for field in fields(of))


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
