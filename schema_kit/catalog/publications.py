"""Read the publications that hold a table, and its replica identity."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.model import Publication, Publishing
from schema_kit.names import QualifiedName

# Those of schemas are found by what they depend on: their catalog exists from 15 on, and what is of 15 in the others
# is asked for by name.
_PUBLICATIONS = """
SELECT p.pubname, r.oid IS NOT NULL, CASE WHEN p.puballtables THEN 'all tables' ELSE coalesce((
         SELECT format('all of schema %%I', n.nspname) FROM pg_depend s JOIN pg_depend u
           ON u.classid = s.classid AND u.objid = s.objid AND u.refclassid = 'pg_publication'::regclass
         WHERE s.classid = to_regclass('pg_catalog.pg_publication_namespace')
           AND s.refclassid = 'pg_namespace'::regclass AND s.refobjid = n.oid AND u.refobjid = p.oid), '') END AS wide,
       p.pubviaroot, array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END,
         CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
         CASE WHEN p.pubtruncate THEN 'truncate' END], NULL),
       CASE WHEN pg_has_role(p.pubowner, 'USAGE') THEN '' ELSE
         format('belongs to %%1$I, whose rights %%2$I lacks (GRANT %%1$I TO %%2$I)', pg_get_userbyid(p.pubowner),
                current_user) END,
       ARRAY(SELECT a.attname::text FROM jsonb_array_elements_text(
               coalesce(nullif(to_jsonb(r)->'prattrs', 'null'), '[]')) k (attnum)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum::int ORDER BY a.attnum),
       CASE WHEN r.oid IS NOT NULL THEN (
         SELECT to_jsonb(t)->>'rowfilter' FROM pg_publication_tables t
         WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN pg_publication p
LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid WHERE c.oid = %(oid)s ORDER BY p.pubname
"""

_IDENTITY = """
SELECT CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN (
  SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident
) END FROM pg_class c WHERE c.oid = %(oid)s
"""


# Published under its own name is what the view lists: with publish_via_partition_root the root is listed instead.
_LISTED = """
SELECT l.pubname, n.nspname, c.relname, bool_or(l.named) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN (SELECT t.pubname, t.schemaname, t.tablename, false AS named FROM pg_publication_tables t UNION ALL
      SELECT p.pubname, rn.nspname, rc.relname, true FROM pg_publication_rel r
      JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class rc ON rc.oid = r.prrelid
      JOIN pg_namespace rn ON rn.oid = rc.relnamespace) l
  ON l.schemaname = n.nspname AND l.tablename = c.relname
WHERE c.oid IN (SELECT relid FROM pg_partition_tree(%(oid)s::oid::regclass) WHERE level > 0)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


_ONE = """
SELECT p.pubviaroot, CASE WHEN pg_has_role(p.pubowner, 'USAGE') THEN '' ELSE
         format('it belongs to %%1$I, whose rights %%2$I lacks (GRANT %%1$I TO %%2$I)', pg_get_userbyid(p.pubowner),
                current_user) END,
       ARRAY(SELECT DISTINCT ARRAY[rn.nspname::text, r.relname::text] FROM pg_publication_tables t
             JOIN pg_namespace n ON n.nspname = t.schemaname
             JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
               AND (c.relispartition OR c.relkind = 'p')
             JOIN pg_class r ON r.oid = pg_partition_root(c.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
             WHERE t.pubname = p.pubname ORDER BY 1),
       ARRAY(SELECT s.slot_name::text FROM pg_replication_slots s
             WHERE s.slot_type = 'logical' AND s.database = current_database() AND NOT s.temporary ORDER BY 1)
FROM pg_publication p WHERE p.pubname = %(name)s
"""


def read(connection: Connection, oid: int) -> tuple[tuple[Publication, ...], bool]:
    """Return those that list the table, or all tables, or all of its schema; and whether any exists at all."""
    found = rows(connection, _PUBLICATIONS, {"oid": oid})
    return tuple(
        Publication(name, named, wide, via_root, tuple(publishes), closed, tuple(columns), where or "")
        for name, named, wide, via_root, publishes, closed, columns, where in found
        if named or wide
    ), bool(found)


def by_itself(connection: Connection, name: str) -> Publishing | None:
    """Return a publication; None where there is none of the name. Call it while observing."""
    for via_root, closed, partitioned, slots in rows(connection, _ONE, {"name": name}):
        return Publishing(via_root, closed, tuple(QualifiedName(*one) for one in partitioned), tuple(slots))
    return None


def listed(connection: Connection, parent: QualifiedName) -> tuple[tuple[str, QualifiedName, bool], ...]:
    """Publications that hold partitions under their own names, each with one, and whether it lists that by name."""
    oid = rows(connection, "SELECT to_regclass(%(name)s)::oid", {"name": parent.sql})[0][0]
    found = rows(connection, _LISTED, {"oid": oid})
    return tuple((publication, QualifiedName(schema, name), named) for publication, schema, name, named in found)


def replica_identity(connection: Connection, oid: int) -> str:
    """FULL, NOTHING, or the name of its index; empty where it is the default. Call it while observing."""
    found = rows(connection, _IDENTITY, {"oid": oid})  # nothing of a table that was dropped meanwhile
    return found[0][0] or "" if found else ""
