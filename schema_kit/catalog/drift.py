"""What partitions have otherwise than their parents: one query for any number of sets, which compares on the server."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from schema_kit.catalog.session import printed, rows
from schema_kit.model import Drift
from schema_kit.names import QualifiedName

# Names, types and checks PostgreSQL keeps alike by itself. A copy of a foreign key to one partition of a partitioned
# table is a part of its parent's, not a key of its own. Expressions are printed only where their trees differ, since
# printing waits for ACCESS EXCLUSIVE locks.
_DRIFT = f"""
WITH RECURSIVE tree AS (
  SELECT s.place, NULL::oid AS parent, c.oid
  FROM unnest(%(sets)s::text[]) WITH ORDINALITY s (name, place) JOIN pg_class c ON c.oid = to_regclass(s.name)
  UNION ALL
  SELECT t.place, t.oid, c.oid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid
  JOIN pg_class c ON c.oid = i.inhrelid AND c.relispartition WHERE NOT i.inhdetachpending AND c.relkind IN ('r', 'p')
), keys AS (
  SELECT k.* FROM pg_constraint k WHERE k.conrelid IN (SELECT oid FROM tree)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
), found AS (
  SELECT t.place, CASE WHEN cx.indexrelid IS NULL THEN 'index missing' ELSE 'index invalid' END AS kind, t.oid,
         pi.relname::text AS object, t.parent,
         coalesce(ci.relname::text, CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || substr(
           {printed("pg_get_indexdef", "pi.oid")}, length(format('CREATE %%sINDEX %%I ON ONLY %%s USING ',
           CASE WHEN x.indisunique THEN 'UNIQUE ' END, pi.relname, x.indrelid::regclass)) + 1)) AS detail
  FROM tree t JOIN pg_index x ON x.indrelid = t.parent JOIN pg_class pi ON pi.oid = x.indexrelid
  LEFT JOIN (pg_inherits h JOIN pg_index cx ON cx.indexrelid = h.inhrelid JOIN pg_class ci ON ci.oid = cx.indexrelid)
    ON h.inhparent = x.indexrelid AND cx.indrelid = t.oid
  WHERE cx.indexrelid IS NULL OR (NOT cx.indisvalid AND ci.relkind = 'i')
  UNION ALL
  SELECT t.place, CASE i.relkind WHEN 'I' THEN 'index not whole' ELSE 'index leftover' END, t.oid, i.relname::text,
         NULL, ''
  FROM tree t JOIN pg_index x ON x.indrelid = t.oid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE NOT x.indisvalid AND (i.relkind = 'I' OR NOT EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = i.oid))
    AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index b WHERE b.index_relid = i.oid)
  UNION ALL
  SELECT t.place, 'constraint missing', t.oid, k.conname::text, t.parent, ''
  FROM tree t JOIN keys k ON k.conrelid = t.parent AND k.contype IN ('c', 'f') AND NOT k.connoinherit
  WHERE NOT EXISTS (SELECT 1 FROM keys o WHERE o.conrelid = t.oid AND CASE k.contype WHEN 'f' THEN o.conparentid = k.oid
                    ELSE o.contype = 'c' AND o.conname = k.conname END)
  UNION ALL
  SELECT t.place, 'constraint not valid', t.oid, coalesce(p.conname, k.conname)::text, NULL, ''
  FROM tree t JOIN keys k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'n')
  LEFT JOIN pg_constraint p ON p.oid = k.conparentid
  WHERE NOT k.convalidated AND to_jsonb(k)->>'conenforced' IS DISTINCT FROM 'false'
    AND (t.parent IS NULL OR k.coninhcount > 0 OR k.conparentid <> 0)
  UNION ALL
  SELECT t.place, 'trigger', t.oid, p.tgname::text, t.parent, p.tgenabled::text || coalesce(o.tgenabled::text, '')
  FROM tree t JOIN pg_trigger p ON p.tgrelid = t.parent AND NOT p.tgisinternal AND p.tgtype & 1 = 1
  LEFT JOIN pg_trigger o ON o.tgrelid = t.oid AND o.tgparentid = p.oid WHERE o.tgenabled IS DISTINCT FROM p.tgenabled
  UNION ALL
  SELECT t.place, 'not null', t.oid, p.attname::text, t.parent, ''
  FROM tree t JOIN pg_attribute p ON p.attrelid = t.parent AND p.attnum > 0 AND p.attnotnull
  JOIN pg_attribute o ON o.attrelid = t.oid AND o.attname = p.attname WHERE NOT o.attnotnull
  UNION ALL
  SELECT t.place, CASE p.attgenerated WHEN '' THEN 'default' ELSE 'generated' END, t.oid, p.attname::text, t.parent,
         coalesce(pg_get_expr(pd.adbin, pd.adrelid), '')
  FROM tree t JOIN pg_attribute p ON p.attrelid = t.parent AND p.attnum > 0 AND NOT p.attisdropped
  JOIN pg_attribute o ON o.attrelid = t.oid AND o.attname = p.attname AND (p.atthasdef OR o.atthasdef)
  LEFT JOIN pg_attrdef pd ON pd.adrelid = p.attrelid AND pd.adnum = p.attnum
  LEFT JOIN pg_attrdef od ON od.adrelid = o.attrelid AND od.adnum = o.attnum
  WHERE CASE WHEN pd.adbin::text IS NOT DISTINCT FROM od.adbin::text THEN false
        ELSE pg_get_expr(pd.adbin, pd.adrelid) IS DISTINCT FROM pg_get_expr(od.adbin, od.adrelid) END
)
SELECT f.place, f.kind, n.nspname, c.relname, f.object, pn.nspname, p.relname, f.detail
FROM found f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class p ON p.oid = f.parent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
ORDER BY f.place, f.kind, f.object, n.nspname, c.relname
"""


def read(connection: Connection, sets: Sequence[QualifiedName]) -> list[tuple[Drift, ...]]:
    """Return what is otherwise, set by set in their order, sub-partitions included."""
    found: list[list[Drift]] = [[] for _ in sets]
    names = {"sets": [name.sql for name in sets]}
    for place, kind, schema, table, object_, parent_schema, parent, detail in rows(connection, _DRIFT, names):
        above = QualifiedName(parent_schema, parent) if parent else None
        found[place - 1].append(Drift(kind, QualifiedName(schema, table), object_, above, detail))
    return [tuple(drifts) for drifts in found]
