"""Why a table cannot be recreated: what depends on it, what it is, which privileges the current role lacks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog.privileges import OWNER, Right
from schema_kit.catalog.rights import missing_for_partitions, missing_of, of_record
from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName

_OBSTACLES = """
WITH own AS (SELECT c.oid, c.reltype, t.typarray FROM pg_class c LEFT JOIN pg_type t ON t.oid = c.reltype
             WHERE c.oid = %(oid)s)
SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d, own o
WHERE ((d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid)
    OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (o.reltype, o.typarray))
    OR (d.refclassid = 'pg_constraint'::regclass AND d.refobjid IN (SELECT oid FROM pg_constraint WHERE conrelid = o.oid
                                                                    AND contype IN ('p', 'u'))))
  AND d.deptype NOT IN ('P', 'S') AND d.classid <> 'pg_publication_rel'::regclass
  AND NOT (d.classid = 'pg_class'::regclass AND d.objid = o.oid)
  AND NOT (d.classid = 'pg_type'::regclass AND d.objid IN (o.reltype, o.typarray))
  AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
    SELECT 1 FROM pg_class c WHERE c.oid = d.objid AND (c.relkind IN ('i', 'I', 'S', 't') OR c.relispartition)))
  AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
    SELECT 1 FROM pg_constraint k WHERE k.oid = d.objid AND (k.conrelid = o.oid OR k.contype = 'f')))
  AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
    SELECT 1 FROM pg_attrdef f WHERE f.oid = d.objid AND f.adrelid = o.oid))
  AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (
    SELECT 1 FROM pg_trigger t WHERE t.oid = d.objid AND (t.tgrelid = o.oid OR t.tgisinternal)))
  AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
    SELECT 1 FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = o.oid))
  AND NOT (d.classid = 'pg_statistic_ext'::regclass AND EXISTS (
    SELECT 1 FROM pg_statistic_ext s WHERE s.oid = d.objid AND s.stxrelid = o.oid))
  AND NOT (d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND EXISTS (
    SELECT 1 FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class WHERE r.oid = d.objid AND v.relkind = 'v'))
UNION ALL
SELECT format('NOT NULL constraint %%I is not validated; op.validate_constraint checks it', k.conname)
FROM pg_constraint k JOIN own o ON o.oid = k.conrelid WHERE k.contype = 'n' AND NOT k.convalidated
UNION ALL
SELECT 'it belongs to ' || pg_describe_object(refclassid, refobjid, 0) FROM pg_depend, own o
WHERE classid = 'pg_class'::regclass AND objid = o.oid AND deptype = 'e'
UNION ALL
SELECT 'it inherits from ' || pg_describe_object('pg_class'::regclass, h.inhparent, 0)
FROM pg_inherits h JOIN own o ON o.oid = h.inhrelid JOIN pg_class c ON c.oid = o.oid WHERE NOT c.relispartition
UNION ALL
SELECT DISTINCT format('%%1$I granted rights on it or on a sequence of it, and %%2$I cannot act for %%1$I (GRANT %%1$I '
                       'TO %%2$I), or that lacks USAGE on the schema (GRANT USAGE ON SCHEMA %%3$s TO %%1$I); the owner '
                       'may grant them itself', r.rolname, session_user, c.relnamespace::regnamespace)
FROM own o JOIN pg_class c ON c.oid = o.oid OR c.relkind = 'S' AND EXISTS (
  SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid = o.oid
  AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
LATERAL (SELECT relacl UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = o.oid) g (acl), aclexplode(g.acl) a
JOIN pg_roles r ON r.oid = a.grantor
WHERE a.grantor <> c.relowner AND NOT (pg_has_role(session_user, r.oid,
  CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
  AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE'))
"""

_UNCONVERTIBLE = """
WITH own AS (
  SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind = 'r'
)
SELECT format('%%s speaks of the table itself, and would go on speaking of what becomes a partition of it', w.what)
FROM own o JOIN LATERAL (
  SELECT format('policy %%I', p.polname),
         concat_ws(' ', pg_get_expr(p.polqual, o.oid), pg_get_expr(p.polwithcheck, o.oid)),
         concat(p.polqual::text, p.polwithcheck::text) FROM pg_policy p WHERE p.polrelid = o.oid
  UNION ALL SELECT format('check %%I', k.conname), pg_get_expr(k.conbin, o.oid), '' FROM pg_constraint k
  WHERE k.conrelid = o.oid AND k.contype = 'c'
  UNION ALL SELECT format('the default of column %%I', a.attname), pg_get_expr(d.adbin, o.oid), '' FROM pg_attrdef d
  JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.adnum WHERE d.adrelid = o.oid
) w (what, printed, tree)
  ON position(quote_literal(o.oid::regclass::text) || '::regclass' IN w.printed) > 0
  OR w.tree ~ (':relid ' || o.oid || ' ')
UNION ALL SELECT format('it is stored by %%I, and what is built would be by %%I (default_table_access_method)',
                        m.amname, current_setting('default_table_access_method'))
FROM own o JOIN pg_am m ON m.oid = o.relam WHERE m.amname <> current_setting('default_table_access_method')
UNION ALL SELECT format('%%s %%I is NO INHERIT, and partitions inherit', CASE k.contype WHEN 'c' THEN 'check'
              ELSE 'NOT NULL' END, k.conname)
FROM own o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype IN ('c', 'n') AND k.connoinherit
UNION ALL SELECT format('%%I is a key WITHOUT OVERLAPS or with a PERIOD, which no partitioned table is given',
                        k.conname)
FROM own o JOIN pg_constraint k ON o.oid IN (k.conrelid, k.confrelid) AND (to_jsonb(k)->>'conperiod')::boolean
UNION ALL SELECT format('triggers of %%s are disabled, and would be enabled afterwards', coalesce(
                        'foreign key ' || quote_ident(k.conname), 'a constraint'))
FROM own o JOIN pg_trigger t ON t.tgrelid = o.oid AND t.tgisinternal AND t.tgenabled <> 'O'
LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint
UNION ALL SELECT format('%%s has a security label of %%s, which what is made in its place would not have',
                        pg_describe_object(l.classoid, l.objoid, l.objsubid), l.provider)
FROM own o JOIN pg_seclabel l ON l.classoid = 'pg_class'::regclass AND l.objoid = o.oid
UNION ALL SELECT format('index %%I DEPENDS ON EXTENSION %%I', i.relname, e.extname)
FROM own o JOIN pg_index x ON x.indrelid = o.oid JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.oid AND d.deptype = 'x'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
UNION ALL SELECT format('trigger %%I DEPENDS ON EXTENSION %%I', t.tgname, e.extname)
FROM own o JOIN pg_trigger t ON t.tgrelid = o.oid
JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND d.deptype = 'x'
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
UNION ALL SELECT format('identity sequence %%s belongs to extension %%I', s.objid::regclass, e.extname)
FROM own o JOIN pg_depend s ON s.refclassid = 'pg_class'::regclass AND s.refobjid = o.oid AND s.deptype = 'i'
  AND s.classid = 'pg_class'::regclass
JOIN pg_depend d ON d.classid = s.classid AND d.objid = s.objid AND d.refclassid = 'pg_extension'::regclass
JOIN pg_extension e ON e.oid = d.refobjid
UNION ALL SELECT format('%%1$I lacks CREATE on schema %%2$I, where statistics %%3$I of it are (GRANT CREATE ON SCHEMA '
                        '%%2$I TO %%1$I)', current_user, n.nspname, s.stxname)
FROM own o JOIN pg_statistic_ext s ON s.stxrelid = o.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE NOT has_schema_privilege(n.oid, 'CREATE')
UNION ALL SELECT format('primary key %%I is DEFERRABLE or INCLUDEs columns, which the longer one would not', k.conname)
FROM own o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'p' JOIN pg_index x ON x.indexrelid = k.conindid
WHERE k.condeferrable OR x.indnatts > x.indnkeyatts
"""

# Views on it, and the tables that refer to it, are changed with it.
_CHANGED = """
SELECT vn.nspname, v.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %(schema)s AND c.relname = %(name)s
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
JOIN pg_namespace vn ON vn.oid = v.relnamespace
UNION SELECT rn.nspname, r.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %(schema)s AND c.relname = %(name)s
JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = c.oid JOIN pg_class r ON r.oid = k.conrelid
JOIN pg_namespace rn ON rn.oid = r.relnamespace ORDER BY 1, 2
"""

_FIRED_BY_UPDATE = """
SELECT t.tgname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = %(column)s
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
  AND t.tgtype & 16 = 16 AND (t.tgtype & 1 = 1 OR t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL)
  AND (cardinality(t.tgattr::int2[]) = 0 OR a.attnum = ANY (t.tgattr::int2[]))
  AND NOT (p.proname = t.tgname AND p.prosecdef AND 'row_security=off' = ANY (p.proconfig)) ORDER BY t.tgname
"""
"""Not those that a conversion made: they fill a key column, and do no more."""


def read(connection: Connection, table: Any) -> tuple[str, ...]:
    """What depends on the table and cannot move with it, and what no partitioned table is. Call it while observing."""
    return (*(row[0] for row in rows(connection, _OBSTACLES, {"oid": table["oid"]})), *_unlike_others(table))


def _unlike_others(table: Any) -> list[str]:
    found = []
    if table["relpersistence"] != "p":
        found.append("it is unlogged or temporary")
    if table["reloftype"]:
        found.append("it is a table of a type (CREATE TABLE ... OF)")
    return found


def unconvertible(connection: Connection, name: QualifiedName, config: QualifiedName) -> tuple[str, ...]:
    """Return what a plain table has and a partitioned one cannot, and the privileges that the current role lacks."""
    values = {"schema": name.schema, "name": name.name}
    unfit = [row[0] for row in rows(connection, _UNCONVERTIBLE, values)]
    changed = [Right(QualifiedName(*row), OWNER) for row in rows(connection, _CHANGED, values)]
    records = of_record(connection, config, rights=("SELECT", "INSERT", "UPDATE"))
    lacks = missing_of(connection, (*changed, *records))
    return tuple(dict.fromkeys((*unfit, *missing_for_partitions(connection, name), *lacks)))


def fired_by_update(connection: Connection, name: QualifiedName, column: str) -> tuple[str, ...]:
    """Return the triggers of users that an update of that column fires for its rows."""
    values = {"schema": name.schema, "name": name.name, "column": column}
    return tuple(row[0] for row in rows(connection, _FIRED_BY_UPDATE, values))
