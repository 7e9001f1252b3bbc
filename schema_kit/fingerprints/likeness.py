"""What takes the place of a table is compared with it: what the steps do not know of is not dropped without a word.

PostgreSQL prints all of the table under the locks of the commit that replaces it, and all of what has its name by then
as the last thing before that commit; where something is missing or otherwise that the step does not mean to change,
nothing of it is committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from schema_kit.fingerprints.stamps import CHANGED, OVERTAKEN
from schema_kit.model import ForeignKey, Table
from schema_kit.names import QualifiedName, asking_sql, literal

# A row is an object, a property of it, and its text; what is not there has no row. The table's own name is left out of
# the texts, so that those of two tables can be compared. A privilege without a GRANT is printed as its default.
# Of foreign keys, those that PostgreSQL keeps for each partition at the other end are left out.
PROPERTIES = """
WITH own AS (
  SELECT c.*, n.nspname, format('%%I.%%I', n.nspname, c.relname) AS shown
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
), own_constraint AS (
  SELECT k.* FROM pg_constraint k WHERE k.contype <> 'f' OR k.conparentid = 0
), relation AS (
  SELECT oid, 'table' AS object, 'r'::"char" AS kind FROM own
  UNION ALL SELECT x.indexrelid, format('index %%I', i.relname), NULL FROM own o JOIN pg_index x ON x.indrelid = o.oid
  JOIN pg_class i ON i.oid = x.indexrelid
  UNION ALL SELECT s.oid, format('sequence %%I', s.relname), 's' FROM own o JOIN pg_depend d
    ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid AND d.deptype IN ('a', 'i')
    AND d.classid = 'pg_class'::regclass JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  UNION SELECT v.oid, format('view %%s', v.oid::regclass), 'r' FROM own o JOIN pg_depend d
    ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class AND v.oid <> o.oid
), named AS (
  SELECT 'pg_class'::regclass AS class, oid, 0 AS part, object FROM relation
  UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, format('column %%I', a.attname)
  FROM own o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT 'pg_constraint'::regclass, k.oid, 0, CASE WHEN k.conrelid = o.oid
    THEN format('constraint %%I', k.conname) ELSE format('constraint %%I of %%s', k.conname, k.conrelid::regclass) END
  FROM own o JOIN own_constraint k ON o.oid IN (k.conrelid, k.confrelid)
  UNION ALL SELECT 'pg_trigger'::regclass, t.oid, 0, format('trigger %%I', t.tgname)
  FROM own o JOIN pg_trigger t ON t.tgrelid = o.oid AND NOT t.tgisinternal
  UNION ALL SELECT 'pg_policy'::regclass, p.oid, 0, format('policy %%I', p.polname)
  FROM own o JOIN pg_policy p ON p.polrelid = o.oid
  UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, 0, format('rule %%I', r.rulename)
  FROM own o JOIN pg_rewrite r ON r.ev_class = o.oid
  UNION ALL SELECT 'pg_statistic_ext'::regclass, e.oid, 0, format('statistics %%I.%%I', n.nspname, e.stxname)
  FROM own o JOIN pg_statistic_ext e ON e.stxrelid = o.oid JOIN pg_namespace n ON n.oid = e.stxnamespace
), property (object, property, text) AS (
  SELECT n.object, 'comment', d.description FROM named n
  JOIN pg_description d ON d.classoid = n.class AND d.objoid = n.oid AND d.objsubid = n.part
  UNION ALL SELECT n.object, format('security label of %%s', l.provider), l.label FROM named n
  JOIN pg_seclabel l ON l.classoid = n.class AND l.objoid = n.oid AND l.objsubid = n.part
  UNION ALL SELECT n.object, 'extension', e.extname || CASE d.deptype WHEN 'x' THEN ' (depends on it)' ELSE '' END
  FROM named n JOIN pg_depend d ON d.classid = n.class AND d.objid = n.oid AND d.deptype IN ('e', 'x')
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid WHERE n.part = 0
  UNION ALL SELECT r.object, p.property, p.text FROM relation r JOIN pg_class c ON c.oid = r.oid,
  LATERAL (VALUES ('owner', pg_get_userbyid(c.relowner)::text), ('options', array_to_string(c.reloptions, ', ')),
    ('privileges', (SELECT string_agg(a::text, ', ' ORDER BY a::text)
                    FROM unnest(coalesce(c.relacl, acldefault(r.kind, c.relowner))) a WHERE r.kind IS NOT NULL)),
    ('tablespace', (SELECT spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace)),
    ('method', (SELECT amname::text FROM pg_am m WHERE m.oid = c.relam)),
    ('persistence', nullif(c.relpersistence, 'p')::text)) p (property, text)
  UNION ALL SELECT 'table', p.property, p.text FROM own o LEFT JOIN pg_class t ON t.oid = o.reltoastrelid,
  LATERAL (VALUES ('toast options', array_to_string(t.reloptions, ', ')),
    ('row security', CASE WHEN o.relrowsecurity THEN 'enabled' END),
    ('forced row security', CASE WHEN o.relforcerowsecurity THEN 'forced' END),
    ('replica identity', nullif(o.relreplident, 'd')::text), ('type', nullif(o.reloftype, 0)::regtype::text),
    ('partition key', pg_get_partkeydef(o.oid)), ('bounds', pg_get_expr(o.relpartbound, o.oid)),
    ('parents', (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i
                 WHERE i.inhrelid = o.oid))) p (property, text)
  UNION ALL SELECT n.object, p.property, p.text FROM named n
  JOIN pg_attribute a ON n.class = 'pg_class'::regclass AND a.attrelid = n.oid AND a.attnum = n.part AND n.part > 0
  JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum,
  LATERAL (VALUES ('type', format_type(a.atttypid, a.atttypmod)), ('default', pg_get_expr(d.adbin, d.adrelid)),
    ('not null', CASE WHEN a.attnotnull THEN 'not null' END), ('identity', nullif(a.attidentity, '')::text),
    ('generated', nullif(a.attgenerated, '')::text), ('compression', nullif(a.attcompression, '')::text),
    ('storage', CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END),
    ('statistics target', nullif(a.attstattarget, -1)::text), -- Some servers write options of their own.
    ('options', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%%')),
    ('collation', (SELECT format('%%I.%%I', s.nspname, l.collname) FROM pg_collation l
                   JOIN pg_namespace s ON s.oid = l.collnamespace
                   WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)),
    ('privileges', (SELECT string_agg(g::text, ', ' ORDER BY g::text) FROM unnest(a.attacl) g))) p (property, text)
  UNION ALL SELECT n.object, p.property, p.text FROM own o JOIN own_constraint k ON o.oid IN (k.conrelid, k.confrelid)
  JOIN named n ON n.class = 'pg_constraint'::regclass AND n.oid = k.oid,
  LATERAL (VALUES ('definition', replace(pg_get_constraintdef(k.oid), format('REFERENCES %%s(', o.shown),
                                         'REFERENCES (')),
    ('inheritance', CASE WHEN k.connoinherit THEN 'none' END)) p (property, text)
  UNION ALL SELECT n.object, p.property, p.text FROM own o JOIN pg_index x ON x.indrelid = o.oid
  JOIN named n ON n.class = 'pg_class'::regclass AND n.oid = x.indexrelid
  JOIN pg_class i ON i.oid = x.indexrelid,
  LATERAL (VALUES ('definition', regexp_replace(replace(pg_get_indexdef(i.oid), o.shown || ' USING ', ' USING '),
                                                '^(CREATE (?:UNIQUE )?INDEX) .*? ON (?:ONLY )?', '\\1')),
    ('valid', CASE WHEN NOT (x.indisvalid AND x.indisready) THEN 'invalid' END),
    ('clustered', CASE WHEN x.indisclustered THEN 'clustered' END),
    ('replica identity', CASE WHEN x.indisreplident THEN 'replica identity' END),
    ('statistics targets', (SELECT string_agg(a.attnum || ': ' || a.attstattarget, ', ' ORDER BY a.attnum)
                            FROM pg_attribute a WHERE a.attrelid = i.oid AND a.attstattarget >= 0))) p (property, text)
  UNION ALL SELECT n.object, p.property, p.text FROM own o JOIN pg_trigger t ON t.tgrelid = o.oid
  JOIN named n ON n.class = 'pg_trigger'::regclass AND n.oid = t.oid,
  LATERAL (VALUES ('definition', replace(pg_get_triggerdef(t.oid), format(' ON %%s ', o.shown), ' ')),
    ('enabled', nullif(t.tgenabled, 'O')::text)) p (property, text)
  UNION ALL SELECT n.object, p.property, p.text FROM own o JOIN pg_rewrite r ON r.ev_class = o.oid
  JOIN named n ON n.class = 'pg_rewrite'::regclass AND n.oid = r.oid,
  LATERAL (VALUES ('definition', replace(pg_get_ruledef(r.oid), format(' TO %%s', o.shown), '')),
    ('enabled', nullif(r.ev_enabled, 'O')::text)) p (property, text)
  UNION ALL SELECT format('policy %%I', p.polname), 'definition', concat_ws(' ',
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, p.polcmd, (
      SELECT string_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.oid)) END, ', '
                        ORDER BY r.oid) FROM unnest(p.polroles) r (oid)),
    'USING ' || pg_get_expr(p.polqual, p.polrelid), 'WITH CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM own o JOIN pg_policy p ON p.polrelid = o.oid
  UNION ALL SELECT n.object, p.property, p.text FROM own o JOIN pg_statistic_ext e ON e.stxrelid = o.oid
  JOIN named n ON n.class = 'pg_statistic_ext'::regclass AND n.oid = e.oid,
  LATERAL (VALUES ('definition', regexp_replace(replace(pg_get_statisticsobjdef(e.oid), ' FROM ' || o.shown, ''),
                                                '^(CREATE STATISTICS) \\S+', '\\1')),
    ('owner', pg_get_userbyid(e.stxowner)::text), ('target', nullif(e.stxstattarget, -1)::text)) p (property, text)
  UNION ALL SELECT r.object, p.property, p.text FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
    AND d.refclassid = 'pg_class'::regclass
  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid,
  LATERAL (VALUES ('owned by', a.attname::text), ('definition', format('%%s START %%s INCREMENT %%s MINVALUE %%s '
    'MAXVALUE %%s CACHE %%s%%s', q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,
    CASE WHEN q.seqcycle THEN ' CYCLE' END))) p (property, text)
  UNION ALL SELECT r.object, 'definition', pg_get_viewdef(r.oid) FROM relation r JOIN pg_class v ON v.oid = r.oid
  WHERE v.relkind IN ('v', 'm')
  UNION ALL SELECT format('publication %%I', u.pubname), 'membership', concat_ws(' ', to_jsonb(p)->>'attnames',
                                                                                'WHERE ' || (to_jsonb(p)->>'rowfilter'))
  FROM own o JOIN pg_publication_rel r ON r.prrelid = o.oid JOIN pg_publication u ON u.oid = r.prpubid
  LEFT JOIN pg_publication_tables p ON p.pubname = u.pubname AND p.schemaname = o.nspname AND p.tablename = o.relname
)
SELECT object, property, text FROM property WHERE text IS NOT NULL ORDER BY object, property, text
"""


def print_sql(table: Table) -> Iterator[str]:
    """PostgreSQL prints all of a table that was looked at, as it is now, and keeps that until the transaction ends."""
    if not table.stamp:
        return
    body = f"""
  asked := {literal(_asked(table.name))};
  EXECUTE asked INTO printed;
  PERFORM set_config('schema_kit.asked', asked, true), set_config('schema_kit.printed', printed::text, true);
"""
    yield asking_sql(body, "asked text; printed jsonb; ")


def _asked(table: QualifiedName) -> str:
    own = PROPERTIES % {"schema": literal(table.schema), "name": literal(table.name)}
    return f"SELECT coalesce(jsonb_object_agg(p.object || ', ' || p.property, p.text), '{{}}') FROM ({own}) p"


def same_sql(
    table: Table, meant: Iterable[tuple[str, str]], partition: QualifiedName | None = None, what: str = ""
) -> Iterator[str]:
    """Raises where what has the table's name now lacks something of the one before, or has it otherwise.

    Args:
        table: the one before.
        meant: what the step means to change: how object and property begin, %I for the object's name, and that.
        partition: what is looked at instead of what has its name, where it was a partition.
        what: how that is called; what takes its place, where it is left out.
    """
    if not table.stamp:
        return
    changed = " OR ".join(
        f"starts_with(was.key, format({literal(begin)}, {literal(name)}))" for begin, name in dict.fromkeys(meant)
    )
    message = f"{what or f'what takes the place of {table.name}'} would not have "
    asked = literal(_asked(partition)) if partition else "current_setting('schema_kit.asked')"
    unless = f"was.key LIKE ANY (ARRAY[{_ON_PARTITIONS}]) OR " if partition is None else ""
    body = f"""
  EXECUTE {asked} INTO printed;
  SELECT string_agg(format('%s: %s', was.key, left(was.value, 200))
                    || coalesce(' (but ' || left(printed->>was.key, 200) || ')', ''), '; ' ORDER BY was.key) INTO lost
  FROM jsonb_each_text(current_setting('schema_kit.printed')::jsonb) was
  WHERE printed->>was.key IS DISTINCT FROM was.value AND NOT ({unless}{changed});
  IF lost IS NOT NULL THEN
    changed := ({CHANGED});
    IF changed IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = '{OVERTAKEN}', MESSAGE = 'changed by another session meanwhile: ' || changed;
    END IF;
    RAISE feature_not_supported USING MESSAGE = {literal(message)} || lost;
  END IF;
"""
    yield asking_sql(body, "printed jsonb; lost text; changed text; ")


# What partitions have, or what is said in another way, where a table is partitioned.
_ON_PARTITIONS = ", ".join(
    map(literal, ("table, %options", "table, method", "table, partition key", "index %, clustered", "%, inheritance"))
)


def of_incoming(keys: Iterable[ForeignKey]) -> Iterator[tuple[str, str]]:
    """Return foreign keys to the table, which go, or come back longer or not validated."""
    return (("constraint %I of ", key.name) for key in keys)


def of_own(keys: Iterable[ForeignKey]) -> Iterator[tuple[str, str]]:
    """Return foreign keys of the table, which come back not validated, or to its partitions first."""
    return (("constraint %I, ", key.name) for key in keys)


def of_primary(table: Table) -> Iterator[tuple[str, str]]:
    """The primary key, which becomes longer or shorter; and what it makes of the columns that it gains or loses."""
    if table.primary:
        yield "constraint %I, definition", table.primary.name
        yield "index %I, definition", table.primary.name


def of_places(table: Table) -> Iterator[tuple[str, str]]:
    """Where it lies: what has rows of its own stays there."""
    yield "table, tablespace%s", ""
    yield from (("index %I, tablespace", index.name) for index in table.indexes)


def of_partition() -> Iterator[tuple[str, str]]:
    """Yield what a partition has by its place in the parent, or is compared otherwise: its indexes, its constraints."""
    yield from ((f"{begin}%s", "") for begin in ("index ", "constraint ", "statistics ", "trigger ", "view "))
    place = ("bounds", "parents", "options", "tablespace", "replica identity")
    yield from ((f"table, {name}%s", "") for name in place)


def of_archive(table: Table, compressed: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What an archive has in its own way, or not at all: indexes, foreign keys, triggers; checks are held by LIKE."""
    objects = ("index ", "constraint ", "statistics ", "trigger ", "view ", "sequence ", "publication ", "rule ")
    place = ("bounds", "parents", "options", "toast options", "tablespace", "replica identity", "comment", "method")
    yield from ((f"{begin}%s", "") for begin in objects)
    yield from ((f"table, {name}%s", "") for name in (*place, "partition key", "type", "persistence"))
    yield from (("column %I, identity", column.name) for column in table.columns)
    yield from (("column %I, compression", name) for name in compressed)
