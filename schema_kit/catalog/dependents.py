"""What PostgreSQL would refuse to drop a column, constraint or table for, read from pg_depend without a lock."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName

# Dependents of the kinds a, i, P and S go along with what they depend on; those of the kind n stop DROP ... RESTRICT.
_OBJECTS = """
WITH RECURSIVE root AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p', 'v')
), tree AS (
  SELECT oid FROM root UNION SELECT h.inhrelid FROM tree t JOIN pg_inherits h ON h.inhparent = t.oid
), dropped AS (
  SELECT 'pg_class'::regclass::oid AS classid, oid AS objid, 0 AS objsubid FROM root
  WHERE coalesce(%(column)s::text, %(constraint)s::text) IS NULL
  UNION ALL
  SELECT 'pg_constraint'::regclass, k.oid, 0 FROM root JOIN pg_constraint k ON k.conrelid = root.oid
  WHERE k.conname = %(constraint)s
  UNION ALL
  SELECT 'pg_class'::regclass, t.oid, a.attnum FROM tree t JOIN pg_attribute a ON a.attrelid = t.oid
  WHERE a.attname = %(column)s AND NOT a.attisdropped
), gone AS (
  SELECT classid, objid, objsubid FROM dropped
  UNION
  SELECT d.classid, d.objid, d.objsubid FROM gone g JOIN pg_depend d
    ON d.refclassid = g.classid AND d.refobjid = g.objid AND g.objsubid IN (0, d.refobjsubid)
  WHERE d.deptype IN ('a', 'i', 'P', 'S')
), found AS (
  SELECT DISTINCT d.classid, d.objid, d.objsubid FROM gone g JOIN pg_depend d
    ON d.refclassid = g.classid AND d.refobjid = g.objid AND g.objsubid IN (0, d.refobjsubid)
  WHERE d.deptype = 'n' AND NOT (%(attached)s AND d.classid = 'pg_constraint'::regclass AND EXISTS (
          SELECT 1 FROM pg_constraint k WHERE k.oid = d.objid AND k.contype = 'f'))
    AND NOT EXISTS (SELECT 1 FROM gone o WHERE o.classid = d.classid AND o.objid = d.objid
                                        AND o.objsubid IN (0, d.objsubid))
)
SELECT DISTINCT CASE
  WHEN r.oid IS NOT NULL THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
  WHEN a.oid IS NOT NULL THEN pg_describe_object('pg_class'::regclass, a.adrelid, a.adnum)
  ELSE pg_describe_object(f.classid, f.objid, f.objsubid) END || ' depends on it'
FROM found f LEFT JOIN pg_rewrite r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid
LEFT JOIN pg_attrdef a ON f.classid = 'pg_attrdef'::regclass AND a.oid = f.objid
WHERE r.oid IS NULL OR NOT EXISTS (SELECT 1 FROM unnest(%(but)s::text[]) v WHERE to_regclass(v) = r.ev_class)
UNION ALL
SELECT DISTINCT 'it is in the partition key of ' || pg_describe_object(d.classid, d.objid, 0)
FROM dropped o JOIN pg_depend d ON d.classid = o.classid AND d.objid = o.objid AND d.objsubid = o.objsubid
  AND d.refclassid = o.classid AND d.refobjid = o.objid AND d.refobjsubid = 0
WHERE d.deptype = 'i' AND o.objsubid > 0
UNION ALL
SELECT 'it is inherited' FROM root JOIN pg_attribute a ON a.attrelid = root.oid
WHERE a.attname = %(column)s AND NOT a.attisdropped AND a.attinhcount > 0
UNION ALL
SELECT 'it is inherited' FROM root JOIN pg_constraint k ON k.conrelid = root.oid
WHERE k.conname = %(constraint)s AND k.coninhcount > 0
UNION ALL
SELECT 'it belongs to ' || pg_describe_object(d.refclassid, d.refobjid, 0) FROM root JOIN pg_depend d
  ON d.classid = 'pg_class'::regclass AND d.objid = root.oid AND d.deptype = 'e'
WHERE coalesce(%(column)s::text, %(constraint)s::text) IS NULL
ORDER BY 1
"""


def read(
    connection: Connection,
    table: QualifiedName,
    column: str | None = None,
    constraint: str | None = None,
    attached: bool = False,
    but: Sequence[QualifiedName] = (),
) -> tuple[str, ...]:
    """Return why the column, the constraint, or the whole table cannot be dropped, in words; empty where it can.

    Args:
        connection: where to look.
        table: the table.
        column: its column.
        constraint: its constraint.
        attached: whether it is a partition still, so that foreign keys to it go when it is detached.
        but: views that stop nothing, since they go first.
    """
    values = {
        "schema": table.schema,
        "name": table.name,
        "column": column,
        "constraint": constraint,
        "attached": attached,
        "but": [view.sql for view in but],
    }
    return tuple(row[0] for row in rows(connection, _OBJECTS, values))
