"""What unfinished work, kept tables and publications leave behind: a few queries for the whole database, few rights."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from schema_kit.catalog import present
from schema_kit.catalog.session import rows
from schema_kit.marks import BOUND_CHECK, EMPTIED_MARK, LOG_TRIGGER, back_name, log_name, old_name
from schema_kit.model import Leftover
from schema_kit.names import QualifiedName
from schema_kit.storage import ARCHIVE_POLICY, COLD_PARTITION, COPY_RUN

# The log has the name of the trigger's function.
_TRACES = """
SELECT CASE WHEN NOT c.relispartition THEN 'convert' WHEN pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' THEN 'drain'
       ELSE 'split' END, n.nspname, c.relname, pn.nspname, p.relname, coalesce(pg_total_relation_size(l.oid), 0),
       f.pronamespace::regnamespace::text, f.proname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc f ON f.oid = t.tgfoid LEFT JOIN pg_class l ON l.relname = f.proname AND l.relnamespace = f.pronamespace
LEFT JOIN (pg_inherits h JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace)
  ON h.inhrelid = c.oid AND c.relispartition
WHERE t.tgname = %(trigger)s
UNION ALL
SELECT 'bound', n.nspname, c.relname, NULL, NULL, 0, NULL, NULL
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.conname = %(check)s AND k.contype = 'c' AND c.relkind = 'r' AND NOT c.relispartition
"""

_RUNS = f"""
SELECT purpose, source_table, parent_table, swapped_at IS NOT NULL FROM {COPY_RUN.sql} WHERE finished_at IS NULL
"""

_SIZES = """
SELECT n.nspname, c.relname, pg_total_relation_size(c.oid) FROM unnest(%(schemas)s::text[], %(names)s::text[]) w (s, t)
JOIN pg_namespace n ON n.nspname = w.s JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
"""

_EMPTIED = """
SELECT pn.nspname, p.relname, n.nspname, c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = h.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE NOT c.relispartition AND starts_with(d.description, %(mark)s) ORDER BY 1, 2, 3, 4
"""

_ARCHIVES = f"""
SELECT p.table_name, p.archive_table FROM {ARCHIVE_POLICY.sql} p
"""

_IN_TRANSIT = f"""
SELECT partition_name, table_name FROM {COLD_PARTITION.sql} WHERE moved_at IS NULL OR returns ORDER BY 1
"""

# Published under its own name is what this view lists: with publish_via_partition_root the root is listed instead.
_PUBLISHED = """
SELECT t.pubname, rn.nspname, r.relname, count(*), min(format('%%I.%%I', t.schemaname, t.tablename)),
       p.puballtables OR bool_or(t.schemaname IN (SELECT s.nspname FROM pg_namespace s WHERE s.oid IN ({schemas}))) OR
       EXISTS (SELECT 1 FROM pg_publication_rel pr WHERE pr.prpubid = p.oid AND pr.prrelid = r.oid)
FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname
JOIN pg_namespace n ON n.nspname = t.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename AND c.relispartition
JOIN pg_class r ON r.oid = pg_partition_root(c.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
GROUP BY t.pubname, p.oid, p.puballtables, rn.nspname, r.relname, r.oid ORDER BY 1, 2, 3
"""


def read(connection: Connection) -> tuple[Leftover, ...]:
    """Return all that the current role can see. Call it while observing."""
    readable = present.readable(connection, COPY_RUN, ARCHIVE_POLICY, COLD_PARTITION)
    return (
        *(_copies(connection, COPY_RUN in readable)),
        *_emptied(connection),
        *(_archives(connection) if ARCHIVE_POLICY in readable else ()),
        *(_cold(connection) if COLD_PARTITION in readable else ()),
        *published(connection),
    )


def _copies(connection: Connection, readable: bool) -> Iterator[Leftover]:
    """Copies and conversions that were begun; and, where copy_run may be read, what is kept or left after a swap."""
    logs = set[QualifiedName]()
    for kind, schema, name, above, parent, size, *log in rows(
        connection, _TRACES, {"trigger": LOG_TRIGGER, "check": BOUND_CHECK}
    ):
        own = QualifiedName(schema, name)
        logs |= {QualifiedName(*log)} if log[0] else set()
        yield Leftover(kind, own, QualifiedName(above, parent) if parent else own, bytes=size)
    runs = rows(connection, _RUNS) if readable else []
    parse = QualifiedName.parse
    found = [(kind, parse(source), parse(parent), swapped) for kind, source, parent, swapped in runs]
    names = [name for _, source, *_ in found for name in (old_name(source), back_name(source))]
    sizes = {QualifiedName(*row[:2]): row[2] or 0 for row in rows(connection, _SIZES, present.in_arrays(names))}
    for purpose, source, parent, swapped in found:
        old, size = old_name(source), sizes.get(old_name(source), 0) + sizes.get(back_name(source), 0)
        if not swapped:
            if log_name(source) not in logs:
                yield Leftover(purpose, source, parent, unlogged=True)
        elif purpose != "convert":
            yield Leftover(purpose, source, parent, bytes=size, swapped=True)
        elif old in sizes:
            yield Leftover("kept", old, source, bytes=size)


def _emptied(connection: Connection) -> Iterator[Leftover]:
    """Yield what held rows of tables that were made plain again, and is a child of theirs still."""
    children: dict[QualifiedName, list[QualifiedName]] = {}
    for above, parent, schema, name in rows(connection, _EMPTIED, {"mark": EMPTIED_MARK}):
        children.setdefault(QualifiedName(above, parent), []).append(QualifiedName(schema, name))
    for table, names in children.items():
        yield Leftover("emptied", names[0], table, children=tuple(names))


def _archives(connection: Connection) -> Iterator[Leftover]:
    """Archives that are gone, and tables of archives that are."""
    pairs = [tuple(QualifiedName.parse(name) for name in row) for row in rows(connection, _ARCHIVES)]
    there = present.read(connection, [name for pair in pairs for name in pair])
    for table, archive in pairs:
        if gone := [name for name in (table, archive) if name not in there]:
            yield Leftover("archive", gone[0], table)


def _cold(connection: Connection) -> Iterator[Leftover]:
    """Find partitions that were in transit to another server, or back, when a run ended."""
    for name, table in rows(connection, _IN_TRANSIT):
        yield Leftover("cold", QualifiedName.parse(name), QualifiedName.parse(table))


def published(connection: Connection) -> Iterator[Leftover]:
    """Return the tables of which a publication holds partitions under their own names."""
    by_schema = rows(connection, "SELECT to_regclass('pg_catalog.pg_publication_namespace') IS NOT NULL")[0][0]
    schemas = "SELECT s.pnnspid FROM pg_publication_namespace s WHERE s.pnpubid = p.oid" if by_schema else "NULL"
    for publication, schema, name, count, first, with_root in rows(connection, _PUBLISHED.format(schemas=schemas)):
        own = QualifiedName(schema, name)
        yield Leftover("published", own, own, publication, count, first, with_root=with_root)
