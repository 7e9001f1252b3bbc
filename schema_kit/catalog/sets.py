"""Read many partitioned tables with one query, which says which of them need a closer look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from schema_kit.catalog import citus
from schema_kit.catalog.session import ON_CITUS, note_citus, rows
from schema_kit.catalog.table import parse_bounds
from schema_kit.model import Column, Partition, Partitioning, Strategy, Table
from schema_kit.names import QualifiedName

# A policy on a parent by LIST or HASH is one for each of its partitions, which are partitioned by range.
_SETS = f"""
WITH RECURSIVE found AS (
  SELECT w.place, w.control, to_regclass(w.name)::oid AS oid
  FROM unnest(%(names)s::text[], %(controls)s::text[]) WITH ORDINALITY w (name, control, place)
  UNION ALL
  SELECT f.place, f.control, i.inhrelid FROM found f JOIN pg_partitioned_table p ON p.partrelid = f.oid
  JOIN pg_inherits i ON i.inhparent = f.oid JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'p'
  WHERE p.partstrat <> 'r'
)
SELECT f.place, n.nspname, c.relname, p.partstrat::text,
       ARRAY(SELECT coalesce(a.attname::text, '(expression)') FROM unnest(p.partattrs) WITH ORDINALITY k (attnum, place)
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
             ORDER BY k.place),
       (SELECT ARRAY[format_type(a.atttypid, a.atttypmod), a.attnotnull::text] FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = f.control AND NOT a.attisdropped),
       ARRAY(SELECT ARRAY[pn.nspname::text, pc.relname::text, pg_get_expr(pc.relpartbound, pc.oid), pc.relkind::text,
                          i.inhdetachpending::text, pc.reltuples::bigint::text]
             FROM pg_inherits i JOIN pg_class pc ON pc.oid = i.inhrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
             WHERE i.inhparent = c.oid AND pc.relispartition),
       c.reltuples::bigint,
       (SELECT CASE WHEN bool_and(pc.relkind <> 'p' OR pc.reltuples >= 0) THEN sum(CASE WHEN pc.reltuples >= 0
                    THEN pc.reltuples::bigint ELSE pg_stat_get_live_tuples(pc.oid) END) END
        FROM pg_inherits i JOIN pg_class pc ON pc.oid = i.inhrelid WHERE i.inhparent = c.oid),
       {ON_CITUS}, c.oid::bigint
FROM found f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
ORDER BY f.place, n.nspname, c.relname
"""


_MEASURES = """
WITH RECURSIVE tree AS (
  SELECT i.inhrelid AS partition, i.inhrelid AS oid FROM unnest(%(sets)s::text[]) s (name)
  JOIN pg_inherits i ON i.inhparent = to_regclass(s.name)
  UNION ALL SELECT t.partition, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
), leaves AS (
  SELECT t.partition, t.oid, pg_total_relation_size(c.oid) AS bytes,
         CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint WHEN pg_relation_size(c.oid) = 0 THEN 0 END AS rows
  FROM tree t JOIN pg_class c ON c.oid = t.oid WHERE c.relkind <> 'p'
)
SELECT n.nspname, c.relname, s.spcname, count(l.oid) FILTER (WHERE l.oid <> c.oid), coalesce(sum(l.bytes), 0)::bigint,
       CASE WHEN count(l.oid) = count(l.rows) THEN coalesce(sum(l.rows), 0) ELSE -1 END::bigint
FROM tree t JOIN pg_class c ON c.oid = t.partition JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN leaves l ON l.oid = t.oid
GROUP BY c.oid, n.nspname, c.relname, s.spcname
"""


def read(connection: Connection, policies: Sequence[Partitioning]) -> Iterator[tuple[Partitioning, Table | None]]:
    """Return each table of each policy, with its control column and its partitions only; None without such a table."""
    return ((one, table) for _, one, table in read_of(connection, policies))


def measured(connection: Connection, tables: Sequence[Table]) -> list[Table]:
    """Sets with the size of each partition, its rows, its tablespace, and how many leaves it has: one query for all.

    It takes ACCESS SHARE on each partition briefly, as every look at a size does.
    """
    names = {"sets": [table.name.sql for table in tables]}
    found = {QualifiedName(row[0], row[1]): row[2:] for row in rows(connection, _MEASURES, names)} if tables else {}
    own = [table for table in tables if table.distribution and table.distribution.spread]
    spread = citus.measures(connection, [part.name for table in own for part in table.partitions])

    def with_measures(partition: Partition) -> Partition:
        tablespace, parts, *seen = found.get(partition.name, (None, 0, 0, -1))
        size, count = spread.get(partition.name, seen)
        return replace(partition, tablespace=tablespace, parts=parts, bytes=size, rows=count)

    return [replace(table, partitions=tuple(map(with_measures, table.partitions))) for table in tables]


def read_of(
    connection: Connection, policies: Sequence[Partitioning]
) -> Iterator[tuple[Partitioning, Partitioning, Table | None]]:
    """Yield the same, with the policy as it stands in part_config before each."""
    names = {"names": [policy.parent.sql for policy in policies], "controls": [policy.control for policy in policies]}
    found: dict[int, list[Table]] = {}
    seen = rows(connection, _SETS, names) if policies else []
    if seen:
        note_citus(connection, seen[0][-2])
    distributions = citus.read(connection, [row[-1] for row in seen])
    for place, schema, name, strategy, key, control, parts, estimate, held, _, oid in seen:
        distribution = distributions.get(oid)
        spread = distribution is not None and distribution.spread  # then what the table itself holds says nothing
        column = (Column(policies[place - 1].control, control[0], control[1] == "true"),) if control else ()
        found.setdefault(place, []).append(
            Table(
                QualifiedName(schema, name),
                columns=column,
                partitioned_by=tuple(key),
                partition_strategy=strategy or "",
                partitions=tuple(_partition(*part) for part in parts),
                rows=estimate,
                held=-1 if held is None or spread else int(held),
                distribution=distribution,
            )
        )
    for place, policy in enumerate(policies, 1):
        tables = found.get(place, [])
        ranges = [table for table in tables if table.partition_strategy == Strategy.RANGE] or tables[:1]
        for table in ranges:
            yield policy, replace(policy, parent=table.name), table
        if not ranges:
            yield policy, policy, None


def _partition(schema: str, name: str, bounds: str, kind: str, pending: str, estimate: str) -> Partition:
    lower, upper = parse_bounds(bounds)
    own = QualifiedName(schema, name)
    of_kind = (kind == "r", pending == "true", kind == "f")
    return Partition(own, lower, upper, bounds == "DEFAULT", *of_kind, rows=int(estimate))
