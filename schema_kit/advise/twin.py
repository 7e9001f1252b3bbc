"""A partitioned twin of a table on the scratch: its partitions have their share of rows, pages and statistics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil

from schema_kit import intervals
from schema_kit.advise.scratch import Scratch
from schema_kit.health.definition import parse
from schema_kit.intervals import Point
from schema_kit.names import QualifiedName, ident, literal

TWIN = "schema_kit_twin"

_BOUNDS = """
SELECT {as_point} FROM pg_stats s, unnest(s.histogram_bounds::text::{type}[]) WITH ORDINALITY u (b, place)
WHERE s.schemaname = %s AND s.tablename = %s AND s.attname = %s AND NOT s.inherited AND {finite} ORDER BY place
"""

_INDEXES = """
SELECT pg_get_indexdef(x.indexrelid), x.indisunique FROM pg_index x
WHERE x.indrelid = %s::regclass AND x.indisvalid AND NOT x.indisexclusion
"""

# Attributes are matched by their names: a twin has no dropped ones.
_STATISTICS = """
INSERT INTO pg_statistic SELECT p.oid, b.attnum, p.relkind = 'p', {columns}
FROM pg_statistic s JOIN pg_attribute a ON a.attrelid = s.starelid AND a.attnum = s.staattnum
JOIN pg_partition_tree(%(twin)s::regclass) r ON true JOIN pg_class p ON p.oid = r.relid
JOIN pg_attribute b ON b.attrelid = p.oid AND b.attname = a.attname
WHERE s.starelid = %(table)s::regclass AND NOT s.stainherit
"""

_COLUMNS = """
SELECT string_agg('s.' || quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'pg_statistic'::regclass AND attnum > 3 AND NOT attisdropped
"""

_CLIPPED = """
SELECT pg_restore_attribute_stats('version', 180000, 'schemaname', %(schema)s::text, 'relname', %(leaf)s::text,
  'attname', %(column)s::text, 'inherited', false, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', (-1)::real,
  'histogram_bounds', (SELECT array_agg(b::{type} ORDER BY b)::text FROM unnest(%(bounds)s::{of}[]) b))
"""


@dataclass(frozen=True)
class Spread:
    """Where the rows of a table lie by one of its columns: by time, or by id.

    Args:
        column: its name.
        type: its type.
        bounds: moments in seconds since 1970, or ids, between which about equally many rows are, in order.
    """

    column: str
    type: str
    bounds: Sequence[float]

    @property
    def by_id(self) -> bool:
        """Whether it is a column of ids."""
        return self.type in IDS

    @property
    def length(self) -> float:
        """From the first row to the last, in days or ids."""
        length = self.bounds[-1] - self.bounds[0]
        return max(length, 1) if self.by_id else max(length / 86400, 1 / 24)

    def share(self, start: Point, end: Point) -> float:
        """Return the share of the rows in a range."""
        return max(self._before(_number(end)) - self._before(_number(start)), 0.0)

    def _before(self, point: float) -> float:
        nth = bisect_left(self.bounds, point)
        if nth in (0, len(self.bounds)):
            return float(nth > 0)
        low, high = self.bounds[nth - 1], self.bounds[nth]
        return (nth - 1 + (point - low) / (high - low)) / (len(self.bounds) - 1)

    def inside(self, start: Point, end: Point) -> list[Point]:
        """Return the bounds in a range, and its ends where rows reach them."""
        low, high = _number(start), _number(end)
        first, last = max(low, self.bounds[0]), min(high, self.bounds[-1])
        return [self._point(one) for one in sorted({first, *(b for b in self.bounds if low < b < high), last})]

    def _point(self, number: float) -> Point:
        return int(number) if self.by_id else datetime.fromtimestamp(number, UTC)

    def cut(self, interval: str) -> list[tuple[Point, Point]]:
        """Return the partitions that its rows would be in."""
        every = intervals.parse(interval)
        found, start = list[tuple[Point, Point]](), every.floor(self._point(self.bounds[0]))
        while _number(start) <= self.bounds[-1]:
            end = every.shift(start, 1)
            found.append((start, end))
            start = end
        return found


_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
IDS = tuple(_BITS)


def _bound(point: Point, by: Spread) -> str:
    """Return a bound of a partition; beyond what the column's type holds there are no more rows."""
    if isinstance(point, int) and not -(2 ** _BITS[by.type]) <= point < 2 ** _BITS[by.type]:
        return "MINVALUE" if point < 0 else "MAXVALUE"
    return literal(str(point))


def _number(point: Point) -> float:
    return point.timestamp() if isinstance(point, datetime) else point


def spread(scratch: Scratch, table: QualifiedName, column: str, type_: str) -> Spread | None:
    """Return where the rows of a table lie; None where the statistics do not tell."""
    by_id = type_ in IDS
    as_time = "b" if type_ == "timestamp with time zone" else "b::timestamp AT TIME ZONE 'UTC'"
    query = _BOUNDS.format(as_point="b" if by_id else as_time, type=type_, finite=by_id or "isfinite(b)")
    bounds = [_number(row[0]) for row in scratch.rows(query, [table.schema, table.name, column])]
    return Spread(column, type_, bounds) if len(bounds) > 1 else None


def make(scratch: Scratch, table: QualifiedName, by: Spread, interval: str) -> QualifiedName:
    """Make it next to the table; the files of both are not stretched yet.

    Args:
        scratch: where.
        table: whose twin.
        by: the column by which it is partitioned.
        interval: of a partition.
    """
    twin = table.sibling(TWIN)
    scratch.rows(f"CREATE TABLE {twin.sql} (LIKE {table.sql}) PARTITION BY RANGE ({ident(by.column)})")
    ((rows, visible),) = scratch.rows(
        "SELECT reltuples::float8, relallvisible FROM pg_class WHERE oid = %s::regclass", [table.sql]
    )
    cuts = by.cut(interval)
    shares = [by.share(start, end) for start, end in cuts]
    leaves = [table.sibling(f"{TWIN}_{nth}") for nth in range(len(cuts))]
    for leaf, (start, end) in zip(leaves, cuts, strict=True):
        bounds = f"FROM ({_bound(start, by)}) TO ({_bound(end, by)})"
        scratch.rows(f"CREATE TABLE {leaf.sql} PARTITION OF {twin.sql} FOR VALUES {bounds}")
    for statement in _indexes(scratch, table, twin, by.column):
        scratch.rows(statement)
    pages = scratch.pages[table]
    for leaf, share in zip(leaves, shares, strict=True):
        scratch.pages[leaf] = ceil(pages * share)
    told = "INSERT INTO advise.told VALUES (%s::regclass, %s, %s, %s)"
    for leaf, share in [*zip(leaves, shares, strict=True), (twin, 1.0)]:
        scratch.rows(told, [leaf.sql, ceil(pages * share), rows * share, int(visible * share)])
    ((columns,),) = scratch.rows(_COLUMNS)
    scratch.rows(_STATISTICS.format(columns=columns), {"twin": twin.sql, "table": table.sql})
    for leaf, (start, end) in zip(leaves, cuts, strict=True):
        scratch.rows(
            _CLIPPED.format(type=by.type, of="bigint" if by.by_id else "timestamptz"),
            {"schema": leaf.schema, "leaf": leaf.name, "column": by.column, "bounds": by.inside(start, end)},
        )
    return twin


def _indexes(scratch: Scratch, table: QualifiedName, twin: QualifiedName, column: str) -> Iterator[str]:
    """Yield the same indexes; a unique one has the column, too, as PostgreSQL requires."""
    for text, unique in scratch.rows(_INDEXES, [table.sql]):
        has = parse(text)
        keys = (*has.keys, ident(column)) if unique and column not in has.columns else has.keys
        include = f" INCLUDE ({', '.join(has.include)})" if has.include else ""
        where = f" WHERE {has.predicate}" if has.predicate else ""
        begin = f"CREATE {'UNIQUE ' * unique}INDEX ON {twin.sql} USING {has.method}"
        yield f"{begin} ({', '.join(keys)}){include}{where}"


def swap(scratch: Scratch, table: QualifiedName, twin: QualifiedName) -> None:
    """Put the twin in the place of the table, for statements that name it."""
    with scratch.connection.transaction():
        scratch.rows(f"ALTER TABLE {table.sql} RENAME TO {ident(TWIN + '_plain')}")
        scratch.rows(f"ALTER TABLE {twin.sql} RENAME TO {ident(table.name)}")


def planning(scratch: Scratch, text: str) -> float:
    """Return how long the planner takes for a statement, in milliseconds: the least of three tries."""
    tries = [scratch.rows(f"EXPLAIN (SUMMARY, FORMAT JSON) {text}")[0][0][0]["Planning Time"] for _ in range(3)]
    return float(min(tries))
