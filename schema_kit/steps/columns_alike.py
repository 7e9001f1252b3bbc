"""What ALTER COLUMN sets, and what is said of columns, as another table has them by the time of a swap."""

from __future__ import annotations

from collections.abc import Iterable

from schema_kit.names import QualifiedName, literal, sending_sql

_DIFFERING = """, columns AS (
  SELECT p.own, m.attname AS name, CASE WHEN m.attgenerated = '' THEN pg_get_expr(d.adbin, m.attrelid) END AS def,
         CASE WHEN o.attgenerated = '' THEN pg_get_expr(e.adbin, o.attrelid) END AS own_def,
         coalesce(m.attstattarget, -1) AS target, coalesce(o.attstattarget, -1) AS own_target,
         m.attstorage AS storage, o.attstorage AS own_storage,
         m.attcompression AS compression, o.attcompression AS own_compression,
         m.attoptions AS options, o.attoptions AS own_options,
         col_description(m.attrelid, m.attnum) AS comment, col_description(o.attrelid, o.attnum) AS own_comment
  FROM pairs p JOIN pg_attribute m ON m.attrelid = p.model AND m.attnum > 0 AND NOT m.attisdropped
  JOIN pg_attribute o ON o.attrelid = p.own AND o.attname = m.attname
  LEFT JOIN pg_attrdef d ON d.adrelid = m.attrelid AND d.adnum = m.attnum
  LEFT JOIN pg_attrdef e ON e.adrelid = o.attrelid AND e.adnum = o.attnum
)
SELECT format('ALTER TABLE %s ALTER COLUMN %I %s', own, name, action) FROM columns, LATERAL (
  SELECT coalesce('SET DEFAULT ' || def, 'DROP DEFAULT') WHERE def IS DISTINCT FROM own_def
  UNION ALL SELECT 'SET STATISTICS ' || target WHERE target <> own_target
  UNION ALL SELECT 'SET STORAGE ' || CASE storage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                                                  ELSE 'EXTENDED' END WHERE storage <> own_storage
  UNION ALL SELECT 'SET COMPRESSION ' || CASE compression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' ELSE 'default' END
  WHERE compression <> own_compression
  UNION ALL SELECT coalesce('SET (' || option_name || ' = ' || m.option_value || ')', 'RESET (' || option_name || ')')
  FROM pg_options_to_table(options) m FULL JOIN pg_options_to_table(own_options) o USING (option_name)
  WHERE option_name IN ('n_distinct', 'n_distinct_inherited') AND m.option_value IS DISTINCT FROM o.option_value
) a (action)
UNION ALL SELECT format('COMMENT ON COLUMN %s.%I IS %L', own, name, comment) FROM columns
WHERE comment IS DISTINCT FROM own_comment"""


def columns_alike_sql(pairs: Iterable[tuple[QualifiedName, QualifiedName]]) -> str:
    """Tables get what others have by now: their defaults, storage, statistics targets, options, comments of columns.

    A table is made like another one hours before it takes its place, and what ALTER COLUMN sets meanwhile is not handed
    on to it.

    Args:
        pairs: each table with the one that it is like.
    """
    values = ", ".join(f"({literal(own.sql)}::regclass, {literal(model.sql)}::regclass)" for own, model in pairs)
    return sending_sql(f"WITH pairs (own, model) AS (VALUES {values}){_DIFFERING}")


def not_null_alike_sql(source: QualifiedName, target: QualifiedName) -> str:
    """A table without rows gets the NOT NULL that another one has of its own; from 18 on under the same name."""
    return sending_sql(f"""
SELECT format('ALTER TABLE %s ', o.attrelid::regclass) || CASE WHEN k.oid IS NULL
  THEN format('ALTER COLUMN %I SET NOT NULL', o.attname)
  ELSE format('ADD CONSTRAINT %I NOT NULL %I', k.conname, o.attname)
       || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END END
FROM pg_attribute s JOIN pg_attribute o ON o.attname = s.attname AND o.attnum > 0 AND NOT o.attnotnull
LEFT JOIN pg_constraint k ON k.conrelid = s.attrelid AND k.contype = 'n' AND k.conkey[1] = s.attnum
WHERE s.attrelid = {literal(source.sql)}::regclass AND s.attnum > 0 AND s.attnotnull AND NOT s.attisdropped
  AND o.attrelid = {literal(target.sql)}::regclass""")


def comments_alike_sql(source: QualifiedName, target: QualifiedName) -> str:
    """What is said of a table's constraints, triggers and policies is said of those of another that are alike.

    Triggers that are its parent's it has lost by then: what was said of them is in what was printed.
    """
    was, own = f"{literal(source.sql)}::regclass", f"{literal(target.sql)}::regclass"
    said = "SELECT format('COMMENT ON {0} %I ON %s IS %L', o.{1}, {2}, d.{3})"
    return sending_sql(f"""
{said.format("CONSTRAINT", "conname", own, "description")} FROM pg_constraint s JOIN pg_constraint o
  ON o.contype = s.contype AND pg_get_constraintdef(o.oid) = pg_get_constraintdef(s.oid)
JOIN pg_description d ON d.classoid = 'pg_constraint'::regclass AND d.objoid = s.oid
WHERE s.conrelid = {was} AND o.conrelid = {own}
UNION ALL {said.format("POLICY", "polname", own, "description")} FROM pg_policy s JOIN pg_policy o USING (polname)
JOIN pg_description d ON d.classoid = 'pg_policy'::regclass AND d.objoid = s.oid
WHERE s.polrelid = {was} AND o.polrelid = {own}
UNION ALL {said.format("TRIGGER", "tgname", own, "value")} FROM pg_trigger o
JOIN jsonb_each_text(current_setting('schema_kit.printed', true)::jsonb) d
  ON d.key = format('trigger %I, comment', o.tgname) WHERE o.tgrelid = {own}""")
