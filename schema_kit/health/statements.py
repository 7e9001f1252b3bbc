"""What pg_stat_statements has counted, that of partitions together with that of their table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.health.facts import Statement, Statements
from schema_kit.names import QualifiedName, ident, unquoted
from schema_kit.normalized import normalized, verb

KEPT = 200
"""Statements that are looked at, and that a snapshot keeps: those that take the most time."""

EXTENSION = """
SELECT n.nspname, EXISTS (SELECT 1 FROM pg_settings s WHERE s.name = 'pg_stat_statements.max')
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
"""

# What only some versions have is taken by name from the row as JSON.
_COUNTED = r"""
WITH counted AS (
  SELECT s.query, sum(s.calls)::bigint AS calls, sum((r ->> 'total_exec_time')::float8) / 1000 AS seconds
  FROM {schema}.pg_stat_statements s, to_jsonb(s) r
  WHERE s.dbid = (SELECT o.oid FROM pg_database o WHERE o.datname = current_database()) AND s.calls > 0
  GROUP BY s.query
)
SELECT left(c.query, 4000), c.calls, c.seconds FROM counted c
ORDER BY c.seconds DESC LIMIT 1000
"""

_ROOM = """
SELECT extract(epoch FROM clock_timestamp() - i.stats_reset)::float8 / 86400, i.dealloc,
       (SELECT count(*) FROM {schema}.pg_stat_statements), current_setting('pg_stat_statements.max')::int
FROM {schema}.pg_stat_statements_info i
"""

MISSING = (
    "statements were not looked at: pg_stat_statements is not installed. Add it to shared_preload_libraries, restart "
    "the server, and CREATE EXTENSION pg_stat_statements;"
)
_OURS = re.compile(r"\bpg_(?:catalog|class|namespace|stat|settings|database|extension|locks|index|attribute|proc|type)")
_NAME = re.compile(r"\"(?:[^\"]|\"\")+\"|[A-Za-z_][\w$]*")


def read(connection: Connection, roots: Mapping[QualifiedName, QualifiedName]) -> Statements | None:
    """Return what is counted in this database; None where it is not. Call it while observing.

    Args:
        connection: in autocommit.
        roots: the table above each partition.
    """
    found = rows(connection, EXTENSION)
    if not found or not found[0][1]:
        return None
    schema = ident(found[0][0])
    ((days, evicted, kept, most),) = rows(connection, _ROOM.format(schema=schema))
    return of(rows(connection, _COUNTED.format(schema=schema)), roots, days or 0, evicted, kept, most)


def of(
    found: list[Any], roots: Mapping[QualifiedName, QualifiedName], days: float, evicted: int, kept: int, most: int
) -> Statements:
    """Return the same from rows of text, calls and seconds: values taken out, partitions folded."""
    tops = {leaf.name: root.name for leaf, root in roots.items()}
    sums = dict[str, list[float]]()
    for text, calls, seconds in found:
        told = normalized(text)
        if verb(told) == "OTHER" or _OURS.search(told):
            continue
        own = sums.setdefault(_NAME.sub(lambda one: _root(one[0], tops), told), [0, 0.0])
        own[0] += calls
        own[1] += seconds
    top = sorted(sums.items(), key=lambda one: -one[1][1])[:KEPT]
    statements = tuple(Statement(text, int(calls), seconds) for text, (calls, seconds) in top)
    return Statements(statements, days, sum(seconds for _, seconds in sums.values()), evicted, kept, most)


def _root(word: str, tops: Mapping[str, str]) -> str:
    name = unquoted(word)
    return ident(tops[name]) if name in tops else word
