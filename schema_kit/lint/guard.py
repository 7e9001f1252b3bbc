"""At run time: a plain statement that would block or rewrite a large table is warned of before it is sent, or refused.

Lint's knowledge without its scratch server: statements are known by their words, sizes by the catalog; whether ALTER
TABLE rewrites, PostgreSQL says on an empty copy of the table, and how many rows an UPDATE touches, its planner.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Literal, get_args

import sqlalchemy as sa

from schema_kit.catalog.scratch import rewrites
from schema_kit.catalog.session import rows as read
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.lint.facts import Statement
from schema_kit.lint.instead import call
from schema_kit.names import QualifiedName

Mode = Literal["warn", "refuse", "off"]
ROWS = 100_000
"""Tables below are worked on in a moment."""

_NAME = r'((?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+))?)'


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_LOOKED_AT = _words(r"\s*(CREATE|ALTER|REINDEX|REFRESH|VACUUM|CLUSTER|UPDATE|DELETE)\b")
_BY_THEIR_WORDS = (
    (
        _words(rf"CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY\b).*?\bON\s+(?:ONLY\s+)?{_NAME}"),
        "writers wait while the index is built",
    ),
    (
        _words(rf"REINDEX\s+(?:\([^)]*\)\s*)?TABLE\s+(?!CONCURRENTLY\b){_NAME}"),
        "writers wait while its indexes are built",
    ),
    (
        _words(rf"REFRESH\s+MATERIALIZED\s+VIEW\s+(?!CONCURRENTLY\b){_NAME}"),
        "readers wait while it is filled",
    ),
    (
        _words(rf"(?:VACUUM\s+FULL|VACUUM\s*\([^)]*\bFULL\b[^)]*\)|CLUSTER)\s+(?:VERBOSE\s+)?{_NAME}"),
        "every session waits while it is rewritten",
    ),
)
_ALTER = _words(rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_NAME}\s+(.*)")
_WRITES = _words(rf"(?:UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?{_NAME}")
_PROVES = _words(r"ADD\s+(?:CONSTRAINT\s+\S+\s+)?(FOREIGN\s+KEY|CHECK)\b(?!.*\bNOT\s+VALID\b)")
_BUILDS = _words(r"ADD\s+(?:CONSTRAINT\s+\S+\s+)?(UNIQUE|PRIMARY\s+KEY|EXCLUDE)\b(?!\s+USING\s+INDEX)")
_NOT_NULL = _words(r'ALTER\s+(?:COLUMN\s+)?("(?:[^"]|"")+"|[\w$]+)\s+SET\s+NOT\s+NULL')
_MAY_REWRITE = _words(r"\bTYPE\b|ADD\s+(?:COLUMN\s+)?.*\b(DEFAULT|GENERATED)\b|SET\s+(UN)?LOGGED")

_SIZE = """
SELECT n.nspname::text, c.relname::text, coalesce(sum(CASE WHEN p.reltuples >= 0 THEN p.reltuples::bigint
         ELSE pg_catalog.pg_relation_size(p.oid) / 100 END), 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t UNION SELECT c.oid) t ON true
LEFT JOIN pg_catalog.pg_class p ON p.oid = t.relid AND p.relkind IN ('r', 'm')
WHERE c.oid = pg_catalog.to_regclass(%(name)s) GROUP BY 1, 2
"""
_PROVED = """
SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = pg_catalog.to_regclass(%(name)s) AND k.contype = 'c'
  AND k.convalidated AND pg_catalog.pg_get_constraintdef(k.oid) ~ %(not_null)s
"""


@dataclass
class Guard:
    """What is said of statements that others would wait for.

    Args:
        mode: ``warn`` before it is sent, ``refuse`` it, or ``off``.
        rows: tables with fewer rows are left alone.

    Raises:
        DeclarationError: it has another form, or a negative number.
    """

    mode: Mode = "warn"
    rows: int = ROWS
    _busy: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise DeclarationError(f"guard={self.mode!r}: write {', '.join(map(repr, get_args(Mode)))}")
        if self.rows < 0:
            raise DeclarationError(f"rows={self.rows}: write a number of rows, 0 for every table")

    @contextmanager
    def over(self, connection: sa.Connection) -> Iterator[None]:
        """Look at each statement of a connection in this block."""
        if self.mode == "off":
            yield
            return
        sa.event.listen(connection, "before_cursor_execute", self._before)
        try:
            yield
        finally:
            with suppress(sa.exc.InvalidRequestError):  # the connection was lost with its listeners
                sa.event.remove(connection, "before_cursor_execute", self._before)

    def _before(self, connection: sa.Connection, _: Any, sql: str, values: Any, *__: Any) -> None:
        if self._busy or not _LOOKED_AT.match(sql) or ours():
            return
        self._busy = True
        try:
            found = self._danger(connection, sql, values)
        finally:
            self._busy = False
        if found is None:
            return
        text = f"{found} Write {call('blocks', Statement(sql, 0, 0), None)}."
        if self.mode == "refuse":
            raise PlanError(f"{text} It was not sent; environment.run(guard='warn') sends it.")
        logging.getLogger("schema_kit").warning("%s", text)

    def _danger(self, connection: sa.Connection, sql: str, values: Any) -> str | None:
        sql = sql.strip()
        for pattern, what in _BY_THEIR_WORDS:
            if (found := pattern.match(sql)) and (size := self._large(connection, found[1])):
                return f"{size}: {what}."
        if (found := _ALTER.match(sql)) and (size := self._large(connection, found[1])):
            waits = _altered(connection, found[1], found[2])
            return f"{size}: {waits}." if waits else None
        if (found := _WRITES.match(sql)) and (size := self._large(connection, found[1])):
            touched = _touched(connection, sql, values)
            return (
                f"{size}: about {touched:,} of them are written in one transaction." if touched >= self.rows else None
            )
        return None

    def _large(self, connection: sa.Connection, name: str) -> str | None:
        for schema, table, size in read(connection, _SIZE, {"name": name}):
            if size >= self.rows:
                return f"{QualifiedName(schema, table)} has about {size:,} rows"
        return None


def _altered(connection: sa.Connection, name: str, actions: str) -> str | None:
    """Return what others wait for in an ALTER TABLE; None where it is brief."""
    if _PROVES.search(actions):
        return "writers wait while it is read from end to end"
    if _BUILDS.search(actions):
        return "every session waits while the index is built"
    if found := _NOT_NULL.search(actions):
        column = found[1].strip('"').replace('""', '"')
        check = rf'\m"?{re.escape(column)}"? IS NOT NULL'
        proved = read(connection, _PROVED, {"name": name, "not_null": check})
        return None if proved else "every session waits while it is read from end to end"
    if _MAY_REWRITE.search(actions):
        ((schema, table, _),) = read(connection, _SIZE, {"name": name})
        with suppress(PlanError):  # what PostgreSQL refuses, it refuses by itself
            table_too, index = rewrites(connection, QualifiedName(schema, table), actions)
            if table_too or index:
                return f"every session waits while it {'is rewritten' if table_too else 'gets an index again'}"
    return None


def _touched(connection: sa.Connection, sql: str, values: Any) -> int:
    """Return how many rows the planner expects a statement to write."""
    one = values[0] if isinstance(values, list) and values else values
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sql}", one or None).scalar_one()
    plan = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    below = [one for one in plan.get("Plans", ()) if one.get("Parent Relationship") != "InitPlan"]
    return int(sum(one["Plan Rows"] for one in below))


def ours() -> bool:
    """Return whether the executor sends it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == "schema_kit.execute":
            return True
        frame = frame.f_back
    return False
