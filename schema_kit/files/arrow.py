"""Values between PostgreSQL and Arrow. What Arrow cannot hold exactly is refused here, and stored as text then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schema_kit.files.table import TEXT, Column

_TYPES = {
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "text": pa.string(),
    TEXT: pa.string(),
    "bytes": pa.binary(),
    "uuid": pa.binary(16),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamptz": pa.timestamp("us", "UTC"),
}
# Infinity, and years that Arrow cannot count up to, come out of the driver far away from these.
_DAYS = (date.min.toordinal() - date(1970, 1, 1).toordinal(), date.max.toordinal() - date(1970, 1, 1).toordinal())
_MICROSECONDS = (_DAYS[0] * 86_400_000_000, (_DAYS[1] + 1) * 86_400_000_000 - 1)


class Misfit(Exception):
    """A column holds a value that its Arrow type has not: infinity, NaN, a year before 1 or after 9999."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def type_of(stored: str) -> pa.DataType:
    """Return the Arrow type of what is stored so."""
    if match := re.fullmatch(r"decimal\((\d+),(\d+)\)", stored):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _TYPES[stored]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the file's columns; PostgreSQL's type and how it is stored are in the metadata of each."""
    return pa.schema(
        [
            pa.field(c.name, type_of(c.stored), metadata={"postgresql:type": c.type, "postgresql:stored": c.stored})
            for c in columns
        ]
    )


def fitted(batch: pa.RecordBatch, columns: Sequence[Column]) -> list[pa.Array]:
    """Return what the driver has read, in the types of the file.

    Raises:
        Misfit: a value that Arrow cannot hold.
    """
    return [_fit(array, column) for array, column in zip(batch.columns, columns, strict=True)]


def _fit(array: pa.Array, column: Column) -> pa.Array:
    wanted = type_of(column.stored)
    if column.stored.startswith("decimal"):
        try:
            return array.cast(wanted)
        except pa.ArrowInvalid as error:
            raise Misfit(column.name) from error
    if column.stored in ("date", "timestamp", "timestamptz"):
        counted = array.view(pa.int32() if column.stored == "date" else pa.int64())
        ends = pc.min_max(counted).as_py()
        least, most = _DAYS if column.stored == "date" else _MICROSECONDS
        if ends["min"] is not None and not least <= ends["min"] <= ends["max"] <= most:
            raise Misfit(column.name)
    return array if array.type == wanted else array.cast(wanted)


def readable(array: pa.Array, stored: str) -> pa.Array:
    """Return an array as Arrow's CSV writer makes of it what PostgreSQL reads, under TimeZone UTC."""
    if stored.startswith("decimal"):
        return array.cast(pa.string())
    if stored == "timestamptz":
        return array.cast(pa.timestamp("us"))  # the same digits; with a zone they take ten times as long to print
    if stored == "uuid":
        return _hexadecimal(array.cast(pa.binary()))
    if stored == "bytes":
        begin, nothing = (pa.scalar(text, pa.large_string()) for text in ("\\x", ""))
        return pc.binary_join_element_wise(begin, _hexadecimal(array), nothing)
    return array


_DIGITS = np.array([list(f"{byte:02x}".encode()) for byte in range(256)], dtype="u1")


def _hexadecimal(array: pa.Array) -> pa.Array:
    validity, ends, data = array.buffers()
    offsets = np.frombuffer(ends, dtype="<i4")[array.offset : array.offset + len(array) + 1].astype("<i8")
    raw = np.frombuffer(data, dtype="u1")[offsets[0] : offsets[-1]] if data else np.zeros(0, dtype="u1")
    doubled = pa.py_buffer((offsets - offsets[0]) * 2), pa.py_buffer(_DIGITS[raw])
    valid = array.is_valid().buffers()[1] if validity else None
    return pa.LargeStringArray.from_buffers(len(array), *doubled, valid, array.null_count)
