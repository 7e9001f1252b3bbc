"""What is asked of production, as pg_stat_statements has counted it."""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit.advise.statements import Statement, asks, grouped, made
from schema_kit.catalog.session import observing, rows, send
from schema_kit.errors import PlanError
from schema_kit.names import ident

MOST = 200
"""Statements that are judged: those that take the most time."""

_EXTENSION = """
SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
"""

# What only some versions have is taken by name from the row as JSON.
_STATEMENTS = r"""
SELECT s.query, s.calls::float8 / d.days,
       coalesce(r ->> 'total_exec_time', r ->> 'total_time', '0')::float8 / 1000 / d.days
FROM {schema}.pg_stat_statements s, to_jsonb(s) r, LATERAL (
  SELECT greatest(extract(epoch FROM clock_timestamp() - coalesce(
    (r ->> 'stats_since')::timestamptz, {since}, pg_postmaster_start_time())), 3600)::float8 / 86400 AS days) d
WHERE s.dbid = (SELECT o.oid FROM pg_database o WHERE o.datname = current_database())
  AND s.query <> '<insufficient privilege>'
  AND s.query !~ '\mpg_(catalog|class|namespace|stat|settings|database|extension|locks|index|attribute)'
ORDER BY 3 DESC LIMIT 5000
"""

_HIDDEN = "SELECT count(*) FROM {schema}.pg_stat_statements s WHERE s.query = '<insufficient privilege>'"


def counted(connection: sa.Connection) -> tuple[list[Statement], str]:
    """Return the statements that take the most time, with calls a day; and what could not be seen.

    Args:
        connection: in autocommit.

    Raises:
        PlanError: pg_stat_statements is not there, or its library is not loaded.
    """
    with observing(connection):
        send(connection, "SET LOCAL statement_timeout = '30s'")
        found = rows(connection, _EXTENSION)
        loaded = rows(connection, "SELECT 1 FROM pg_settings WHERE name = 'pg_stat_statements.max'")
        if not found or not loaded:
            how = "CREATE EXTENSION pg_stat_statements" if loaded else "shared_preload_libraries, and a restart"
            raise PlanError(
                f"pg_stat_statements is not there ({how} would bring it), so it is unknown which statements run in "
                "this database. Name the statements with --statements FILE, or a log of PostgreSQL's with --log FILE."
            )
        schema = ident(found[0][0])
        info = rows(connection, f"SELECT to_regclass('{schema}.pg_stat_statements_info') IS NOT NULL")[0][0]
        since = f"(SELECT i.stats_reset FROM {schema}.pg_stat_statements_info i)" if info else "NULL"
        told = rows(connection, _STATEMENTS.format(schema=schema, since=since))
        hidden = rows(connection, _HIDDEN.format(schema=schema))[0][0]
    statements = grouped(made(text, calls, seconds=seconds) for text, calls, seconds in told if asks(text))
    note = (
        f"{hidden} statements of other roles were not seen: GRANT pg_read_all_stats (or pg_monitor) shows them."
        if hidden
        else ""
    )
    return sorted(statements, key=lambda one: -one.seconds)[:MOST], note
