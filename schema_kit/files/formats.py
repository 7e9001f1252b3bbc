"""The two file formats: Parquet by Arrow, and the text of COPY with its description in a second file."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from schema_kit.errors import PlanError
from schema_kit.files.arrow import schema_of, type_of
from schema_kit.files.checksum import checksum
from schema_kit.files.store import Sink, Store
from schema_kit.files.table import Column

ROWS = 100_000
"""Of a row group, at most."""
BYTES = 32 << 20
"""Of a row group in memory, about."""

_KEY = b"schema_kit"
_READ = 8 << 20
_DISTINCT = 0.1

Arrays = list[Any]
"""The columns of some rows, as the file has them."""


@dataclass
class Totals:
    """How many rows, and a checksum of each column."""

    columns: Sequence[Column]
    rows: int = 0
    sums: list[int] = field(default_factory=list)

    def add(self, arrays: Arrays) -> None:
        """Some more rows."""
        self.rows += len(arrays[0])
        before = self.sums or [0] * len(arrays)
        self.sums = [(old + checksum(new)) % (1 << 64) for old, new in zip(before, arrays, strict=True)]

    @property
    def checksums(self) -> dict[str, str]:
        """By column."""
        sums = self.sums or [0] * len(self.columns)
        return {column.name: f"{sum_:016x}" for column, sum_ in zip(self.columns, sums, strict=True)}

    def unlike(self, told: Totals | dict[str, Any]) -> str:
        """In what the two differ; empty where they are the same."""
        rows, sums = (told.rows, told.checksums) if isinstance(told, Totals) else (told["rows"], told["checksums"])
        if rows != self.rows:
            return f"{self.rows:,} rows instead of {rows:,}"
        wrong = [name for name, sum_ in self.checksums.items() if sums.get(name) != sum_]
        return f"other values in {', '.join(wrong)}" if wrong else ""


class Format(ABC):
    """How rows lie in a file."""

    suffix: str
    beside = ""
    """What the name of the file ends in that describes it, where it does not do so itself."""

    @abstractmethod
    def writer(self, sink: Sink, columns: Sequence[Column]) -> AbstractContextManager[Writer]:
        """Begin to write."""

    @abstractmethod
    def description(self, store: Store, name: str) -> dict[str, Any]:
        """Return what the file says of itself."""

    @abstractmethod
    def batches(self, store: Store, name: str, columns: Sequence[Column]) -> Iterator[Arrays]:
        """Return its rows, a row group at a time."""


class Writer(ABC):
    """A file that is being written."""

    bytes = 0
    """That have left for the disk."""

    @abstractmethod
    def write(self, arrays: Arrays) -> None:
        """Append rows."""

    @abstractmethod
    def describe(self, text: str) -> None:
        """Say what the file holds, when all rows are in it."""


class Parquet(Format):
    """zstd, in row groups of at most ROWS rows; the description is in the footer."""

    suffix = ".parquet"

    @contextmanager
    def writer(self, sink: Sink, columns: Sequence[Column]) -> Iterator[Writer]:
        """Begin to write; the footer is written on the way out, and only where nothing failed."""
        writer = _ParquetWriter(sink, columns)
        try:
            yield writer
            writer.close()
        except BaseException:
            writer.abandon()
            raise

    def description(self, store: Store, name: str) -> dict[str, Any]:
        """Return the footer's.

        Raises:
            PlanError: it is not a Parquet file, or not one of ours.
        """
        with self._file(store, name) as file:
            text = (file.schema_arrow.metadata or {}).get(_KEY) or (file.metadata.metadata or {}).get(_KEY)
            if text is None:
                raise PlanError(f"{store.url(name)} is a Parquet file that schema_kit has not written.")
            return _described(store, name, text)

    def batches(self, store: Store, name: str, columns: Sequence[Column]) -> Iterator[Arrays]:
        """Yield a row group at a time."""
        types = schema_of(columns).types
        with self._file(store, name) as file:
            if file.schema_arrow.names != [column.name for column in columns]:
                raise PlanError(f"{store.url(name)} is damaged: its columns are not those that it describes.")
            for place in range(file.num_row_groups):
                # By the row group: batches of a whole file are put together across them, however wide rows are.
                for batch in file.iter_batches(batch_size=ROWS, row_groups=[place]):
                    yield [array.cast(type_) for array, type_ in zip(batch.columns, types, strict=True)]

    @contextmanager
    def _file(self, store: Store, name: str) -> Iterator[Any]:
        with store.reading(name) as raw:
            try:
                yield pq.ParquetFile(raw)
            except (pa.ArrowException, OSError) as error:
                if isinstance(error, OSError) and error.errno:  # the disk's, not Arrow's
                    raise
                said = str(error).splitlines() or [type(error).__name__]
                raise PlanError(f"{store.url(name)} is damaged or no Parquet file: {said[0]}") from error


class _StaysOpen:
    """Arrow closes what it has written to; a file that is closed cannot be synced."""

    closed = False

    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def flush(self) -> None:
        """Later."""

    def close(self) -> None:
        """Later."""


class _ParquetWriter(Writer):
    def __init__(self, sink: Sink, columns: Sequence[Column]) -> None:
        self._out = pa.PythonFile(_StaysOpen(sink), mode="w")
        self._schema = schema_of(columns)
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._size = 0

    def write(self, arrays: Arrays) -> None:
        batch = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        self._waiting.append(batch)
        self._size += batch.nbytes
        if self._size >= BYTES or sum(map(len, self._waiting)) >= ROWS:
            self._flush()

    def describe(self, text: str) -> None:
        self._flush()
        self._begun([]).add_key_value_metadata({_KEY.decode(): text})

    def close(self) -> None:
        self._flush()
        self._begun([]).close()

    def abandon(self) -> None:
        """No footer any more."""
        if self._writer is not None:
            self._writer.is_open = False

    def _flush(self) -> None:
        if self._waiting:
            writer = self._begun(self._waiting[0].columns)
            writer.write_table(pa.Table.from_batches(self._waiting, self._schema), row_group_size=ROWS)
        self._waiting, self._size = [], 0
        self.bytes = self._out.tell()

    def _begun(self, first: Arrays) -> Any:
        """A dictionary is worth its while where values come back; else it only costs, and is thrown away in the end."""
        if self._writer is None:
            again = [
                field.name
                for field, array in zip(self._schema, first, strict=False)
                if not pa.types.is_boolean(field.type)
                and pc.count_distinct(array, mode="all").as_py() < len(array) * _DISTINCT
            ]
            self._writer = pq.ParquetWriter(
                self._out, self._schema, compression="zstd", compression_level=1, use_dictionary=again
            )
        return self._writer


class CopyText(Format):
    """What COPY ... TO writes, as COPY ... FROM of any psql reads it; the description is a file next to it."""

    suffix = ".copy"
    beside = ".json"

    @contextmanager
    def writer(self, sink: Sink, columns: Sequence[Column]) -> Iterator[Writer]:
        """Begin to write."""
        yield _CopyWriter(sink)

    def description(self, store: Store, name: str) -> dict[str, Any]:
        """Return the description, of the file next to it.

        Raises:
            PlanError: it is damaged.
        """
        with store.reading(name + self.beside) as file:
            return _described(store, name + self.beside, file.read())

    def batches(self, store: Store, name: str, columns: Sequence[Column]) -> Iterator[Arrays]:
        """Yield some megabytes at a time, up to the end of a row."""
        rest = b""
        with store.reading(name) as file:
            while chunk := file.read(_READ):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    yield self._split(store, name, whole + newline, len(columns))
        if rest:
            raise PlanError(f"{store.url(name)} is damaged: its last row has no end.")

    def _split(self, store: Store, name: str, text: bytes, count: int) -> Arrays:
        try:
            return split(text, count)
        except pa.ArrowInvalid as error:
            raise PlanError(f"{store.url(name)} is damaged: {str(error).splitlines()[0]}") from error


class _CopyWriter(Writer):
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, arrays: Arrays) -> None:
        self.bytes += self._sink.write(join(arrays))

    def describe(self, text: str) -> None:
        """The file next to it says it: what COPY reads holds rows and nothing else."""


def split(text: bytes, count: int) -> Arrays:
    """COPY text -> the columns' texts, escaped as in COPY.

    Raises:
        pa.ArrowInvalid: a row has more columns, or less.
    """
    names = [str(place) for place in range(count)]
    table = csv.read_csv(
        pa.BufferReader(text),
        read_options=csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter="\t", quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False, null_values=[]
        ),
    )
    return [column.combine_chunks() for column in table.columns]


def join(arrays: Arrays) -> bytes:
    """Return the columns' texts -> COPY text."""
    end = pa.scalar(b"\n")
    lines = pc.binary_join_element_wise(*arrays, pa.scalar(b"\t")) if len(arrays) > 1 else arrays[0]
    whole = pc.binary_join_element_wise(lines, end, pa.scalar(b""))
    first, last = whole.offset, whole.offset + len(whole)
    buffers = whole.buffers()
    ends = memoryview(buffers[1]).cast("i")
    return bytes(memoryview(buffers[2])[ends[first] : ends[last]]) if len(whole) else b""


_DESCRIBED = {"table": str, "definition": str, "format": str, "rows": int, "columns": list, "checksums": dict}
_OF_COLUMN = {"name": str, "type": str, "stored": str, "not_null": bool, "generated": bool, "identity": bool}
_BOUNDS = ("parent", "control", "lower", "upper")


def _described(store: Store, name: str, text: bytes) -> dict[str, Any]:
    """Return what a file says of itself, as far as it is of the shape that can be read."""
    try:
        found = json.loads(text)
        complete = _complete(found)
    except (ValueError, KeyError):
        complete = False
    if not complete:
        raise PlanError(f"{store.url(name)} is damaged: its description cannot be read.")
    return {"cut": False, "bounds": "", **dict.fromkeys(_BOUNDS), **found}


def _complete(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and all(isinstance(found.get(key), type_) for key, type_ in _DESCRIBED.items())
        and all(isinstance(found.get(key), str | None) for key in _BOUNDS)
        and bool(found["columns"])
        and all(
            isinstance(column, dict)
            and all(isinstance(column.get(key), of) for key, of in _OF_COLUMN.items())
            and type_of(column["stored"]) is not None
            for column in found["columns"]
        )
    )


FORMATS: dict[str, Format] = {"parquet": Parquet(), "copy": CopyText()}
