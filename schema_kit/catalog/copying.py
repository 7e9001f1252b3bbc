"""Read the state of a copy: its source, its progress, and the ranges its rows lie in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Connection

from schema_kit.catalog import disk, position
from schema_kit.catalog import table as tables
from schema_kit.catalog.keys import primary_key
from schema_kit.catalog.nouns import noun
from schema_kit.catalog.retirement import odd_triggers
from schema_kit.catalog.rights import missing_for_partitions
from schema_kit.catalog.session import rows
from schema_kit.fingerprints.copies import feeding_sql, identity_sql, logging_sql, tree_identity_sql
from schema_kit.fingerprints.snapshots import PATIENCE_SECONDS, older_sql
from schema_kit.intervals import Point
from schema_kit.marks import EMPTIED_MARK, LOG_TRIGGER, back_name, log_name, old_name, staging_name
from schema_kit.model import CopyCount, Copying, CopyRun, CopyTarget, Emptied, KeyColumn, Range, Stored, Table
from schema_kit.model.copying import BACKLOG
from schema_kit.model.grid import MOST_AHEAD, Grid
from schema_kit.names import QualifiedName
from schema_kit.server import Server
from schema_kit.storage import COPY_CHUNK, COPY_RUN, COPY_TARGET

# Where a range of the control column can be read page after page.
_BY_CONTROL = """
SELECT EXISTS (
  SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = (x.indkey::int2[])[0]
  WHERE x.indrelid = to_regclass(%(table)s) AND x.indisvalid AND x.indpred IS NULL AND m.amname = 'btree'
    AND a.attname = %(control)s
) AND EXISTS (
  SELECT 1 FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
  WHERE c.oid = to_regclass(%(table)s) AND s.attname = %(control)s AND abs(s.correlation) > 0.9
    AND (s.n_distinct < 0 OR s.n_distinct > 1000)
)
"""

_TEXTS = """
SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped
  AND coalesce(b.typtype, t.typtype) <> 'e' AND NOT EXISTS (
    SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_amproc p ON p.amprocfamily = o.opcfamily
      AND p.amproclefttype = o.opcintype AND p.amprocnum = 2
    WHERE m.amname = 'hash' AND o.opcdefault AND o.opcintype = coalesce(b.oid, t.oid)
  ) ORDER BY a.attnum
"""

_RUN = f"""
SELECT r.purpose, r.parent_table, r.identity, r.cut_at IS NOT NULL AS cut,
       (SELECT count(*) FROM {COPY_CHUNK.sql} c WHERE c.source_table = r.source_table AND c.done_at IS NULL)
         AS chunks_left,
       r.settled_at IS NOT NULL AS settled, r.swapped_at IS NOT NULL AS swapped, r.finished_at IS NOT NULL AS finished,
       ARRAY(SELECT jsonb_array_elements_text(nullif(to_jsonb(r)->'cut_by', 'null'))) AS cut_by,
       coalesce((to_jsonb(r)->>'fed')::boolean, false) AS fed, to_jsonb(r)->>'back_identity' AS back_identity,
       to_jsonb(r)->>'returned_at' IS NOT NULL AS returned
FROM {COPY_RUN.sql} r WHERE r.source_table = %(source)s
"""

_TARGETS = f"""
SELECT target_table, built_as, lower_bound, upper_bound, is_default, verified_at IS NOT NULL,
       source_rows, source_sum::text, target_rows, target_sum::text
FROM {COPY_TARGET.sql} WHERE source_table = %(source)s
"""

# The log has the name of the trigger's function.
_LOGGING = """
SELECT n.nspname, c.relname, fn.nspname, f.proname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
JOIN pg_namespace fn ON fn.oid = f.pronamespace JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.tgname = %(trigger)s
"""

# The column that came last.
_CURRENT = """
SELECT to_regclass(%(table)s) IS NOT NULL, EXISTS (
  SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%(table)s) AND attname = 'returned_at')
"""

_ANALYZED = """
SELECT n.nspname, c.relname FROM unnest(%(tables)s::text[]) AS own (name)
JOIN pg_class c ON c.oid = to_regclass(own.name) JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE s.last_analyze IS NOT NULL
"""

_LABELS = """
SELECT format('%%s has a security label of %%s, which what takes its place would not have',
              pg_describe_object(classoid, objoid, objsubid), provider)
FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = to_regclass(%(table)s) ORDER BY objsubid, provider
"""

_TAKEN = """
SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s
UNION SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %(schema)s AND t.typrelid = 0 AND t.typcategory <> 'A'
"""


def read_run(connection: Connection, source: QualifiedName) -> CopyRun | None:
    """Return how far the copy of that table has come; None where there was none. Call it while observing."""
    if not _exists(connection, COPY_RUN):
        return None
    found = rows(connection, _RUN, {"source": str(source)})
    if not found:
        return None
    targets, counts = [], []
    for name, built, lower, upper, default, verified, *count in rows(connection, _TARGETS, {"source": str(source)}):
        target = CopyTarget(QualifiedName.parse(name), QualifiedName.parse(built), lower, upper, default)
        targets.append(target)
        counts += [(target.name, CopyCount(*count))] if verified else []
    parent = QualifiedName.parse(found[0].parent_table)
    return noun(CopyRun, found[0], parent=parent, targets=tuple(targets), counts=tuple(counts))


def read_runs(connection: Connection) -> tuple[tuple[QualifiedName, CopyRun], ...]:
    """Return the copies that are in progress, each with its source. Call it while observing."""
    if not _exists(connection, COPY_RUN):
        return ()
    found = rows(connection, f"SELECT source_table FROM {COPY_RUN.sql} WHERE finished_at IS NULL ORDER BY started_at")
    runs = ((name, read_run(connection, name)) for name in (QualifiedName.parse(row[0]) for row in found))
    return tuple((name, run) for name, run in runs if run)


def read_source(connection: Connection, table: QualifiedName) -> QualifiedName:
    """The name by which the copy that logs a table is remembered. Call it while observing."""
    logs = {log for own, log in _logging(connection) if own == table}
    return next((source for source, _ in read_runs(connection) if log_name(source) in logs), table)


def _logging(connection: Connection) -> Iterator[tuple[QualifiedName, QualifiedName]]:
    """The tables with a copy's trigger, each with the log that it writes."""
    for schema, name, *log in rows(connection, _LOGGING, {"trigger": LOG_TRIGGER}):
        yield QualifiedName(schema, name), QualifiedName(*log)


def observe(
    connection: Connection,
    source: QualifiedName,
    parent: Table | None,
    lines: Grid | None,
    purpose: str,
    until: Point | None = None,
) -> Copying:
    """Return the source and what a copy of it has made so far. Call it while observing.

    Args:
        connection: where to look.
        source: whose rows are copied.
        parent: what the targets become partitions of.
        lines: its ranges.
        purpose: drain, split or convert.
        until: up to where rows get partitions; None: up to the end of the line.
    """
    run = read_run(connection, source)
    table = tables.read(connection, source)
    has_tables = Stored.of(*rows(connection, _CURRENT, {"table": COPY_RUN.sql})[0])
    server = Server(int(rows(connection, "SELECT current_setting('server_version_num')")[0][0]))
    taken = frozenset(row[0] for row in rows(connection, _TAKEN, {"schema": source.schema}))
    log = log_name(source)
    logged = next((own for own, written in _logging(connection) if written == log), None)
    leaves = tuple(leaf for leaf in tables.read_tree(connection, staging_name(source)) if not leaf.partitioned)
    if parent is None or lines is None:
        return Copying(parent, table, run, has_tables, logged=logged, leaves=leaves, taken=taken, server=server)
    control = lines.policy.control
    names = {"table": source.sql, "control": control}
    column = parent.column(control)
    by_control = bool(rows(connection, _BY_CONTROL, names)[0][0])
    default = next((p.name for p in parent.partitions if p.default and p.name != source), None)
    beside = tables.read(connection, default) if default else None
    fresh = run is None or run.finished
    after = run is not None and run.swapped and not run.finished
    kept = tables.read(connection, old_name(source)) if after and purpose == "convert" else None
    back = back_name(source)
    return Copying(
        parent,
        table,
        run,
        has_tables,
        key=_key(connection, parent, control),
        control=KeyColumn(control, column.type) if column else None,
        identity=(rows(connection, identity_sql(source)) or [("",)])[0][0] or "",
        logging=bool(rows(connection, logging_sql(source, log))[0][0]),
        logged=logged,
        backlog=_backlog(connection, log),
        by_control=by_control,
        texts=tuple(row[0] for row in rows(connection, _TEXTS, names)),
        leaves=leaves,
        analyzed=tuple(
            QualifiedName(*row) for row in rows(connection, _ANALYZED, {"tables": [leaf.name.sql for leaf in leaves]})
        ),
        filled=_filled(connection, source, lines, by_control, until) if table and fresh else (),
        strays=position.beyond(connection, source, lines, until) if table and fresh else (),
        default_checks=beside.checks if beside else (),
        tree=tables.read_tree(connection, parent.name) if after else (),
        kept=kept,
        feeding=bool(rows(connection, feeding_sql(source, back))[0][0]) if kept else False,
        feed_backlog=_backlog(connection, back) if kept else 0,
        tree_identity=rows(connection, f"SELECT ({tree_identity_sql(source, kept.name)})")[0][0] or "" if kept else "",
        taken=taken,
        bytes=size(connection, source) if fresh else 0,
        room=_room(connection, source) if fresh else None,
        missing=_missing(connection, source, parent.name) if purpose != "convert" else (),
        server=server,
    )


def _missing(connection: Connection, source: QualifiedName, parent: QualifiedName) -> tuple[str, ...]:
    """Rights, and what those that take its place would not have."""
    lacks = (*missing_for_partitions(connection, source), *missing_for_partitions(connection, parent))
    odd = (f"{text}, and would fire there as in {parent}" for text in odd_triggers(connection, source))
    labels = (row[0] for row in rows(connection, _LABELS, {"table": source.sql}))
    return (*dict.fromkeys(lacks), *odd, *labels)


_EMPTIED = """
SELECT n.nspname, c.relname, substring(d.description FROM ' in ([0-9]+) at ')::bigint,
       substring(d.description FROM ' at ([^ ]+)$')
FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
WHERE h.inhparent = to_regclass(%(table)s) AND starts_with(d.description, %(mark)s) ORDER BY c.relname
"""

_PATIENCE = "SELECT clock_timestamp() < %(at)s::timestamptz + %(seconds)s * interval '1 second'"


def emptied(connection: Connection, table: QualifiedName) -> Emptied | None:
    """What held rows of a table before it was made plain again; None where nothing does. Call it while observing."""
    found = rows(connection, _EMPTIED, {"table": table.sql, "mark": EMPTIED_MARK})
    if not found:
        return None
    transaction, at = found[0][2:]
    waiting = rows(connection, older_sql(f"age('{transaction}'::xid)"))
    patience = rows(connection, _PATIENCE, {"at": at, "seconds": PATIENCE_SECONDS})[0][0]
    names = tuple(QualifiedName(schema, name) for schema, name, *_ in found)
    return Emptied(names, tuple(row[0] for row in waiting), patience)


def size(connection: Connection, table: QualifiedName) -> int:
    """Bytes of a table, its indexes and what it keeps out of line. Call it while observing."""
    found = rows(connection, "SELECT pg_total_relation_size(to_regclass(%(table)s))", {"table": table.sql})
    return int(found[0][0] or 0)


def _room(connection: Connection, source: QualifiedName) -> tuple[int, int] | None:
    there = disk.room(connection, source.sql)
    return there and (there[0], disk.reserve(there[1]))


def _key(connection: Connection, parent: Table, control: str) -> tuple[KeyColumn, ...]:
    """The primary key of the partitions: that of the parent, and the control column where it is not in it yet."""
    key = primary_key(connection, parent.name)
    column = parent.column(control)
    if column is None or not key or any(one.name == control for one in key):
        return key
    return (*key, KeyColumn(control, column.type))


def _filled(
    connection: Connection, source: QualifiedName, lines: Grid, by_control: bool, until: Point | None
) -> tuple[Range, ...]:
    """Return the ranges that rows lie in, and at most one more than are made at once."""
    at_once = 1 if by_control else 5 * MOST_AHEAD
    return tuple(islice(position.filled(connection, source, lines, until, at_once), MOST_AHEAD + 1))


def _backlog(connection: Connection, log: QualifiedName) -> int:
    if not _exists(connection, log):
        return 0
    return int(rows(connection, f"SELECT count(*) FROM (SELECT 1 FROM {log.sql} LIMIT {BACKLOG + 1}) l")[0][0])


def _exists(connection: Connection, name: QualifiedName) -> bool:
    """Return whether there is a table of that name; what else has it is refused before the first step."""
    found = "SELECT EXISTS (SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s) AND relkind IN ('r', 'p'))"
    return bool(rows(connection, found, {"name": name.sql})[0][0])
