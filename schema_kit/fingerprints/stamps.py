"""Stamps of tables: a decision is never older than its lock, for a step compares what it relies on.

A stamp stands for the versions (xmin) of all rows of PostgreSQL's catalog that belong to a table: whatever DDL changes
makes it another one, whether this package knows the property or not, and no setting of a session changes how it is
printed. So do the names of what it refers to: functions, other tables, roles, whose names are in what is printed of it.
It is asked for again under the lock of the table, with its dependent objects locked too. GRANT (up to 17) and
ALTER STATISTICS wait for no lock: what they change is kept by its value and compared once more before the commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema_kit.model import Table
from schema_kit.model.locks import Seen
from schema_kit.names import QualifiedName, asking_sql, commands, literal

OVERTAKEN = "SK001"
"""The SQLSTATE of a step that finds, under its lock, something else than was last seen: it is decided again."""

_THERE = {"42P06", "42P07", "42701", "42710", "42723"}
_GONE = {"2BP01", "3F000", "42P01", "42703", "42704", "42883"}
OVERTAKEN_STATES = {*_THERE, *_GONE, "42809", "42P17", "55000", "XX000", "40001", OVERTAKEN}
"""What PostgreSQL says when another session was faster: it exists already, it is gone, attached, or it overlaps."""

# The table, its indexes and its TOAST table, the sequences that it owns, the views that read it.
_RELATION = """relation AS (
  SELECT oid FROM own UNION SELECT x.indexrelid FROM own o JOIN pg_index x ON x.indrelid = o.oid
  UNION SELECT c.reltoastrelid FROM own o JOIN pg_class c ON c.oid = o.oid
  UNION SELECT c.oid FROM own o JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid
  LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
  JOIN pg_class c ON c.oid = coalesce(r.ev_class, d.objid) AND c.relkind IN ('v', 'S'))"""

# That a publication holds all of a schema is read from what depends on the schema: its catalog exists from 15 on.
_PUBLISHED = """published AS (
  SELECT d.* FROM own o JOIN pg_class c ON c.oid = o.oid JOIN pg_depend d
    ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = c.relnamespace
    AND d.classid = to_regclass('pg_catalog.pg_publication_namespace')
), publication AS (
  SELECT p.tableoid, p.*, p.xmin FROM pg_publication p WHERE EXISTS (SELECT 1 FROM own o WHERE o.oid IS NOT NULL AND (
    p.puballtables OR EXISTS (SELECT 1 FROM pg_publication_rel u WHERE u.prrelid = o.oid AND u.prpubid = p.oid)
    OR EXISTS (SELECT 1 FROM published s JOIN pg_depend d ON d.classid = s.classid AND d.objid = s.objid
               WHERE d.refclassid = 'pg_publication'::regclass AND d.refobjid = p.oid)))
)"""

_STAMP = f"""{_RELATION}, {_PUBLISHED}, entry (class, oid, part, version) AS (
  SELECT c.tableoid, c.oid, 0, c.xmin FROM relation r JOIN pg_class c ON c.oid = r.oid
  UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, a.xmin FROM relation r JOIN pg_attribute a
    ON a.attrelid = r.oid
  UNION ALL SELECT x.tableoid, x.indexrelid, 0, x.xmin FROM own o JOIN pg_index x ON x.indrelid = o.oid
  UNION ALL SELECT s.tableoid, s.seqrelid, 0, s.xmin FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
  UNION ALL SELECT d.tableoid, d.oid, 0, d.xmin FROM relation r JOIN pg_attrdef d ON d.adrelid = r.oid
  UNION ALL SELECT w.tableoid, w.oid, 0, w.xmin FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
  UNION ALL SELECT k.tableoid, k.oid, 0, k.xmin FROM own o JOIN pg_constraint k ON k.conrelid = o.oid
  UNION ALL SELECT k.tableoid, k.oid, 1, k.xmin FROM own o JOIN pg_constraint k ON k.confrelid = o.oid
  UNION ALL SELECT t.tableoid, t.oid, 0, t.xmin FROM own o JOIN pg_trigger t ON t.tgrelid = o.oid
  UNION ALL SELECT p.tableoid, p.oid, 0, p.xmin FROM own o JOIN pg_policy p ON p.polrelid = o.oid
  UNION ALL SELECT e.tableoid, e.oid, 0, e.xmin FROM own o JOIN pg_statistic_ext e ON e.stxrelid = o.oid
  UNION ALL SELECT i.tableoid, i.inhrelid, 0, i.xmin FROM own o JOIN pg_inherits i ON o.oid IN (i.inhrelid, i.inhparent)
  UNION ALL SELECT u.tableoid, u.oid, 0, u.xmin FROM own o JOIN pg_publication_rel u ON u.prrelid = o.oid
  UNION ALL SELECT p.tableoid, p.oid, 0, p.xmin FROM publication p
  UNION ALL SELECT y.tableoid, y.oid, 0, y.xmin FROM own o JOIN pg_type y ON y.typrelid = o.oid
), dependency AS (
  SELECT d FROM own o JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid
  UNION SELECT d FROM relation r JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid
  UNION SELECT d FROM own o JOIN pg_type y ON y.typrelid = o.oid JOIN pg_depend d
    ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (y.oid, y.typarray)
), named AS (
  SELECT DISTINCT d.refclassid AS class, d.refobjid AS oid, d.refobjsubid AS part FROM entry e
  JOIN pg_depend d ON d.classid = e.class AND d.objid = e.oid
), line (text) AS (
  SELECT e::text FROM entry e UNION ALL SELECT d::text FROM dependency d
  UNION ALL SELECT n::text || i::text FROM named n, pg_identify_object_as_address(n.class, n.oid, n.part) i
  UNION ALL SELECT DISTINCT concat_ws(' ', d.refobjid, pg_get_userbyid(d.refobjid)) FROM entry e
  JOIN pg_shdepend d ON d.classid = e.class AND d.objid = e.oid AND d.refclassid = 'pg_authid'::regclass
    AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT concat_ws(' ', d.objoid, d.classoid, d.objsubid, d.description) FROM pg_description d
  WHERE (d.classoid, d.objoid) IN (SELECT class, oid FROM entry)
  UNION ALL SELECT concat_ws(' ', l.objoid, l.classoid, l.objsubid, l.provider, l.xmin) FROM pg_seclabel l
  WHERE (l.classoid, l.objoid) IN (SELECT class, oid FROM entry)
)
SELECT hashtextextended(string_agg(text, ',' ORDER BY text), 0)::text FROM line"""

# Privileges of relations and of columns, the targets of statistics objects, what publications that hold it publish; a
# partitioned index is locked by nothing.
_OPEN = "concat(c.relacl, CASE c.relkind WHEN 'I' THEN obj_description(c.oid, 'pg_class') END)"

_PUBLISHES = "concat_ws(' ', p.pubname, p.pubviaroot, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate)"

_UNLOCKED = f"""{_RELATION}, {_PUBLISHED}, entry (kind, oid, part, value) AS (
  SELECT 'c', c.oid, 0, {_OPEN} FROM relation r JOIN pg_class c ON c.oid = r.oid
  UNION ALL SELECT 'a', a.attrelid, a.attnum, a.attacl::text FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
  UNION ALL SELECT 's', e.oid, 0, e.stxstattarget::text FROM own o JOIN pg_statistic_ext e ON e.stxrelid = o.oid
  UNION ALL SELECT 'p', p.oid, 0, {_PUBLISHES} FROM publication p
)
SELECT jsonb_agg(to_jsonb(e)) FROM entry e"""

# A SELECT of what others have changed since the comparison under the locks; NULL where they have not.
CHANGED = f"""
SELECT string_agg(now.name, ', ')
FROM jsonb_to_recordset(nullif(current_setting('schema_kit.unlocked', true), '')::jsonb)
  AS was (kind text, oid oid, part int, value text), LATERAL (
  SELECT {_OPEN}, 'privileges or comment of ' || c.relname FROM pg_class c WHERE was.kind = 'c' AND c.oid = was.oid
  UNION ALL SELECT a.attacl::text, 'privileges of column ' || a.attname FROM pg_attribute a
  WHERE was.kind = 'a' AND a.attrelid = was.oid AND a.attnum = was.part
  UNION ALL SELECT e.stxstattarget::text, 'statistics ' || e.stxname FROM pg_statistic_ext e
  WHERE was.kind = 's' AND e.oid = was.oid
  UNION ALL SELECT {_PUBLISHES}, 'publication ' || p.pubname FROM pg_publication p
  WHERE was.kind = 'p' AND p.oid = was.oid) now (value, name)
WHERE now.value IS DISTINCT FROM was.value"""

_LOCK = """
SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END, c.oid::regclass,
              pg_get_userbyid(c.relowner))
FROM relation r JOIN pg_class c ON c.oid = r.oid AND c.relkind IN ('i', 'S')
UNION ALL SELECT format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, e.stxname, pg_get_userbyid(e.stxowner))
FROM own o JOIN pg_statistic_ext e ON e.stxrelid = o.oid JOIN pg_namespace n ON n.oid = e.stxnamespace"""


def seen(*tables: Table | None) -> tuple[Seen, ...]:
    """Return what a step relies on: those of the tables that were observed."""
    return tuple(Seen(table.name, table.stamp) for table in tables if table and table.stamp)


def stamp_sql(table: QualifiedName) -> str:
    """Return SQL for the stamp of a table, one row; of one that is not there, too."""
    return f"WITH own AS (SELECT to_regclass({literal(table.sql)})::oid AS oid), {_STAMP}"


def lock_all_sql(seen: Iterable[Seen]) -> str:
    """Statements of a DO block that lock the indexes, sequences and statistics objects of tables that are locked.

    A change of owner to the same owner changes nothing, and takes just this lock.
    """
    tables = ", ".join(f"({literal(one.table.sql)})" for one in seen)
    own = f"own AS (SELECT to_regclass(t)::oid AS oid FROM (VALUES {tables}) v (t))"
    return commands(f"WITH {own}, {_RELATION}{_LOCK}").removesuffix(";")


def compare_sql(seen: Sequence[Seen]) -> str:
    """Under the locks: raises OVERTAKEN where a table is not what was last seen; keeps what no lock protects."""
    tables = ", ".join(f"({literal(one.table.sql)}, {literal(one.stamp)})" for one in seen)
    own = f"own AS (SELECT to_regclass(t)::oid AS oid FROM (VALUES {tables}) v (t, stamp))"
    body = f"""FOR seen IN SELECT * FROM (VALUES {tables}) v (t, stamp) LOOP
IF (WITH own AS (SELECT to_regclass(seen.t)::oid AS oid), {_STAMP}) IS DISTINCT FROM seen.stamp THEN
  RAISE EXCEPTION USING ERRCODE = '{OVERTAKEN}', MESSAGE = seen.t || ' was changed after it was looked at';
END IF;
END LOOP;
PERFORM set_config('schema_kit.unlocked', (WITH {own}, {_UNLOCKED})::text, true);"""
    return asking_sql(body, "seen record; ")


def compare_again_sql(seen: Sequence[Seen]) -> Iterable[str]:
    """Before the commit, or before what was seen is dropped: raises OVERTAKEN where what no lock protects changed.

    Where nothing was compared under the locks, in a script whose earlier steps are still to come, nothing is here.
    """
    if seen:
        body = f"""changed := ({CHANGED});
IF changed IS NOT NULL THEN
  RAISE EXCEPTION USING ERRCODE = '{OVERTAKEN}', MESSAGE = 'changed by another session meanwhile: ' || changed;
END IF;"""
        yield asking_sql(body, "changed text; ")
