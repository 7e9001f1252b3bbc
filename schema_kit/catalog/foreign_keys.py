"""Foreign keys of and to a table: a query for each question, next to the function that maps its rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.nouns import noun
from schema_kit.catalog.session import printed, rows
from schema_kit.model import ForeignKey
from schema_kit.names import QualifiedName

_FOREIGN_KEY_COLUMNS = f"""
k.conname AS name, tn.nspname, t.relname, rn.nspname AS to_schema, r.relname AS to_table,
       {printed("pg_get_constraintdef", "k.oid")} AS definition, k.confupdtype AS on_update, k.confdeltype AS on_delete,
       k.confmatchtype AS match, k.convalidated AS validated,
       CASE WHEN k.condeferred THEN 'DEFERRABLE INITIALLY DEFERRED' WHEN k.condeferrable THEN 'DEFERRABLE' ELSE '' END
         AS deferred,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (n, p)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.p) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (n, p)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.p) AS referenced_columns,
       ARRAY(SELECT s.nspname::text FROM unnest(k.conpfeqop) WITH ORDINALITY u (o, p)
             JOIN pg_operator e ON e.oid = u.o JOIN pg_namespace s ON s.oid = e.oprnamespace ORDER BY u.p) AS operators,
       ARRAY(SELECT a.attname::text
             FROM jsonb_array_elements_text(coalesce(nullif(to_jsonb(k)->'confdelsetcols', 'null'), '[]')) u (n)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n::int) AS delete_columns,
       coalesce((to_jsonb(k)->>'conperiod')::boolean, false) AS period,
       obj_description(k.oid, 'pg_constraint') AS comment
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
"""

_FOREIGN_KEYS = f"""
SELECT {_FOREIGN_KEY_COLUMNS}
WHERE k.contype = 'f' AND k.conparentid = 0 AND %(oid)s IN (k.conrelid, k.confrelid)
ORDER BY tn.nspname, t.relname, k.conname
"""

_REFERRING = f"""
SELECT {_FOREIGN_KEY_COLUMNS}
WHERE k.contype = 'f' AND (k.confrelid = %(oid)s OR k.confrelid IN (SELECT relid FROM pg_partition_tree(%(oid)s)))
  AND k.conparentid = 0
ORDER BY tn.nspname, t.relname, k.conname
"""

# A key to a partitioned table has a copy to each of its partitions, which goes and is validated with it.
_OWN = """k.contype = 'f' AND k.conrelid = ANY (%(oids)s)
  AND NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)"""

OF_TABLES = f"SELECT k.conrelid, k.conparentid <> 0 AS attached, {_FOREIGN_KEY_COLUMNS} WHERE {_OWN} ORDER BY k.conname"
"""Foreign keys of tables, with the table's oid first and whether each is attached to a key of its parent."""


def read(connection: Connection, oid: int) -> list[ForeignKey]:
    """Return the foreign keys of a table and those to it. Call it while observing."""
    return [foreign_key(row) for row in rows(connection, _FOREIGN_KEYS, {"oid": oid})]


def referring(connection: Connection, oid: int) -> tuple[ForeignKey, ...]:
    """Return the foreign keys to a table or to one of its partitions. Call it while observing."""
    return tuple(map(foreign_key, rows(connection, _REFERRING, {"oid": oid})))


def foreign_key(row: Any) -> ForeignKey:
    """Map a row of `OF_TABLES`, or of the others."""
    table, referenced = QualifiedName(row.nspname, row.relname), QualifiedName(row.to_schema, row.to_table)
    return noun(ForeignKey, row, table=table, referenced=referenced)
