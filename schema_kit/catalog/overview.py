"""Read the state of many partitioned tables with a fixed number of queries, and no big table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import archives, citus, drift, position, present, retirement, sets
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.session import HIDES_ROWS, observing, rows
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.intervals import Point
from schema_kit.model import DefaultRows, Partitioning, Retired, ShardDifference, Table, Watched, ranges
from schema_kit.model.grid import Grid, grid, partitioned_table
from schema_kit.names import QualifiedName, ident
from schema_kit.server import Server
from schema_kit.storage import ARCHIVE_POLICY, ARCHIVED_PARTITION, RETIRED_PARTITION

_OF_ONE_SET = frozenset({"55P03", "40P01", "42P01", "XX000"})
"""A lock that another session holds, a table that was dropped meanwhile."""

_NONE = Table(QualifiedName("", ""), ())

_MOST_WINDOWS = 10
"""Ranges of the rows in a default partition that are reported; each costs a query."""

# Rows that row security hides would make a wrong answer of a right question.
_RIGHTS = f"""
SELECT has_schema_privilege(c.relnamespace, 'USAGE')
       AND (has_table_privilege(c.oid, 'SELECT') OR has_column_privilege(c.oid, a.attnum, 'SELECT')),
       CASE WHEN row_security_active(c.oid) THEN {HIDES_ROWS} ELSE '' END, current_user::text,
       EXISTS (SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
               WHERE x.indrelid = c.oid AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL
                 AND m.amname = 'btree'), pg_relation_size(c.oid) < 16777216 AND c.relkind <> 'p'
FROM unnest(%(tables)s::text[], %(columns)s::text[]) WITH ORDINALITY w (name, control, place)
JOIN pg_class c ON c.oid = to_regclass(w.name) JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.control
ORDER BY w.place
"""


def read(
    connection: Connection,
    policies: Sequence[Partitioning],
    now: datetime,
    sentence: Callable[[DBAPIError, Connection], Exception],
    measured: bool = False,
) -> tuple[Watched, ...]:
    """Return every set of the policies; what keeps one from being looked at is said of that one alone.

    Args:
        connection: where to look.
        policies: as they stand in part_config.
        now: the moment that stands for the current position.
        sentence: what PostgreSQL's refusal means.
        measured: read sizes and rows, instead of what is otherwise than it should be.
    """
    try:
        with observing(connection):
            return tuple(_read(connection, policies, now, measured))
    except PlanError as error:  # a right is missing, say
        why = str(error)
    except DBAPIError as error:
        if sqlstate(error) not in _OF_ONE_SET:
            raise
        why = " ".join(str(sentence(error, connection)).split())
    if len(policies) == 1:
        return (Watched(policies[0], policies[0].parent, unseen=(why,)),)
    return tuple(seen for one in policies for seen in read(connection, [one], now, sentence, measured))


def _read(connection: Connection, policies: Sequence[Partitioning], now: datetime, measured: bool) -> Iterator[Watched]:
    server = Server(int((connection.dialect.server_version_info or (0,))[0]) * 10_000)
    found = [
        Watched(one, of.parent, table, now=now, server=server) for of, one, table in sets.read_of(connection, policies)
    ]
    if measured:
        sizes = iter(sets.measured(connection, [seen.table for seen in found if seen.table]))
        found = [replace(seen, table=next(sizes) if seen.table else None) for seen in found]
    else:
        drifts = drift.read(connection, [seen.policy.parent for seen in found])
        differing = citus.differing(connection, [seen.policy.parent for seen in found if seen.table])
        found = [
            replace(seen, drift=own, shards=_of_set(seen, differing)) for seen, own in zip(found, drifts, strict=True)
        ]
    ours = present.readable(connection, RETIRED_PARTITION, ARCHIVE_POLICY, ARCHIVED_PARTITION)
    retired = _retired(connection) if RETIRED_PARTITION in ours and not measured else {}
    policies_ = archives.policies(connection) if ARCHIVE_POLICY in ours else ()
    going = {policy.table: policy for policy in policies_ if policy.way == "partition"}
    back = _restored(connection) if ARCHIVED_PARTITION in ours else {}
    found = [
        replace(
            seen,
            retired=tuple(retired.get(seen.policy.parent, ())),
            archive=going.get(seen.policy.parent),
            restored=tuple(back.get(seen.policy.parent, ())),
        )
        for seen in found
    ]
    laid = {place: own for place, seen in enumerate(found) if (own := _laid(seen))}
    by_id = {place: found[place].policy.parent for place, own in laid.items() if own.of_ids}
    defaults = {place: part.name for place in laid for part in (found[place].table or _NONE).partitions if part.default}
    rights = _rights(
        connection, [(found[at].policy.control, name) for w in (by_id, defaults) for at, name in w.items()]
    )
    hidden = {place: said for place, name in by_id.items() if (said := _unseen(name, rights[name]))}
    seen_of = {place: name for place, name in defaults.items() if not _unseen(name, rights[name])}
    ids = {place: position.id_set(laid[place], found[place].table or _NONE, seen_of.get(place)) for place in by_id}
    latest = position.latest(connection, {place: one for place, one in ids.items() if place not in hidden})
    filled = _filled(connection, seen_of)
    for place, seen in enumerate(found):
        if place not in laid:
            yield seen
            continue
        lines, default = laid[place], None
        here = None if place in hidden else lines.here(now, latest.get(place))
        if place in defaults:
            name = defaults[place]
            why = _unseen(name, rights[name])
            default = DefaultRows(filled.get(place), estimate=_estimate(seen.table, name), why=why)
            indexed, small = rights[name][3:]
            if default.filled and (indexed or (small and not (seen.table or _NONE).distribution)):
                default = _windows(connection, lines, name, default, _reach(lines, seen.table or _NONE, here))
        yield replace(seen, default=default, here=here, unseen=(hidden[place],) if place in hidden else ())


def _of_set(seen: Watched, differing: Sequence[ShardDifference]) -> tuple[ShardDifference, ...]:
    names = {part.name for part in seen.table.partitions} | {seen.policy.parent} if seen.table else set()
    return tuple(one for one in differing if one.table in names)


def _reach(lines: Grid, table: Table, here: Point | None) -> Point | None:
    """Up to where rows get partitions; None: up to the end of the line, or nothing can be planned."""
    try:
        return None if here is None else ranges.reach(lines, table, here)
    except SchemaKitError:
        return None


def _retired(connection: Connection) -> dict[QualifiedName, list[Retired]]:
    """Return what was retired, set by set."""
    found = defaultdict[QualifiedName, list[Retired]](list)
    for one in retirement.retired(connection):
        found[one.parent].append(one)
    return found


def _restored(connection: Connection) -> dict[QualifiedName, list[QualifiedName]]:
    """Return what was taken back from archives, set by set."""
    found = defaultdict[QualifiedName, list[QualifiedName]](list)
    for row in archives.moved(connection):
        if row.since and row.there and row.goes_to != row.archive:
            found[row.table].append(row.name)
    return found


def _laid(seen: Watched) -> Grid | None:
    """Return None where its policy and its table disagree, which is for the check to say."""
    try:
        return grid(seen.policy, partitioned_table(seen.policy, seen.table))
    except SchemaKitError:
        return None


def _rights(connection: Connection, wanted: Sequence[tuple[str, QualifiedName]]) -> dict[QualifiedName, Any]:
    tables = [name for _, name in wanted]
    values = {"tables": [name.sql for name in tables], "columns": [column for column, _ in wanted]}
    return dict(zip(tables, rows(connection, _RIGHTS, values), strict=True)) if tables else {}


def _unseen(name: QualifiedName, rights: Any) -> str:
    readable, hidden, role = rights[:3]
    if not readable:
        who, schema = ident(role), ident(name.schema)
        return (
            f"{who} cannot read {name}. It needs USAGE on the schema and SELECT on the table: "
            f"GRANT USAGE ON SCHEMA {schema} TO {who}; GRANT SELECT ON {name.sql} TO {who};"
        )
    return f"{hidden}." if hidden else ""


def _filled(connection: Connection, defaults: dict[int, QualifiedName]) -> dict[int, bool]:
    asked = [f"SELECT {place}, EXISTS (SELECT 1 FROM {name.sql})" for place, name in defaults.items()]
    return dict(map(tuple, rows(connection, " UNION ALL ".join(asked)))) if asked else {}


def _estimate(table: Table | None, name: QualifiedName) -> int:
    return next((one.rows for one in table.partitions if one.name == name), -1) if table else -1


def _windows(
    connection: Connection, lines: Grid, name: QualifiedName, default: DefaultRows, until: Point | None
) -> DefaultRows:
    """Return the ranges of its rows up to *until*, a probe each; and the rows that stay in it."""
    found = tuple(islice(position.filled(connection, name, lines, until), _MOST_WINDOWS))
    more = len(found) == _MOST_WINDOWS and lines.bounds(found[-1])[1] is not None
    return replace(default, windows=found, more=more, strays=position.beyond(connection, name, lines, until))
