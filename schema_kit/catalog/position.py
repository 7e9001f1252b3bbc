"""Read where rows lie along the partition key: in a range or past the last one, and the greatest id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.intervals import Ids, Point
from schema_kit.model import Range, Stray, Table
from schema_kit.model.grid import Grid
from schema_kit.model.ranges import Placed, placed
from schema_kit.names import QualifiedName, ident, literal

_COUNTED = 1000
"""Rows beyond are counted up to here."""

_HOPS = 10_000


@dataclass(frozen=True)
class IdSet:
    """A table of ids: its ranges, the partitions with an end, in order, and what holds the ids beyond them."""

    lines: Grid
    parts: Placed
    open: QualifiedName | None
    """The partition without an end, or the default one."""
    type: str
    """Of its ids."""


def id_set(lines: Grid, table: Table, default: QualifiedName | None) -> IdSet:
    """Return a table partitioned by ids, as far as its bounds can be read; *default* where its rows may be read."""
    column, parts = table.column(lines.policy.control), placed(lines, table, [])
    assert column is not None  # the boundaries were checked
    unending = next((part.name for taken, part in parts if taken.upper is None), default)
    return IdSet(lines, tuple(one for one in parts if one[0].upper is not None), unending, column.type)


def on_line(lines: Grid, column: str) -> str:
    """Return the condition under which a value lies on the line: neither infinity nor NaN, nor beyond the calendar."""
    key = lines.key
    low = "> '-Infinity'" if key.least is None else f">= {literal(key.encode(key.least))}"
    high = "< 'Infinity'" if key.greatest is None else f"<= {literal(key.encode(key.greatest))}"
    return f"{column} {low} AND {column} {high}"


def beyond(connection: Connection, table: QualifiedName, lines: Grid, until: Point | None) -> tuple[Stray, ...]:
    """Return rows that lie before the line and behind *until*, which get no partition. Call it while observing.

    Args:
        connection: where to look.
        table: a default partition, or one that is converted.
        lines: the ranges.
        until: up to where rows get partitions; None: up to the end of the line.
    """
    key, column, found = lines.key, f"own.{ident(lines.policy.control)}", list[Stray]()
    low = "<= '-Infinity'" if key.least is None else f"< {literal(key.encode(key.least))}"
    high = ">= 'Infinity'" if key.greatest is None else f"> {literal(key.encode(key.greatest))}"
    if until is not None and not lines.ends(until):
        high = f">= {literal(key.encode(until))}"
    for condition in (low, high):
        one = f"SELECT {column} AS k FROM {table.sql} own WHERE {column} {condition} ORDER BY {column}"
        held = rows(connection, f"SELECT k::text FROM ({one} LIMIT {_COUNTED + 1}) s")
        if held:
            count, last = len(held), held[-1][0]
            if count > _COUNTED:
                last = rows(connection, f"SELECT k::text FROM ({one} DESC LIMIT 1) s")[0][0]
            found.append(Stray(min(count, _COUNTED), held[0][0], last, condition, count > _COUNTED))
    return tuple(found)


def filled(
    connection: Connection, source: QualifiedName, lines: Grid, until: Point | None, at_once: int = 1
) -> Iterator[Range]:
    """Yield the ranges that rows lie in, in order, up to *until* or the end of the line.

    Args:
        connection: where to look.
        source: the table that holds them.
        lines: the boundaries.
        until: where to stop.
        at_once: where no index finds the next row, how many ranges are looked at in one scan.
    """
    column = f"own.{ident(lines.policy.control)}"
    where = on_line(lines, column)
    if until is not None and not lines.ends(until):
        where += f" AND {column} < {literal(lines.key.encode(until))}"
    following = ""
    while True:
        first = f"SELECT {column}::text FROM {source.sql} own WHERE {where}{following} ORDER BY {column} LIMIT 1"
        found = rows(connection, first)
        point = lines.key.locate(found[0][0]) if found else None
        if point is None:
            return
        windows = list(islice(lines.windows(point, None), at_once))
        edges = [edge for edge in (lines.bounds(windows[0])[0], *(lines.bounds(one)[1] for one in windows)) if edge]
        places = {1}
        if at_once > 1:
            bounds = f"ARRAY[{', '.join(map(literal, edges))}]::{_type(connection, source, lines.policy.control)}[]"
            asked = f"SELECT DISTINCT width_bucket({column}, {bounds}) FROM {source.sql} own WHERE {where}{following}"
            places = {row[0] for row in rows(connection, asked)}
        for place, window in enumerate(windows, 1):
            if place in places:
                yield window
        if lines.ends(windows[-1].upper):
            return
        following = f" AND {column} >= {literal(edges[-1])}"


def _type(connection: Connection, table: QualifiedName, column: str) -> str:
    found = rows(
        connection,
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(%(table)s) "
        "AND attname = %(column)s",
        {"table": table.sql, "column": column},
    )
    return str(found[0][0])


def latest(connection: Connection, sets: Mapping[int, IdSet]) -> dict[int, Point]:
    """Return the current position of each table of ids; not of those without rows. Call it while observing.

    At the greatest id in a partition, looked for in the newest ones, and in all where those are empty. In the default
    partition, or in one without an end, an id counts that lies no more than premake ranges beyond the others, or
    beyond one that counts: so a table whose ids have outrun its partitions goes on, and one id far away moves nothing.
    """
    found: dict[int, Point] = {}
    for newest in (True, False):
        asked = [
            f"SELECT {place}, ({_greatest(one, newest=newest)})" for place, one in sets.items() if place not in found
        ]
        found |= _located(connection, sets, asked)
    asked = [f"SELECT {place}, ({_hops(one)})" for place, one in sets.items() if one.open]
    for place, point in _located(connection, sets, asked).items():
        found[place] = max(point, found.get(place, point))
    return found


def _located(connection: Connection, sets: Mapping[int, IdSet], asked: list[str]) -> dict[int, Point]:
    answers = rows(connection, " UNION ALL ".join(asked)) if asked else ()
    points = {place: sets[place].lines.key.locate(text) for place, text in answers if text is not None}
    return {place: point for place, point in points.items() if point is not None}


def _greatest(one: IdSet, *, newest: bool) -> str:
    """Return the greatest id below the end of the newest partition."""
    lines, parts = one.lines, one.parts
    if not parts:
        return "NULL"
    column = f"own.{ident(lines.policy.control)}"  # a bare name would order by the text
    where = on_line(lines, column)
    first, last = parts[-lines.policy.premake - 2 :][0][0].lower, parts[-1][0].upper
    if newest and first is not None:
        where += f" AND {column} >= {literal(lines.key.encode(first))}"
    where += f" AND {column} < {literal(lines.key.encode(last))}"
    return f"SELECT {column}::text FROM {lines.policy.parent.sql} own WHERE {where} ORDER BY {column} DESC LIMIT 1"


def _hops(one: IdSet) -> str:
    """Return the greatest id beyond the partitions that can be reached from them; without them, from the first one."""
    lines, beyond, type_ = one.lines, one.open, one.type
    assert beyond is not None  # it has one
    assert isinstance(lines.interval, Ids)
    column, greatest = f"own.{ident(lines.policy.control)}", lines.key.greatest
    until = f"hop.k + {lines.policy.premake * lines.interval.count}"
    until = until if greatest is None else f"least({until}, {greatest})"
    if one.parts:
        last: Point = one.parts[-1][0].upper
        start, which = f"{last - 1}", "n > 0"
    else:
        where, which = on_line(lines, column), "true"
        first = f"SELECT min({column}) FROM {beyond.sql} own WHERE {where} AND {column} >= {lines.interval.origin}"
        others = f"SELECT max({column}) FROM {beyond.sql} own WHERE {where}"
        start = f"coalesce(({first}), ({others}))"
    following = (
        f"SELECT {column} FROM {beyond.sql} own WHERE {column} > hop.k::{type_} AND {column} <= ({until})::{type_} "
        f"ORDER BY {column} DESC LIMIT 1"
    )
    return (
        f"WITH RECURSIVE hop (k, n) AS (SELECT ({start})::numeric, 0 UNION ALL "
        f"SELECT ({following})::numeric, n + 1 FROM hop WHERE k IS NOT NULL AND n < {_HOPS}) "
        f"SELECT max(k)::text FROM hop WHERE {which}"
    )
