"""What updates in batches, refreshes and enums have to know."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog import citus, kinds
from schema_kit.catalog.keys import primary_key
from schema_kit.catalog.session import ON_CITUS, note_citus, rows
from schema_kit.model import BatchRun, BatchTarget, MaterializedView, Stored
from schema_kit.names import QualifiedName
from schema_kit.storage import BATCH_PROGRESS

_TABLE = f"""
SELECT {ON_CITUS}, c.oid::bigint, to_regclass(%(progress)s) IS NOT NULL,
       2 = (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(%(progress)s)
            AND attname IN ('record_oid', 'stays'))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

_COLUMNS = """
SELECT attname, attnum, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %(oid)s AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""

_RUN = f"""
SELECT table_name, change, target, key_columns, finished_at IS NOT NULL,
       (to_jsonb(p) ->> 'record_oid')::oid = p.tableoid, (to_jsonb(p) ->> 'ended_at') IS NOT NULL,
       coalesce((to_jsonb(p) ->> 'missed')::bigint, 0),
       coalesce((to_jsonb(p) ->> 'stays')::boolean, false)
FROM {BATCH_PROGRESS.sql} p WHERE name = %(run)s
"""

_VIEW = """
SELECT c.relispopulated, EXISTS (
         SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
         WHERE x.indrelid = c.oid AND x.indisunique AND x.indimmediate AND x.indisvalid AND m.amname = 'btree'
           AND x.indpred IS NULL AND x.indexprs IS NULL)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'm'
"""

_LABELS = """
SELECT t.oid, e.enumlabel FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_enum e ON e.enumtypid = t.oid
WHERE n.nspname = %(schema)s AND t.typname = %(name)s AND t.typtype = 'e' ORDER BY e.enumsortorder
"""


def read_target(connection: Connection, table: QualifiedName, run: str) -> BatchTarget | None:
    """Return the table, and how far the update of that name has come; None where there is no such table."""
    row = kinds.found(connection, _TABLE, table, progress=BATCH_PROGRESS.sql)
    if row is None:
        return None
    on_citus, oid, there, current = row
    note_citus(connection, on_citus)
    runs = rows(connection, _RUN, {"run": run}) if there else []
    columns = rows(connection, _COLUMNS, {"oid": oid})
    return BatchTarget(
        primary_key(connection, table),
        tuple((name, number) for name, number, _ in columns),
        oid,
        Stored.of(there, current),
        next((BatchRun(of, change, target, tuple(key), *how) for of, change, target, key, *how in runs), None),
        tuple((name, type_) for name, _, type_ in columns),
        citus.read(connection, [oid]).get(oid),
    )


def read_view(connection: Connection, view: QualifiedName) -> MaterializedView | None:
    """Return a materialized view; None where there is none."""
    found = rows(connection, _VIEW, {"schema": view.schema, "name": view.name})
    if not found:
        kinds.refuse_others(connection, view, "a materialized view")
        return None
    return MaterializedView(*found[0])


def read_labels(connection: Connection, enum: QualifiedName) -> tuple[str, ...] | None:
    """Return the values of an enum in their order; None where there is none."""
    found = rows(connection, _LABELS, {"schema": enum.schema, "name": enum.name})
    return tuple(row[1] for row in found if row[1] is not None) if found else None
