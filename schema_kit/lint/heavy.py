"""What a plain statement would do to a large table: by its words, the catalog, the planner, and an empty copy.

Lint's knowledge without its scratch server, so it costs a query or two for each statement that could be one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any

import sqlalchemy as sa

from schema_kit.catalog.code import code, without_leading_comments
from schema_kit.catalog.scratch import works
from schema_kit.catalog.session import autocommits, send
from schema_kit.catalog.session import rows as read
from schema_kit.errors import PlanError
from schema_kit.lint.reach import nodes, table_of, unbounded
from schema_kit.names import QualifiedName

_NAME = r'((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)'


def _named(group: str) -> str:
    return _NAME.replace("(", f"(?P<{group}>", 1)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_VERBS = r"\b(CREATE|ALTER|REINDEX|REFRESH|VACUUM|CLUSTER|LOCK|UPDATE|DELETE|MERGE|WITH)\b"
LOOKED_AT = _words(rf"{_VERBS}|\bFOR\s+(NO\s+KEY\s+)?UPDATE\b")
_FIRST_VERB = _words(_VERBS)
_EVERY_SESSION = "every session waits"
_READ = "it is read from end to end"
_BY_THEIR_WORDS = (
    (
        _words(
            r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b)(?:IF\s+NOT\s+EXISTS\s+(?P<there>\S+)\s+)?.*?"
            rf"\bON\s+(?P<only>ONLY\s+)?{_named('name')}"
        ),
        "writers wait while the index is built",
    ),
    (
        _words(rf"REINDEX\s+(?:\((?![^)]*CONCURRENTLY)[^)]*\)\s*)?(?:TABLE|INDEX)\s+(?!CONCURRENTLY\b){_named('name')}"),
        "writers wait while its indexes are built",
    ),
    (
        _words(
            r"REINDEX\s+(?:\((?![^)]*CONCURRENTLY)[^)]*\)\s*)?(?:(?P<every>DATABASE|SYSTEM)|SCHEMA)\s+(?!CONCURRENTLY\b)"
            rf"{_named('schema')}?"
        ),
        "writers wait while its indexes are built",
    ),
    (
        _words(rf"REFRESH\s+MATERIALIZED\s+VIEW\s+(?!CONCURRENTLY\b){_named('name')}"),
        "readers wait while it is filled",
    ),
    (
        _words(
            r"(?:VACUUM\s+FULL|VACUUM\s*\([^)]*\bFULL\b[^)]*\)|CLUSTER)(?:\s*\([^)]*\))?(?:\s+(?:VERBOSE|ANALYZE))*"
            rf"\s*(?:{_named('name')}|(?P<every>;|$))"
        ),
        f"{_EVERY_SESSION} while it is rewritten",
    ),
    (
        _words(
            r"ALTER\s+(?:TABLE|INDEX|MATERIALIZED\s+VIEW)\s+(?:IF\s+EXISTS\s+)?(?P<only>ONLY\s+)?"
            rf"{_named('name')}\s+SET\s+(TABLESPACE|LOGGED|UNLOGGED)\b"
        ),
        f"{_EVERY_SESSION} while it is written again",
    ),
    (
        _words(
            rf"LOCK\s+(?:TABLE\s+)?(?:ONLY\s+)?{_named('name')}"
            r"(?!.*\bIN\s+(?:ACCESS\s+SHARE|ROW\s+SHARE|ROW\s+EXCLUSIVE|SHARE\s+UPDATE\s+EXCLUSIVE)\s+MODE)"
        ),
        "others wait until the transaction ends",
    ),
    (
        _words(
            rf"ALTER\s+DOMAIN\s+{_named('domain')}\s+(?:ADD\b(?!.*\bNOT\s+VALID\b)|SET\s+NOT\s+NULL"
            r"|VALIDATE\b)"
        ),
        f"writers wait while {_READ}",
    ),
    (
        _words(
            rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?{_named('parent')}\s+ATTACH\s+PARTITION\s+"
            rf"{_named('child')}"
        ),
        f"{_EVERY_SESSION} while {_READ}",
    ),
    (
        _words(rf"CREATE\s+TABLE\s+.*?\bPARTITION\s+OF\s+{_named('parent')}"),
        f"{_EVERY_SESSION} while {_READ}",
    ),
)  # fmt: skip
_ALTER = _words(rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(ONLY\s+)?{_NAME}\s+(.*)")
_WRITES = _words(r"(UPDATE|DELETE|MERGE|WITH)\b|SELECT\b.*\bFOR\s+(NO\s+KEY\s+)?UPDATE\b")
_PROVES = _words(r"ADD\s+(?:CONSTRAINT\s+\S+\s+)?(FOREIGN\s+KEY|CHECK)\b(?!.*\bNOT\s+VALID\b)")
_BUILDS = _words(r"ADD\s+(?:CONSTRAINT\s+\S+\s+)?(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b(?!\s+USING\s+INDEX)")
_BY_INDEX = _words(rf"ADD\s+(?:CONSTRAINT\s+\S+\s+)?PRIMARY\s+KEY\s+USING\s+INDEX\s+{_NAME}")
_REFERS = _words(r"ADD\s+(?:COLUMN\s+)?.*\bDEFAULT\b.*\bREFERENCES\b|ADD\s+(?:COLUMN\s+)?.*\bREFERENCES\b.*\bDEFAULT\b")
_NOT_NULL = _words(r'ALTER\s+(?:COLUMN\s+)?("(?:[^"]|"")+"|[\w$]+)\s+SET\s+NOT\s+NULL')
_MAY_WORK = _words(
    r"\bTYPE\b|\bADD\s+(?!CONSTRAINT\b|CHECK\b|FOREIGN\b|UNIQUE\b|PRIMARY\b|EXCLUDE\b)"
    r"|SET\s+(ACCESS\s+METHOD|EXPRESSION)"
)
_VALIDATES = _words(r"VALIDATE\s+CONSTRAINT")

_ROWS = """
coalesce(sum(CASE WHEN p.reltuples >= 0 THEN p.reltuples::bigint
             ELSE pg_catalog.pg_relation_size(p.oid) / 100 END), 0)::bigint
"""
_SIZE = f"""
SELECT n.nspname::text, c.relname::text, {_ROWS}
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE %(only)s = '' UNION SELECT c.oid) t
  ON true
LEFT JOIN pg_catalog.pg_class p ON p.oid = t.relid AND p.relkind IN ('r', 'm')
WHERE {{which}} GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 1
"""
_NAMED = """c.oid = coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i
  WHERE i.indexrelid = pg_catalog.to_regclass(%(name)s)), pg_catalog.to_regclass(%(name)s))"""
_OF_ALL = "c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_'"
_WHICH = {
    "every": _OF_ALL,
    "name": _NAMED,
    "schema": f"{_OF_ALL} AND n.nspname = %(name)s",
    "domain": f"{_OF_ALL} AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid "
    "AND a.atttypid = pg_catalog.to_regtype(%(name)s))",
    "child": _NAMED,
    "parent": "c.oid = (SELECT d.partdefid FROM pg_catalog.pg_partitioned_table d "
    "WHERE d.partrelid = pg_catalog.to_regclass(%(name)s))",
}
"""The tables that a name stands for; with ``parent`` its default partition."""
_PROVED = """
SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = pg_catalog.to_regclass(%(name)s) AND k.contype = 'c'
  AND k.convalidated AND pg_catalog.pg_get_constraintdef(k.oid) ~ %(not_null)s
"""
_NEEDLESS = {
    "there": "SELECT 1 WHERE pg_catalog.to_regclass(%(name)s) IS NOT NULL",
    "child": "SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = pg_catalog.to_regclass(%(name)s) "
    "AND k.contype = 'c' AND k.convalidated",
}
"""An index exists already; a check by which PostgreSQL sees that no row has to be read."""
_NULLABLE = """
SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
WHERE a.attnum = ANY (i.indkey) AND i.indexrelid = pg_catalog.to_regclass(%(name)s) AND NOT a.attnotnull
"""
_HELD = """
SELECT 1 FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
  AND l.relation = pg_catalog.to_regclass(%(name)s)
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
_REFERRING = f"""
SELECT n.nspname::text, c.relname::text, {_ROWS}, k.confdeltype::text, bool_or(i.indexrelid IS NOT NULL),
       (SELECT greatest(r.reltuples::bigint, 1) FROM pg_catalog.pg_class r WHERE r.oid = k.confrelid)
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t UNION SELECT c.oid) t ON true
LEFT JOIN pg_catalog.pg_class p ON p.oid = t.relid AND p.relkind IN ('r', 'm')
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
  AND i.indkey[0] = ANY (k.conkey)
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = pg_catalog.to_regclass(%(name)s)
GROUP BY 1, 2, k.oid, k.confdeltype, k.confrelid
"""
_CPU_TUPLE_COST = 0.01
"""Of PostgreSQL's planner; a table of so many rows is read for so much."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the planner expects a statement to write.

    Args:
        tables: each with its rows.
        always: other values make no difference: what finds the rows limits their number, or the tables are small.
    """

    tables: Mapping[QualifiedName, int]
    always: bool


def parts(sql: str) -> Iterator[tuple[str, bool]]:
    """Yield the statements of a text, those of DO blocks among them; whether each is within a block."""
    for number, (text, words) in enumerate(code(sql)):
        begin = 0
        for end in (*(found.start() for found in re.finditer(";", words)), len(text)):
            piece = without_leading_comments(text[begin:end])
            if number and (verb := _FIRST_VERB.search(piece)):  # behind BEGIN, LOOP, THEN
                yield piece[verb.start() :], True
            elif not number and piece:
                yield piece, False
            begin = end + 1


@dataclass(frozen=True)
class Heavy:
    """What is heavy on one connection.

    Args:
        connection: where it would be sent.
        rows: tables with fewer rows are left alone.
    """

    connection: sa.Connection
    rows: int

    def by_words(self, sql: str) -> str | None:
        """Return what others would wait for; None where they would not, or rows are written."""
        for pattern, what in _BY_THEIR_WORDS:
            if (found := pattern.match(sql)) and (size := self._matched(found.groupdict())):
                return f"{size}: {what}."
        if (found := _ALTER.match(sql)) and (size := self._large("name", found[2], only=bool(found[1]))):
            waits = self._altered(found[2], found[3])
            return f"{size}: {waits}." if waits else None
        return None

    def _matched(self, found: dict[str, str | None]) -> str | None:
        """Return how many rows the largest of the tables has that a statement names, if those are many."""
        for which, name in (("there", found.get("there")), ("child", found.get("child"))):
            if name and read(self.connection, _NEEDLESS[which], {"name": name}):
                return None
        for which in _WHICH:
            if (name := found.get(which)) is not None:
                size = self._large(which, name, only=bool(found.get("only")))
                if size or which == "every":
                    return size
        return None

    def _large(self, which: str, name: str, *, only: bool = False) -> str | None:
        query = _SIZE.format(which=_WHICH[which])
        for schema, table, size in read(self.connection, query, {"name": name, "only": "only" if only else ""}):
            if size >= self.rows:
                return f"{QualifiedName(schema, table)} has about {size:,} rows"
        return None

    def _altered(self, name: str, actions: str) -> str | None:
        """Return what others wait for in an ALTER TABLE; None where it is brief."""
        if _VALIDATES.match(actions):
            held = read(self.connection, _HELD, {"name": name})
            return f"others wait, by a lock of this transaction, while {_READ}" if held else None
        if _PROVES.search(actions):
            return f"writers wait while {_READ}"
        if _BUILDS.search(actions):
            return f"{_EVERY_SESSION} while the index is built"
        if (found := _BY_INDEX.search(actions)) and read(self.connection, _NULLABLE, {"name": found[1]}):
            return f"{_EVERY_SESSION} while {_READ}"
        if _REFERS.search(actions):
            return f"{_EVERY_SESSION} while {_READ}"
        if found := _NOT_NULL.search(actions):
            column = found[1].strip('"').replace('""', '"')
            check = rf'\m"?{re.escape(column)}"? IS NOT NULL'
            proved = read(self.connection, _PROVED, {"name": name, "not_null": check})
            return None if proved else f"{_EVERY_SESSION} while {_READ}"
        if _MAY_WORK.search(actions):
            query = _SIZE.format(which=_NAMED)
            ((schema, table, _),) = read(self.connection, query, {"name": name, "only": ""})
            with suppress(PlanError):  # what PostgreSQL refuses, it refuses by itself
                if done := works(self.connection, QualifiedName(schema, table), actions):
                    return f"{_EVERY_SESSION} while it {done}"
        return None

    def written(self, sql: str, values: Any, *, within: bool) -> Written | None:
        """Return what a statement would write; None where it writes no rows, or cannot be planned in a block."""
        if not _WRITES.match(sql):
            return None
        one = values[0] if isinstance(values, list) and values else values
        query = f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}"
        if within:  # with the variables of a block it is not SQL
            if autocommits(self.connection):
                return None
            send(self.connection, "SAVEPOINT schema_kit_guard")
            try:
                found = self.connection.exec_driver_sql(query).scalar_one()
            except sa.exc.DBAPIError:
                send(self.connection, "ROLLBACK TO SAVEPOINT schema_kit_guard")
                return None
            finally:
                send(self.connection, "RELEASE SAVEPOINT schema_kit_guard")
        else:
            found = self.connection.exec_driver_sql(query, one or None).scalar_one()
        plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
        tables = dict[QualifiedName, int]()
        for table, count in _written(plan):
            tables[table] = tables.get(table, 0) + count
        small = plan["Total Cost"] < self.rows * _CPU_TUPLE_COST and not any(
            "Index Cond" in node for node in nodes(plan)
        )
        return Written(tables, small or not list(unbounded(plan, frozenset())))

    def referring(self, sql: str, table: QualifiedName, count: int) -> str | None:
        """Return what deleting rows of a table does to a large one that refers to it."""
        if not re.search(r"\bDELETE\b", sql, re.IGNORECASE) or not count:
            return None
        for schema, name, size, action, indexed, of in read(self.connection, _REFERRING, {"name": table.sql}):
            child = f"{QualifiedName(schema, name)} has about {size:,} rows"
            if size >= self.rows and not indexed:
                return f"{child}: it is read from end to end for each row deleted from {table}: no index on its key."
            if action in "cnd" and size * min(1, count / of) >= self.rows:
                return f"{child}: about {int(size * min(1, count / of)):,} of them are written by its foreign key."
        return None


def _written(plan: Mapping[str, Any], most: float = inf) -> Iterator[tuple[QualifiedName, int]]:
    below = [one for one in plan.get("Plans", ()) if one.get("Parent Relationship") == "Outer"]
    count = int(min(most, sum(one["Plan Rows"] for one in below)))
    if plan["Node Type"] == "ModifyTable" and plan.get("Operation") in ("Update", "Delete", "Merge"):
        yield table_of(plan), count
    elif plan["Node Type"] == "LockRows":
        yield next((table_of(one) for one in nodes(plan) if "Relation Name" in one), table_of(plan)), count
    for one in plan.get("Plans", ()):
        yield from _written(one, min(most, plan["Plan Rows"]) if plan["Node Type"] == "Limit" else most)
