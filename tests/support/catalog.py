"""What the catalog says of all that is not PostgreSQL's own."""

from __future__ import annotations

import psycopg

from tests.support.database import Database

CATALOG = """
WITH r AS (
  SELECT c.*, n.nspname || '.' || c.relname AS at FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
)
SELECT 'relation', at, concat_ws(' | ', relpersistence, pg_get_userbyid(relowner), relrowsecurity,
       relforcerowsecurity, relreplident, relispartition, obj_description(r.oid, 'pg_class'),
       (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a),
       CASE WHEN relispartition THEN pg_get_expr(relpartbound, r.oid) END,
       (SELECT string_agg(h.inhparent::regclass::text, ' ') FROM pg_inherits h WHERE h.inhrelid = r.oid))
FROM r
UNION ALL SELECT 'physical', at, concat_ws(' | ', relkind, reloptions::text, relhassubclass AND relkind IN ('p', 'I'))
FROM r
UNION ALL SELECT 'column', at || '.' || attname, concat_ws(' | ', format_type(atttypid, atttypmod), attnotnull,
       attidentity, attgenerated, pg_get_expr(d.adbin, d.adrelid), attacl::text, attstorage,
       attcompression, attcollation::regcollation, col_description(r.oid, a.attnum), attislocal, attinhcount)
FROM r JOIN pg_attribute a ON a.attrelid = r.oid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT attisdropped AND relkind <> 'S'
UNION ALL SELECT 'physical', at || '.' || attname, concat_ws(' | ', attnum, attstattarget)
FROM r JOIN pg_attribute a ON a.attrelid = r.oid WHERE attnum > 0 AND NOT attisdropped AND relkind <> 'S'
UNION ALL SELECT 'index', at, concat_ws(' | ', pg_get_indexdef(r.oid), indisvalid, indisready, indisclustered,
       indisreplident, indisprimary, indimmediate)
FROM r JOIN pg_index x ON x.indexrelid = r.oid
UNION ALL SELECT 'constraint', at || '.' || conname, concat_ws(' | ', pg_get_constraintdef(k.oid), convalidated,
       conislocal, coninhcount, obj_description(k.oid, 'pg_constraint'))
FROM r JOIN pg_constraint k ON k.conrelid = r.oid WHERE contype <> 't'
UNION ALL SELECT 'physical', at || ' constraint ' || conname, connoinherit::text
FROM r JOIN pg_constraint k ON k.conrelid = r.oid WHERE contype <> 't'
UNION ALL SELECT 'trigger', at || '.' || tgname, concat_ws(' | ', pg_get_triggerdef(t.oid), tgenabled,
       tgparentid <> 0, obj_description(t.oid, 'pg_trigger'))
FROM r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT tgisinternal
UNION ALL SELECT 'internal triggers', at, string_agg(tgtype || tgenabled::text, ' ' ORDER BY tgtype, tgenabled)
FROM r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE tgisinternal GROUP BY at
UNION ALL SELECT 'policy', at || '.' || polname, concat_ws(' | ', polcmd, polpermissive, polroles::regrole[]::text,
       pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), obj_description(p.oid, 'pg_policy'))
FROM r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL SELECT 'sequence', at, concat_ws(' | ', s.data_type, start_value, min_value, max_value, increment_by, cycle,
       cache_size, last_value, (SELECT string_agg(d.deptype::text || ' ' || pg_describe_object(d.refclassid, d.refobjid,
       d.refobjsubid), ' ') FROM pg_depend d WHERE d.objid = r.oid AND d.deptype IN ('a', 'i')))
FROM r JOIN pg_sequences s ON s.schemaname || '.' || s.sequencename = at WHERE relkind = 'S'
UNION ALL SELECT 'view', at, pg_get_viewdef(r.oid) FROM r WHERE relkind IN ('v', 'm')
UNION ALL SELECT 'statistics', n.nspname || '.' || stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
UNION ALL SELECT 'function', n.nspname || '.' || proname, concat_ws(' | ', prosrc, prosecdef, proconfig::text,
       pg_get_userbyid(proowner), proacl::text)
FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
  SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL SELECT 'schema', nspname, '' FROM pg_namespace
WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""
Facts = dict[tuple[str, str], str]


def facts(database: Database) -> Facts:
    """All that the catalog says of what is not PostgreSQL's own, but for oids."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET search_path = ''")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET DateStyle = 'ISO, YMD'")
        found = connection.execute(CATALOG.encode()).fetchall()
    assert len({row[:2] for row in found}) == len(found)
    return {(kind, name): detail for kind, name, detail in found}


def without_config(found: Facts) -> Facts:
    """Without part_config, which stays when a table goes back."""
    return {key: detail for key, detail in found.items() if not key[1].startswith("schema_kit")}


def about(found: Facts, table: str, *kinds: str) -> Facts:
    """What is said of one relation."""
    return {
        (kind, name): detail
        for (kind, name), detail in found.items()
        if kind in kinds and (name == table or name.startswith(table + "."))
    }


def changes(before: Facts, after: Facts, *more: str) -> set[tuple[str, str]]:
    """What existed before and is otherwise now; a partitioned index's definition says ONLY."""
    return {
        key
        for key, detail in before.items()
        if (key[0] != "physical" or key[0] in more) and after.get(key, "").replace(" ON ONLY ", " ON ") != detail
    }
