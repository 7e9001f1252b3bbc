"""In which schema a name without one is, for the session: as PostgreSQL itself looks it up."""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit.errors import PlanError

RELATION = """
SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = CAST(pg_catalog.to_regclass(pg_catalog.quote_ident(:name)) AS pg_catalog.oid)
"""
TYPE = """
SELECT n.nspname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid = CAST(pg_catalog.to_regtype(pg_catalog.quote_ident(:name)) AS pg_catalog.oid)
"""
_DEFAULT = "SELECT pg_catalog.current_schema()"


def schema_of(connection: sa.Connection, name: str, query: str | None = RELATION) -> str:
    """Return the schema of the relation that *name* means; that in which a new one would be made, where there is none.

    Args:
        connection: of any driver; nothing stays open on it that was not.
        name: as the catalog holds it.
        query: RELATION or TYPE; None for something that is to be made.

    Raises:
        PlanError: no schema of the search_path exists.
        DBAPIError: PostgreSQL could not be asked.
    """
    before = connection.in_transaction()
    try:
        known = connection.scalar(sa.text(query), {"name": name}) if query else None
        known = known or connection.scalar(sa.text(_DEFAULT))
    finally:
        if not before:
            connection.rollback()  # that of the question: what comes now should begin its own
    if known is None:
        raise PlanError(
            f"no schema of the session's search_path exists, so {name} could be nowhere. Name its schema, or set "
            "search_path."
        )
    return str(known)
