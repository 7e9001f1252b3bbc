"""How much room tables and B-trees take on disk, and how much they need at most, by the widths of their columns."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.health import bloat
from schema_kit.health.facts import Bloat
from schema_kit.names import QualifiedName

# How wide a row is at most, by the statistics: each column with all the padding that its alignment can need. What lies
# in TOAST counts as a pointer. Equal keys of a B-tree share a tuple, so it is smaller than this as a rule. Nothing is
# said of what has a column without statistics. Pages and rows are of one VACUUM or ANALYZE, so they fit one another.
READ = """
WITH big AS (
  SELECT c.oid, c.oid AS table_oid, c.relname, c.relpages, c.reltuples, c.reloptions, 100 AS fill, false AS tree
  FROM pg_class c WHERE c.relkind = 'r'
  UNION ALL SELECT c.oid, x.indrelid, c.relname, c.relpages, c.reltuples, c.reloptions, 90, true
  FROM pg_class c JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree' JOIN pg_index x ON x.indexrelid = c.oid
  WHERE c.relkind = 'i' AND x.indisvalid
), sized AS (
  SELECT b.*, current_setting('block_size')::float8 AS page, coalesce((
    SELECT o.option_value::float8 FROM pg_options_to_table(b.reloptions) o WHERE o.option_name = 'fillfactor'), fill)
    / 100 AS filled
  FROM big b WHERE b.reltuples >= 0 AND b.relpages * current_setting('block_size')::float8 >= %(least)s
), wide AS (
  SELECT s.oid, count(*) AS columns, count(w.width) AS known,
         sum((w.width + CASE a.attalign WHEN 'd' THEN 7 WHEN 'i' THEN 3 WHEN 's' THEN 1 ELSE 0 END) * (1 - w.nulls))
         AS width, bool_or(w.nulls > 0) AS nulls
  FROM sized s JOIN pg_class t ON t.oid = s.table_oid JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_index x ON x.indexrelid = s.oid
  LEFT JOIN pg_attribute k ON k.attrelid = s.table_oid AND k.attnum = nullif(
    CASE WHEN s.tree THEN (x.indkey::int2[])[a.attnum - 1] ELSE a.attnum END, 0)
  LEFT JOIN LATERAL (
    SELECT p.avg_width AS width, p.null_frac AS nulls FROM pg_stats p WHERE p.schemaname = n.nspname AND NOT p.inherited
      AND p.tablename = CASE WHEN k.attname IS NULL THEN s.relname ELSE t.relname END
      AND p.attname = coalesce(k.attname, a.attname)) w ON true
  GROUP BY s.oid
), needed AS (
  SELECT s.*, CASE WHEN s.tree
    THEN 1.1 * ceil(s.reltuples * (12 + 8 * w.nulls::int + w.width + 7) / ((s.page - 40) * s.filled)) + 2
    ELSE ceil(s.reltuples / greatest(1, floor((s.page - 24) * s.filled / (
         4 + 24 + 8 * ceil(w.nulls::int * w.columns / 64.0) + w.width + 7)))) + 1 END AS pages
  FROM sized s JOIN wide w ON w.oid = s.oid WHERE w.known = w.columns
)
SELECT r.table_oid::bigint, CASE WHEN r.tree THEN r.relname END, (r.relpages * r.page)::bigint,
       (r.pages * r.page)::bigint
FROM needed r WHERE (r.relpages - r.pages) * r.page >= %(least)s AND r.pages < %(share)s * r.relpages
ORDER BY r.relname
"""


def read(connection: Connection, names: dict[int, QualifiedName]) -> list[Bloat]:
    """Return what takes more than it needs, of the tables of those oids. Call it while observing."""
    found = rows(connection, READ, {"least": bloat.WORTH_BYTES, "share": bloat.SHARE})
    return [
        Bloat(names[oid], names[oid].sibling(index) if index else None, taken, needed)
        for oid, index, taken, needed in found
        if oid in names
    ]
