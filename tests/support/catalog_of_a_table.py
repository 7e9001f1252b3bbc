"""What PostgreSQL's catalogs say of a table and of all that references it, to compare a before with an after.

Each row of the catalogs is taken whole, so that a column which a later PostgreSQL adds is compared, too; only what
names a file, an oid or a statistic is left out, and what is a tree is printed.
"""

from __future__ import annotations

from typing import Any

import psycopg

Facts = dict[tuple[str, str, str], Any]

# Numbers of objects and files, what VACUUM and ANALYZE note, and what is printed below.
_PHYSICAL = """
oid reltype relfilenode relpages reltuples relallvisible relallfrozen relfrozenxid relminmxid relhasindex reltoastrelid
relhassubclass relpartbound relkind relrewrite relnatts relispopulated reloftype relchecks relnamespace relname relowner
reltablespace relam relacl attrelid attnum atttypid atttypmod attcollation attndims attlen attbyval attalign attcacheoff
attmissingval attoptions attname attacl attinhcount attislocal indexrelid indrelid indkey indcollation indclass
indoption indexprs indpred indnatts indnkeyatts indcheckxmin conrelid contypid conindid conparentid confrelid conkey
confkey conpfeqop conppeqop conffeqop confdelsetcols conexclop conbin conname connamespace coninhcount conislocal
tgrelid tgfoid tgparentid tgconstrrelid tgconstrindid tgconstraint tgattr tgargs tgqual tgname polrelid polroles polqual
polwithcheck polname stxrelid stxkeys stxkind stxexprs stxname stxowner stxnamespace seqrelid seqtypid
"""

_FACTS = """
WITH t AS (SELECT %(table)s::regclass::oid AS oid),
r AS (
  SELECT oid, 'table' AS kind, 'table' AS name FROM t
  UNION ALL SELECT indexrelid, 'index', i.relname FROM t JOIN pg_index ON indrelid = t.oid
    JOIN pg_class i ON i.oid = indexrelid
  UNION ALL SELECT s.oid, 'sequence', s.relname FROM t JOIN pg_depend d ON d.refobjid = t.oid AND deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  UNION SELECT v.oid, 'view', v.relname FROM t JOIN pg_depend d ON d.refobjid = t.oid
    AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class
    AND v.relkind = 'v'
), found (class, oid, part, kind, name, row, printed) AS (
  SELECT 'pg_class', c.oid, 0, r.kind, r.name, to_jsonb(c), jsonb_build_object(
    'owner', relowner::regrole, 'space', reltablespace, 'access', CASE WHEN r.kind <> 'index' THEN (
      SELECT jsonb_agg(a::text ORDER BY a::text) FROM unnest(coalesce(relacl, acldefault(
        CASE r.kind WHEN 'sequence' THEN 's' ELSE 'r' END::"char", relowner))) a) END,
    'method', (SELECT amname FROM pg_am WHERE pg_am.oid = relam), 'schema', relnamespace::regnamespace,
    'view', CASE WHEN r.kind = 'view' THEN pg_get_viewdef(c.oid) END, 'toast', (SELECT o.reloptions FROM pg_class o
      WHERE o.oid = c.reltoastrelid))
  FROM r JOIN pg_class c ON c.oid = r.oid
  UNION ALL SELECT 'pg_class', r.oid, attnum, CASE r.kind WHEN 'table' THEN 'column' ELSE r.kind || ' column' END,
    CASE r.kind WHEN 'table' THEN attname WHEN 'index' THEN r.name || '.' || attnum ELSE r.name || '.' || attname END,
    to_jsonb(a), jsonb_build_object(
    'type', format_type(atttypid, atttypmod), 'default', pg_get_expr(adbin, adrelid), 'collation',
    attcollation::regcollation, 'access', (SELECT jsonb_agg(a::text ORDER BY a::text) FROM unnest(attacl) a), 'options',
    (SELECT jsonb_agg(o ORDER BY o) FROM unnest(attoptions) o WHERE o NOT LIKE 'pg_attver%%'), 'place', CASE r.kind
      WHEN 'table' THEN (SELECT count(*) FROM pg_attribute b WHERE b.attrelid = r.oid AND b.attnum > 0
                         AND b.attnum <= a.attnum AND NOT b.attisdropped) END)
  FROM r JOIN pg_attribute a ON attrelid = r.oid AND attnum > 0 AND NOT attisdropped AND r.kind <> 'sequence'
  LEFT JOIN pg_attrdef ON adrelid = r.oid AND adnum = attnum
  UNION ALL SELECT 'pg_class', r.oid, 0, 'index', r.name, to_jsonb(x), jsonb_build_object('definition',
    regexp_replace(pg_get_indexdef(r.oid), ' ON (ONLY )?\\S+ ', ' ON '))
  FROM r JOIN pg_index x ON indexrelid = r.oid
  UNION ALL SELECT 'pg_constraint', k.oid, 0, 'constraint', conname,
    to_jsonb(k) - CASE contype WHEN 'f' THEN 'connoinherit' ELSE '' END, jsonb_build_object('definition',
    pg_get_constraintdef(k.oid))
  FROM t JOIN pg_constraint k ON conrelid = t.oid AND contype <> 't'
  UNION ALL SELECT 'pg_trigger', g.oid, 0, 'trigger', tgname, to_jsonb(g), jsonb_build_object('definition',
    pg_get_triggerdef(g.oid)) FROM t JOIN pg_trigger g ON tgrelid = t.oid AND NOT tgisinternal
  UNION ALL SELECT 'pg_policy', p.oid, 0, 'policy', polname, to_jsonb(p), jsonb_build_object('roles',
    (SELECT jsonb_agg(o::regrole::text ORDER BY o) FROM unnest(polroles) o), 'using', pg_get_expr(polqual, polrelid),
    'check', pg_get_expr(polwithcheck, polrelid)) FROM t JOIN pg_policy p ON polrelid = t.oid
  UNION ALL SELECT 'pg_statistic_ext', e.oid, 0, 'statistics', stxnamespace::regnamespace || '.' || stxname,
    to_jsonb(e), jsonb_build_object('owner', stxowner::regrole, 'definition', pg_get_statisticsobjdef(e.oid))
  FROM t JOIN pg_statistic_ext e ON stxrelid = t.oid
  UNION ALL SELECT 'pg_class', r.oid, 0, 'sequence', r.name, to_jsonb(q), jsonb_build_object('type', seqtypid::regtype,
    'owned', (SELECT jsonb_agg(pg_describe_object(refclassid, refobjid, refobjsubid)) FROM pg_depend d
              WHERE d.objid = r.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
  FROM r JOIN pg_sequence q ON seqrelid = r.oid
)
SELECT f.kind, f.name, e.key, e.value #>> '{}' FROM found f,
LATERAL (SELECT * FROM jsonb_each(f.row - regexp_split_to_array(%(physical)s, '\\s+'))
         UNION ALL SELECT * FROM jsonb_each(f.printed)
         UNION ALL SELECT 'comment', to_jsonb(description) FROM pg_description d
         WHERE d.classoid = f.class::regclass AND d.objoid = f.oid AND d.objsubid = f.part) e
WHERE e.value <> 'null'
"""


def catalog_of(url: str, table: str = "g.t") -> Facts:
    """Kind, name and property of each thing, and its value; what is null has no row."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = ''")
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(_FACTS.encode(), {"table": table, "physical": _PHYSICAL}).fetchall()
    return {(kind, name, key): value for kind, name, key, value in found}


def changes(before: Facts, after: Facts) -> dict[tuple[str, str, str], tuple[Any, Any]]:
    """What differs: the value before, and the value after."""
    keys = before.keys() | after.keys()
    return {key: (before.get(key), after.get(key)) for key in sorted(keys) if before.get(key) != after.get(key)}
