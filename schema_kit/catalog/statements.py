"""Statements that name a table's primary key as a conflict target or to group by, as far as they can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog.session import observing, rows
from schema_kit.errors import PlanError
from schema_kit.model import Table
from schema_kit.names import ident

_FUNCTIONS = """
SELECT 'function ' || p.oid::regprocedure, p.prosrc
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
WHERE position(lower(%(name)s) IN lower(p.prosrc)) > 0 AND p.prosrc ~* 'on\\s+conflict|group\\s+by' ORDER BY 1
"""

_EXTENSION = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""

_SENT = """
SELECT DISTINCT 'a statement that was sent: ' || left(regexp_replace(s.query, '\\s+', ' ', 'g'), 120), s.query
FROM {}.pg_stat_statements s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND position(lower(%(name)s) IN lower(s.query)) > 0 AND s.query ~* 'on\\s+conflict|group\\s+by' ORDER BY 1 LIMIT 50
"""

_CLAUSE = re.compile(r"(on\s+conflict)\s*\(([^()]*)\)|(group\s+by)\s+((?:[\w.\"]+\s*,\s*)*[\w.\"]+)", re.IGNORECASE)


def that_rest_on_the_key(connection: Connection, table: Table) -> tuple[str, ...]:
    """Functions in SQL and PL/pgSQL, and what pg_stat_statements knows, each with the clause that was found."""
    values, found = {"name": table.name.name}, []
    with observing(connection):
        found += rows(connection, _FUNCTIONS, values)
        extension = rows(connection, _EXTENSION)
    if extension:
        # It can be missing, or the role lacks the privilege to read it.
        with suppress(DBAPIError, PlanError), observing(connection):
            found += rows(connection, _SENT.format(ident(extension[0][0])), values)
    return tuple(f"{what}: {clause}" for what, text in found for clause in _clauses(text, set(table.primary_key)))


def _clauses(text: str, key: set[str]) -> Iterator[str]:
    for match in _CLAUSE.finditer(text):
        word, columns = match[1] or match[3], match[2] or match[4]
        named = {column.strip().rpartition(".")[2].strip('"') for column in columns.split(",")}
        if named == key:
            yield " ".join(f"{word.upper()} ({', '.join(sorted(named))})".split())
