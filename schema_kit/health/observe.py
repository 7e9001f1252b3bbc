"""Read what the checks need: catalog and statistics alone, no row of a user's table, under a statement_timeout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import citus, leftovers
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.nouns import noun
from schema_kit.catalog.session import ON_CITUS, note_citus, observing, rows, send
from schema_kit.catalog.sizes import LOCKED
from schema_kit.health import sizes, statements
from schema_kit.health.facts import (
    Column,
    ForeignKey,
    Holder,
    Index,
    NotValid,
    Numbers,
    Observed,
    Relation,
    Session,
    Statements,
    Trigger,
)
from schema_kit.health.facts import Server as Facts
from schema_kit.health.server import SETTINGS
from schema_kit.marks import ARCHIVE_MARK
from schema_kit.names import QualifiedName
from schema_kit.plans.drift import several
from schema_kit.server import Server
from schema_kit.storage import CONFIG_SCHEMA

TIMEOUT = "30s"
LOCK_TIMEOUT = "1s"
TRIES = 5
"""How often it looks where a table is locked just between two queries."""

_NOT_NOW = frozenset({"55P03", "57014", "42P01", "XX000", "55000", "42501"})
"""A lock of another session, a relation that was dropped meanwhile, what a standby cannot say, a privilege."""

_NOT_OURS = f"""
n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{CONFIG_SCHEMA}')
AND NOT EXISTS (
  SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
"""

_AGE = "CASE WHEN {0}.relfrozenxid::text <> '0' THEN age({0}.relfrozenxid) ELSE 0 END"
_MXIDS = "CASE WHEN {0}.relminmxid::text <> '0' THEN mxid_age({0}.relminmxid) ELSE 0 END"

_RELATIONS = f"""
SELECT c.oid::bigint, n.nspname, c.relname,
       CASE WHEN c.relispartition THEN coalesce(pg_partition_root(c.oid), c.oid) ELSE c.oid END::bigint,
       c.relkind::text AS kind, c.reltuples::float8 AS rows,
       c.relpages::bigint * current_setting('block_size')::bigint AS bytes,
       greatest({_AGE.format("c")},
                (SELECT {_AGE.format("o")} FROM pg_class o WHERE o.oid = c.reltoastrelid)) AS xid_age,
       greatest({_MXIDS.format("c")},
                (SELECT {_MXIDS.format("o")} FROM pg_class o WHERE o.oid = c.reltoastrelid)) AS multixact_age,
       pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead,
       pg_stat_get_numscans(c.oid) AS seq_scans, pg_stat_get_tuples_returned(c.oid) AS seq_rows,
       CASE WHEN c.relkind = 'p' THEN c.reltuples >= 0
            WHEN pg_stat_get_last_analyze_time(c.oid) IS NOT NULL
                 OR pg_stat_get_last_autoanalyze_time(c.oid) IS NOT NULL THEN true
            ELSE NOT has_table_privilege(c.oid, 'SELECT') OR EXISTS (
                 SELECT 1 FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname) END AS analyzed,
       NOT EXISTS (SELECT 1 FROM pg_options_to_table(c.reloptions) o
                   WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean) AS autovacuum,
       c.relpersistence = 'p' AS logged, c.relreplident::text AS replica_identity,
       EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary) AS primary_key,
       coalesce(starts_with(obj_description(c.oid, 'pg_class'), '{ARCHIVE_MARK}'), false) AS archive,
       coalesce((SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) o
                 WHERE o.option_name = 'fillfactor'), 100) AS fillfactor,
       pg_stat_get_tuples_updated(c.oid) AS updates, pg_stat_get_tuples_hot_updated(c.oid) AS hot_updates,
       {{new_pages}} AS new_page_updates,
       pg_stat_get_blocks_fetched(c.oid) AS blocks, pg_stat_get_blocks_hit(c.oid) AS hits,
       CASE WHEN c.relkind = 'r' AND c.relhassubclass AND has_table_privilege(c.oid, 'SELECT') AND NOT EXISTS (
         SELECT 1 FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.inherited)
       THEN (SELECT coalesce(sum(greatest(o.reltuples, pg_stat_get_live_tuples(o.oid), 0)), 0)::float8
             FROM pg_inherits h JOIN pg_class o ON o.oid = h.inhrelid WHERE h.inhparent = c.oid) ELSE 0 END AS heirs
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind IN ('r', 'p', 'm') OR c.relkind = 'f' AND c.relispartition) AND c.relpersistence <> 't' AND {_NOT_OURS}
ORDER BY n.nspname, c.relname
"""

_PUBLISHED = """
SELECT DISTINCT t.schemaname, t.tablename FROM pg_publication_tables t JOIN pg_publication p ON p.pubname = t.pubname
WHERE p.pubupdate OR p.pubdelete
"""

_INDEXES = f"""
SELECT x.indexrelid::bigint, i.relname, x.indrelid::bigint, printed.text,
       i.relkind::text AS kind,
       (SELECT h.inhparent::bigint FROM pg_inherits h WHERE h.inhrelid = x.indexrelid),
       x.indisunique AS unique,
       EXISTS (
         SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')) AS constraint,
       EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype = 'f') AS referenced,
       x.indisreplident AS replica_identity, x.indisclustered AS clustered,
       x.indisvalid AND x.indisready AS valid,
       EXISTS (SELECT 1 FROM pg_stat_progress_create_index b WHERE b.index_relid = x.indexrelid) AS building,
       pg_stat_get_numscans(x.indexrelid) AS scans,
       i.relpages::bigint * current_setting('block_size')::bigint AS bytes,
       ARRAY(SELECT coalesce(t.typcategory::text, '') FROM unnest(x.indkey::int2[]) WITH ORDINALITY u (attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.attnum AND u.attnum > 0
             LEFT JOIN pg_type t ON t.oid = a.atttypid WHERE u.place <= x.indnkeyatts ORDER BY u.place) AS types,
       {{last_scan}} AS last_scan, i.reltuples::float8 AS entries,
       pg_stat_get_blocks_fetched(i.oid) AS blocks, pg_stat_get_blocks_hit(i.oid) AS hits
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN LATERAL (SELECT pg_get_indexdef(x.indexrelid) AS text) printed ON printed.text IS NOT NULL -- dropped meanwhile
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND x.indrelid <> ALL (%(locked)s::oid[]) AND {_NOT_OURS}
ORDER BY i.relname
"""

_COLUMNS = """
SELECT s.schemaname, s.tablename, s.attname, s.null_frac::float8, s.n_distinct::float8
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.inherited = (c.relkind = 'p')
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
"""

_NAMES = """ARRAY(SELECT a.attname::text FROM unnest({keys}) WITH ORDINALITY u (n, place)
JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = u.n ORDER BY u.place)"""
_BASE = "(SELECT format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) FROM pg_type t WHERE t.oid = a.atttypid)"
_TYPES = _NAMES.replace("a.attname::text", _BASE)

_FOREIGN_KEYS = f"""
SELECT k.conname AS name, k.conrelid::bigint, f.oid::bigint,
       {_NAMES.format(keys="k.conkey", table="k.conrelid")} AS columns,
       {_NAMES.format(keys="k.confkey", table="k.confrelid")} AS referenced_columns,
       {_TYPES.format(keys="k.conkey", table="k.conrelid")} AS types,
       {_TYPES.format(keys="k.confkey", table="k.confrelid")} AS referenced_types, k.confdeltype::text AS on_delete,
       k.confupdtype::text AS on_update, k.confmatchtype::text AS match, k.condeferrable AS deferrable,
       k.condeferred AS deferred
FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
WHERE k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conrelid, k.conname
"""

_NOT_VALID = """
SELECT k.conname, k.conrelid::bigint, k.contype::text FROM pg_constraint k
WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n') AND k.conparentid = 0 AND k.coninhcount = 0
  AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) ORDER BY k.conrelid, k.conname
"""

_TRIGGERS = """
SELECT t.tgname, t.tgrelid::bigint, t.tgisinternal FROM pg_trigger t
WHERE t.tgenabled = 'D' AND (NOT t.tgisinternal OR t.tgconstraint <> 0) ORDER BY t.tgrelid, t.tgname
"""

_SEQUENCES = f"""
SELECT s.schemaname, s.sequencename, least(abs(s.last_value::numeric), 9223372036854775807)::bigint,
       CASE WHEN s.increment_by > 0 THEN s.max_value
         ELSE least(-s.min_value::numeric, 9223372036854775807)::bigint END, d.refobjid::bigint, a.attname, {_BASE},
       s.increment_by < 0
FROM pg_sequences s JOIN pg_namespace n ON n.nspname = s.schemaname
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
LEFT JOIN LATERAL (
  SELECT d.refobjid, d.refobjsubid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION ALL
  SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
  WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
  LIMIT 1) d ON true
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE NOT s.cycle AND s.last_value IS NOT NULL AND (s.increment_by > 0) = (s.last_value > 0) AND NOT EXISTS (
  SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 1, 2
"""

_SESSIONS = """
SELECT a.pid, CASE WHEN a.wait_event_type = 'Lock' THEN 'waiting' WHEN starts_with(a.state, 'idle in transaction')
       THEN 'idle in transaction' ELSE 'query' END AS kind,
       extract(epoch FROM clock_timestamp() - CASE WHEN a.state = 'active' THEN a.query_start ELSE a.state_change END)
         ::float8 AS seconds,
       concat_ws(', ', a.usename, nullif(a.application_name, '')) AS who,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) ELSE '{}' END AS blocked_by
FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.state <> 'idle'
  AND a.backend_type = 'client backend' AND a.state_change IS NOT NULL ORDER BY 3 DESC
"""

_SERVER = f"""
SELECT {ON_CITUS} AS on_citus, d.stats_reset AS since, d.stats_reset AS reset,
       (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend') AS connections,
       current_setting('max_connections')::int AS max_connections,
       current_setting('autovacuum_freeze_max_age')::int AS freeze_max_age,
       current_setting('autovacuum_multixact_freeze_max_age')::int AS multixact_freeze_max_age,
       (SELECT count(*) FROM pg_stat_replication r WHERE coalesce(r.state, '') <> 'backup' AND NOT EXISTS (
         SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')) AS standbys,
       pg_has_role(current_user, 'pg_monitor', 'USAGE') AS monitor, current_user::text AS role,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
          AND n.nspname NOT IN ('information_schema', 'schema_kit')
          AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'))) AS closed,
       pg_is_in_recovery() AS standby, d.datname::text AS database, d.temp_files, d.temp_bytes,
       pg_size_bytes(current_setting('work_mem')) AS work_mem
FROM pg_stat_database d WHERE d.datname = current_database()
"""

_PREPARED = """
SELECT x.gid, extract(epoch FROM now() - x.prepared)::float8 FROM pg_prepared_xacts x
WHERE x.database = current_database() ORDER BY 1
"""

# Sessions of other databases keep no rows here; a slot's catalog_xmin, rows of catalogs alone.
_HOLDERS = """
SELECT 'session', a.pid::text, concat_ws(', ', a.usename, nullif(a.application_name, ''), a.state),
       greatest(age(a.backend_xmin), age(a.backend_xid)) AS age, false
FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.backend_type <> 'walsender' AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
UNION ALL SELECT 'prepared transaction', x.gid, x.owner::text, age(x.transaction), false
FROM pg_prepared_xacts x WHERE x.database = current_database()
UNION ALL SELECT 'replication slot', s.slot_name, CASE WHEN s.active THEN 'in use' ELSE 'nobody reads it' END,
       coalesce(age(s.xmin), age(s.catalog_xmin)), s.xmin IS NULL
FROM pg_replication_slots s WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
UNION ALL SELECT 'standby', coalesce(nullif(r.application_name, ''), r.pid::text), host(r.client_addr),
       age(r.backend_xmin), false
FROM pg_stat_replication r WHERE r.backend_xmin IS NOT NULL
ORDER BY 4 DESC
"""

_SLOTS = """
SELECT s.slot_name, coalesce(s.wal_status, ''), coalesce(pg_wal_lsn_diff(
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END,
         s.restart_lsn), 0)::bigint
FROM pg_replication_slots s
WHERE NOT s.active AND NOT s.temporary AND (s.database IS NULL OR s.database = current_database()) ORDER BY 1
"""

_BAD_SETTINGS = """
SELECT s.name, s.setting, s.source FROM pg_settings s WHERE s.name = ANY (%(names)s)
  AND s.setting <> CASE WHEN s.name IN ('zero_damaged_pages', 'ignore_checksum_failure') THEN 'off' ELSE 'on' END
ORDER BY s.name
"""

_EXTENSIONS = """
SELECT a.name, a.installed_version, a.default_version FROM pg_available_extensions a
WHERE a.installed_version IS NOT NULL AND a.installed_version <> a.default_version ORDER BY 1
"""

Noun = TypeVar("Noun")

_MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1}


def read(connection: Connection, now: Any) -> Observed:
    """Look at a database.

    Args:
        connection: in autocommit; of a role that is a member of pg_monitor, or another one, which sees less.
        now: the moment that stands for the server's clock.
    """
    unseen = list[str]()
    which, how_far = "which tables are published", "how far sequences are"
    published = _lenient(connection, lambda: rows(connection, _PUBLISHED), which, unseen)
    by_leaf = _lenient(connection, lambda: list(leftovers.published(connection)), which, unseen) if published else []
    numbers = _lenient(connection, lambda: rows(connection, _SEQUENCES), how_far, unseen)
    for tries_left in reversed(range(TRIES)):
        try:
            with _looking(connection):
                seen = _read(connection, now, {tuple(row) for row in published}, numbers)
                break
        except DBAPIError as error:
            if not tries_left or sqlstate(error) != "55P03":
                raise
    roots = {name: one.root for name, one in seen.by_name.items() if one.partition}
    asked = _lenient(connection, lambda: [statements.read(connection, roots)], "statements", unseen)
    if asked == [None]:
        unseen.append(statements.MISSING)
    counted = next(filter(None, asked), Statements())
    return replace(seen, notes=(*seen.notes, *unseen), published=by_leaf, statements=counted)


@contextmanager
def _looking(connection: Connection) -> Iterator[None]:
    with observing(connection):
        send(connection, f"SET LOCAL statement_timeout = '{TIMEOUT}'; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        yield


def _lenient(connection: Connection, ask: Callable[[], list[Noun]], what: str, unseen: list[str]) -> list[Noun]:
    """What a query gives that opens tables or sequences, which another session may have locked; then that is said."""
    try:
        with _looking(connection):
            return ask()
    except DBAPIError as error:
        if sqlstate(error) not in _NOT_NOW:
            raise
        unseen.append(f"{what} was not seen: {str(error.orig).splitlines()[0]}. Run it again.")
        return []


def _read(connection: Connection, now: Any, published: set[Any], numbers: list[Any]) -> Observed:
    counts = Server(int((connection.dialect.server_version_info or (0,))[0]) * 10_000).counts_last_scans
    found = rows(connection, _since_16(_RELATIONS, counts))
    names = {row[0]: QualifiedName(row[1], row[2]) for row in found}
    roots = {names[row[0]]: names.get(row[3], names[row[0]]) for row in found}
    held = {oid: pid for oid, pid in rows(connection, LOCKED) if oid in names}
    closed = {roots[names[oid]]: pid for oid, pid in held.items()}
    left_out = [oid for oid, name in names.items() if roots[name] in closed]
    names = {oid: name for oid, name in names.items() if roots[name] not in closed}
    found = [row for row in found if row[0] in names]
    relations = [_relation(row, names, roots, published) for row in found]
    indexes = list(_indexes(connection, names, roots, left_out, _since_16(_INDEXES, counts)))
    keys = [
        noun(ForeignKey, row, table=names[row[1]], referenced=names[row[2]])
        for row in rows(connection, _FOREIGN_KEYS)
        if row[1] in names and row[2] in names
    ]
    server, notes = _server(connection, now)
    relations, unknown = _with_shards(connection, relations)
    told = [
        f"{name} was not seen: session {pid} holds or awaits ACCESS EXCLUSIVE on it." for name, pid in closed.items()
    ]
    return Observed(
        relations,
        indexes,
        {(QualifiedName(*row[:2]), row[2]): Column(*row[3:]) for row in rows(connection, _COLUMNS)},
        keys,
        [NotValid(row[0], names[row[1]], row[2]) for row in rows(connection, _NOT_VALID) if row[1] in names],
        [Trigger(row[0], names[row[1]], row[2]) for row in rows(connection, _TRIGGERS) if row[1] in names],
        list(_sequences(numbers, names)),
        (),
        server,
        sizes.read(connection, names),
        (*notes, *unknown, *told),
    )


def _with_shards(connection: Connection, relations: list[Relation]) -> tuple[list[Relation], tuple[str, ...]]:
    """Return the same with bytes and rows of the shards that Citus keeps of them, and what is not known of those."""
    known = citus.measures(connection, [one.name for one in relations if one.kind == "r"])
    if not known:
        return relations, ()
    found = [
        replace(one, bytes=max(known[one.name][0], 0), rows=known[one.name][1], distributed=True)
        if one.name in known
        else one
        for one in relations
    ]
    lost = [name for name, (size, count) in known.items() if size < 0 or count < 0]
    note = f"the shards of {several(lost)}: their rows are not known. ANALYZE them, or ask why a node does not answer."
    return found, (note,) if lost else ()


def _relation(
    row: Any, names: dict[int, QualifiedName], roots: dict[QualifiedName, QualifiedName], published: set[Any]
) -> Relation:
    name = names[row[0]]
    root = roots[name]
    sent = (name.schema, name.name) in published or (root.schema, root.name) in published
    return noun(Relation, row, name=name, root=root, published=sent)


def _indexes(
    connection: Connection,
    names: dict[int, QualifiedName],
    roots: dict[QualifiedName, QualifiedName],
    locked: list[int],
    sql: str,
) -> Iterator[Index]:
    found = [
        row for row in rows(connection, sql, {"locked": locked}) if row[2] in names and row[3]
    ]  # dropped meanwhile: no definition
    own = {row[0]: names[row[2]].sibling(row[1]) for row in found}
    for row in found:
        table = names[row[2]]
        yield noun(Index, row, name=own[row[0]], table=table, root=roots[table], parent=own.get(row[5]))


def _sequences(found: list[Any], names: dict[int, QualifiedName]) -> Iterator[Numbers]:
    for schema, name, last, own_most, table, column, type_, down in found:
        if schema != CONFIG_SCHEMA and (table is None or table in names):
            most = min(own_most, _MOST.get(type_ or "", own_most))
            of = names[table] if table else None
            yield Numbers(QualifiedName(schema, name), last, most, own_most, of, column or "", type_ or "", down)


def _since_16(sql: str, counts: bool) -> str:
    """Return the query with what PostgreSQL counts since 16, or without."""
    new_pages = "pg_stat_get_tuples_newpage_updated(c.oid)" if counts else "NULL::bigint"
    return sql.format(new_pages=new_pages, last_scan="pg_stat_get_lastscan(i.oid)" if counts else "NULL::timestamptz")


def _server(connection: Connection, now: Any) -> tuple[Facts, tuple[str, ...]]:
    [own] = rows(connection, _SERVER)
    note_citus(connection, own.on_citus)
    notes = []
    if not own.monitor:
        notes.append(
            f"{own.role} is not a member of pg_monitor: what other roles' sessions do was not seen. GRANT pg_monitor "
            f'TO "{own.role}";'
        )
    if own.closed:
        notes.append(
            f"statistics of the columns of {own.closed:,} tables were not seen: {own.role} lacks SELECT on them."
        )
    server = noun(
        Facts,
        own,
        now=now,
        sessions=tuple(noun(Session, row) for row in rows(connection, _SESSIONS)),
        prepared=tuple(tuple(row) for row in rows(connection, _PREPARED)),
        slots=tuple(tuple(row) for row in rows(connection, _SLOTS)),
        holders=tuple(Holder(*row) for row in rows(connection, _HOLDERS)),
        settings=tuple(tuple(row) for row in rows(connection, _BAD_SETTINGS, {"names": list(SETTINGS)})),
        extensions=tuple(tuple(row) for row in rows(connection, _EXTENSIONS)),
    )
    return server, tuple(notes)
