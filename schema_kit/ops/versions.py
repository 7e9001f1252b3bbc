"""The right to read and write Alembic's own table, looked at before a run begins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa

from schema_kit.catalog.privileges import CREATE, KEEPS, Right, missing
from schema_kit.catalog.session import rows
from schema_kit.errors import PlanError, refuse_for
from schema_kit.names import QualifiedName, ident

_VERSIONS = """
SELECT n.nspname::text, c.oid IS NOT NULL, pg_catalog.pg_is_in_recovery()
FROM pg_catalog.unnest(CASE WHEN %(schema)s::text IS NULL THEN pg_catalog.current_schemas(false)
                            ELSE ARRAY[%(schema)s::name] END)
     WITH ORDINALITY s (name, place) JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = %(name)s ORDER BY s.place
"""
"""The schemas in which Alembic looks for its table, and whether it exists."""


def only_reads(options: Mapping[str, Any]) -> bool:
    """Return whether what Alembic was called for changes no table: current, check, revision."""
    return bool(options.get("dont_mutate") or options.get("revision_context"))


def refuse_without_rights(connection: sa.Connection, options: Mapping[str, Any]) -> None:
    """The table of revisions has to be readable, and writable or to be made where one runs.

    Raises:
        PlanError: it is not; with what grants it. Or this is a standby.
    """
    reads = only_reads(options)
    name, schema = options.get("version_table") or "alembic_version", options.get("version_table_schema")
    schema = (connection.get_execution_options().get("schema_translate_map") or {}).get(schema, schema)
    found = rows(connection, _VERSIONS, {"name": name, "schema": schema})
    if not reads and any(standby for _, _, standby in found):
        raise PlanError("cannot migrate: this server is a standby; run it on the primary.")
    if not found and not reads:
        nowhere = (
            f"schema {schema} does not exist (CREATE SCHEMA {ident(schema)})"
            if schema
            else ("no schema of the session's search_path exists; set search_path, or name one as version_table_schema")
        )
        raise PlanError(f"Alembic keeps the revision of this database in {name}: {nowhere}.")
    there = [QualifiedName(within, name) for within, is_there, _ in found if is_there]
    needed = [Right(table, what) for table in there[:1] for what in (KEEPS[:1] if reads else KEEPS)]
    if not there and not reads:
        needed = [Right(QualifiedName(within, name), CREATE) for within, _, _ in found[:1]]
    refuse_for(f"Alembic keeps the revision of this database in {name}", missing(partial(rows, connection), needed))
