"""What Citus does with tables: asked for in one query, and only where Citus is seen in a query that is sent anyway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from schema_kit.catalog.session import has_citus, observing, rows
from schema_kit.errors import PlanError
from schema_kit.model import Distribution, ShardDifference
from schema_kit.names import QualifiedName

_DISTRIBUTIONS = """
SELECT d.logicalrelid::oid::bigint,
       CASE d.partmethod WHEN 'h' THEN 'hash' WHEN 'r' THEN 'range' WHEN 'a' THEN 'append' ELSE
         CASE WHEN d.repmodel = 't' THEN 'reference' WHEN d.colocationid > 0 THEN 'single'
              WHEN (to_jsonb(d) ->> 'autoconverted')::boolean THEN 'managed' ELSE 'local' END END,
       CASE WHEN d.partkey IS NOT NULL THEN column_to_column_name(d.logicalrelid, d.partkey) END,
       d.colocationid
FROM pg_dist_partition d WHERE d.logicalrelid::oid = ANY (%(oids)s::oid[])
"""

_GROUP = "SELECT groupid FROM pg_dist_local_group"


def read(connection: Connection, oids: Sequence[int]) -> dict[int, Distribution]:
    """Return how those of the tables are distributed that Citus knows.

    Call it while observing, after a look that saw Citus.
    """
    if not has_citus(connection) or not oids:
        return {}
    return {row[0]: Distribution(*row[1:]) for row in rows(connection, _DISTRIBUTIONS, {"oids": list(oids)})}


def refuse_worker(connection: Connection) -> None:
    """Refuse a connection to a worker: what is done there is not done on the other nodes.

    Raises:
        PlanError: it is one.
    """
    if not has_citus(connection):
        return
    with observing(connection):
        group = [row[0] for row in rows(connection, _GROUP)]
    if any(group):
        raise PlanError(
            f"this is a worker of Citus (pg_dist_local_group.groupid is {group[0]}): locks, advisory locks and changes "
            "of a migration hold on one node alone. Connect to the coordinator."
        )


# The name of a shard ends in its number, whatever else was shortened. A reference table's has a copy on each node.
_OF_SHARDS = (
    "SELECT coalesce(json_object_agg(s.id, s.rows), ''{}'') FROM (SELECT substring(relname, ''_([0-9]+)$'')::bigint "
    "AS id, max(reltuples)::bigint AS rows FROM pg_catalog.pg_class WHERE relkind = ''r'' "
    "AND substring(relname, ''_([0-9]+)$'') = ANY (''%%s''::text[]) GROUP BY 1) s"
)

_MEASURES = f"""
WITH RECURSIVE tree AS (
  SELECT w.place, to_regclass(w.name)::oid AS oid FROM unnest(%(names)s::text[]) WITH ORDINALITY w (name, place)
  UNION ALL SELECT t.place, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
), leaves AS MATERIALIZED (
  SELECT t.place, t.oid, citus_total_relation_size(d.logicalrelid, false) AS bytes
  FROM tree t JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r' JOIN pg_dist_partition d ON d.logicalrelid = c.oid
  WHERE d.partmethod <> 'n' OR d.repmodel = 't' OR d.colocationid > 0
), shards AS MATERIALIZED (
  SELECT l.place, s.shardid FROM leaves l JOIN pg_dist_shard s ON s.logicalrelid = l.oid
), seen AS MATERIALIZED (
  SELECT e.key::bigint AS shardid, max(e.value::bigint) AS rows
  FROM (SELECT format('{_OF_SHARDS}', array_agg(shardid)) AS command FROM shards HAVING count(*) > 0) w,
       LATERAL run_command_on_all_nodes(w.command) r, LATERAL jsonb_each_text(r.result::jsonb) e
  WHERE r.success GROUP BY 1
)
SELECT l.place, CASE WHEN count(l.bytes) = count(*) THEN sum(l.bytes) ELSE -1 END::bigint,
       (SELECT CASE WHEN bool_and(n.rows >= 0) AND count(n.rows) = count(*) THEN sum(n.rows) ELSE -1 END::bigint
        FROM shards s LEFT JOIN seen n ON n.shardid = s.shardid WHERE s.place = l.place)
FROM leaves l GROUP BY l.place
"""


def measures(connection: Connection, names: Sequence[QualifiedName]) -> dict[QualifiedName, tuple[int, int]]:
    """Bytes and estimated rows, in all shards, of those tables or partitions that have some; -1 where not known.

    A node that does not answer, or a shard that was never analyzed, makes them unknown. One query, however many there
    are, which asks each node once. Call it while observing, after a look that saw Citus.
    """
    if not has_citus(connection) or not names:
        return {}
    found = rows(connection, _MEASURES, {"names": [name.sql for name in names]})
    return {names[place - 1]: (size, count) for place, size, count in found}


# What a relation c has, without names: those of a shard are others. Every type by its own name: search_path may differ.
_SHAPE = """(SELECT coalesce(json_agg(w.what ORDER BY w.what), '[]') FROM (
  SELECT format('column %%s %%s%%s', a.attname, t.typname, CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT format('%%sindex (%%s)%%s', CASE WHEN x.indisunique THEN 'unique ' ELSE '' END,
    (SELECT string_agg(coalesce(a.attname::text, '(expression)'), ', ' ORDER BY k.place)
     FROM unnest(x.indkey::int2[]) WITH ORDINALITY k (attnum, place)
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0),
    CASE WHEN x.indisvalid THEN '' ELSE ' (INVALID)' END)
  FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid
  UNION ALL SELECT 'check' || CASE WHEN k.convalidated THEN '' ELSE ' (not validated)' END
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c') w (what))"""

_SHAPES_OF_SHARDS = (
    "SELECT coalesce(json_object_agg(substring(c.relname, '_([0-9]+)$'), " + _SHAPE + "), '{}') "
    "FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND substring(c.relname, '_([0-9]+)$') = ANY ('%s'::text[])"
)

_DIFFERING = f"""
WITH RECURSIVE tree AS (
  SELECT to_regclass(w.name)::oid AS oid FROM unnest(%(names)s::text[]) w (name)
  UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
), shards AS MATERIALIZED (
  SELECT c.oid, s.shardid, p.groupid, {_SHAPE} AS shape
  FROM tree t JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r'
  JOIN pg_dist_partition d ON d.logicalrelid = c.oid AND (d.partmethod <> 'n' OR d.repmodel = 't' OR d.colocationid > 0)
  JOIN pg_dist_shard s ON s.logicalrelid = c.oid JOIN pg_dist_placement p ON p.shardid = s.shardid
), seen AS MATERIALIZED (
  SELECT r.nodeid, e.key::bigint AS shardid, e.value AS shape
  FROM (SELECT format(%(command)s, array_agg(DISTINCT shardid)) AS command FROM shards HAVING count(*) > 0) w,
       LATERAL run_command_on_all_nodes(w.command) r, LATERAL json_each(r.result::json) e WHERE r.success
)
SELECT n.nspname, c.relname, s.shardid, coalesce(o.nodename || ':' || o.nodeport, 'group ' || s.groupid), s.shape,
       v.shape
FROM shards s JOIN pg_class c ON c.oid = s.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_dist_node o ON o.groupid = s.groupid AND o.noderole = 'primary'
LEFT JOIN seen v ON v.shardid = s.shardid AND v.nodeid = o.nodeid
WHERE s.shape::text IS DISTINCT FROM v.shape::text ORDER BY n.nspname, c.relname, s.shardid, 4
"""


def differing(connection: Connection, names: Sequence[QualifiedName]) -> tuple[ShardDifference, ...]:
    """Return the placements of shards of those tables, and of their partitions, that are otherwise than the table.

    A node that does not answer has none of its shards. One query, which asks each node once. Call it while observing,
    after a look that saw Citus.
    """
    if not has_citus(connection) or not names:
        return ()
    values = {"names": [name.sql for name in names], "command": _SHAPES_OF_SHARDS}
    return tuple(
        ShardDifference(QualifiedName(schema, name), shard, node, *_between(shape, there))
        for schema, name, shard, node, shape, there in rows(connection, _DIFFERING, values)
    )


def _between(shape: list[str], there: list[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is missing there, and what is too much; of two equal indexes, say, each counts."""
    if there is None:
        return ("the shard itself, or its node did not answer",), ()
    missing, extra = Counter(shape) - Counter(there), Counter(there) - Counter(shape)
    return tuple(missing.elements()), tuple(extra.elements())


_BLOCKERS = """
SELECT DISTINCT 'node ' || coalesce(n.nodename || ':' || n.nodeport, l.nodeid::text) || ', pid ' || l.pid
         || coalesce(' (' || nullif(a.application_name, '') || ')', '') || ': ' || l.mode || ' on ' || l.relation_name
         || coalesce(', ' || a.state, '')
         || coalesce(', transaction open for ' || date_trunc('second', clock_timestamp() - a.xact_start), '')
         || {query}
FROM citus_locks l JOIN pg_dist_shard s ON s.shardid::text = substring(l.relation_name, '_([0-9]+)"?$')
LEFT JOIN pg_dist_node n ON n.nodeid = l.nodeid
LEFT JOIN citus_stat_activity a ON a.global_pid = l.global_pid AND NOT a.is_worker_query
WHERE s.logicalrelid = to_regclass(%(table)s) AND l.granted AND l.mode = ANY (%(modes)s)
  AND l.global_pid IS DISTINCT FROM citus_backend_gpid()
"""


def blockers(connection: Connection, table: QualifiedName, modes: Sequence[str], query: str) -> list[str]:
    """Who holds a lock on a shard of a table, with the node. Call it while observing, after a look that saw Citus.

    Args:
        connection: where to look.
        table: the table.
        modes: the modes of locks.
        query: SQL that says what the session *a* sends.
    """
    sql = _BLOCKERS.format(query=query)
    return [row[0] for row in rows(connection, sql, {"table": table.sql, "modes": list(modes)})]


WAITED_FOR = """
SELECT 'node ' || coalesce(n.nodename || ':' || n.nodeport, w.blocking_nodeid::text) || ', pid '
         || citus_pid_for_gpid(w.blocking_gpid) || ', query: ' || left(w.current_statement_in_blocking_process, 120)
FROM citus_lock_waits w LEFT JOIN pg_dist_node n ON n.nodeid = w.blocking_nodeid
WHERE citus_pid_for_gpid(w.waiting_gpid) = %(pid)s
"""
"""Whom a session of this node waits for on any node."""
