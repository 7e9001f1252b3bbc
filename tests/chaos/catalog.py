"""The catalog of a database in PostgreSQL's own words, read without the package: two of them can be compared.

Of a partition, names of what it has from its parent are left out, and so is what users of the parent do not see: its
rights, comments and policies. Who comes first, a migration with its column or others with theirs, is chance.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.chaos.sessions import connect

_TABLES = "c.relnamespace::regnamespace::text IN ('chaos', 'schema_kit', 'public')"
QUERIES = {
    "relation": f"""
        SELECT c.oid::regclass::text, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
               pg_get_expr(c.relpartbound, c.oid), c.relreplident, (SELECT array_agg(o ORDER BY o)
               FROM unnest(c.reloptions) o),
               CASE WHEN NOT c.relispartition THEN c.relowner::regrole::text END,
               CASE WHEN NOT c.relispartition THEN obj_description(c.oid, 'pg_class') END,
               CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
               CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
        FROM pg_class c WHERE {_TABLES} AND c.relkind NOT IN ('i', 'I', 'c')""",
    "right": f"""
        SELECT c.oid::regclass::text, x.grantor::regrole::text, x.grantee::regrole::text, x.privilege_type,
               x.is_grantable
        FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
        WHERE {_TABLES} AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition""",
    "column": f"""
        SELECT c.oid::regclass::text, a.attname, CASE WHEN a.attname NOT LIKE 'ours\\_%' THEN
               count(*) FILTER (WHERE a.attname NOT LIKE 'ours\\_%') OVER (PARTITION BY c.oid ORDER BY a.attnum) END,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity,
               a.attgenerated, a.attcollation::regcollation::text, a.attstorage,
               CASE WHEN NOT c.relispartition THEN (nullif(a.attstattarget, -1), (SELECT array_agg(o ORDER BY o)
                    FROM unnest(a.attoptions) o WHERE o LIKE 'n\\_distinct%'),
                    col_description(c.oid, a.attnum), a.attacl)::text END
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v')
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE {_TABLES} AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraint": f"""
        SELECT c.oid::regclass::text, CASE WHEN NOT c.relispartition THEN k.conname END, k.contype,
               pg_get_constraintdef(k.oid), k.convalidated, k.connoinherit, obj_description(k.oid, 'pg_constraint'),
               k.conparentid <> 0
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE {_TABLES} AND k.contype NOT IN ('n', 't')
        AND (k.conparentid = 0 OR k.contype <> 'f' OR k.confrelid NOT IN (SELECT inhrelid FROM pg_inherits))""",
    "index": f"""
        SELECT c.oid::regclass::text, CASE WHEN NOT c.relispartition THEN i.relname END,
               regexp_replace(pg_get_indexdef(i.oid), '^.*? USING ', ''), x.indisunique, x.indisprimary, x.indisvalid,
               x.indisready, x.indisclustered, x.indisreplident,
               EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = i.oid),
               CASE WHEN NOT c.relispartition THEN obj_description(i.oid, 'pg_class') END
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE {_TABLES}""",
    "trigger": f"""
        SELECT c.oid::regclass::text, t.tgname, t.tgenabled,
               CASE WHEN NOT c.relispartition THEN pg_get_triggerdef(t.oid) END, t.tgparentid <> 0
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE {_TABLES} AND NOT t.tgisinternal""",
    "policy": f"""
        SELECT c.oid::regclass::text, p.polname, p.polpermissive, p.polcmd, p.polroles::regrole[]::text,
               pg_get_expr(p.polqual, c.oid), pg_get_expr(p.polwithcheck, c.oid), obj_description(p.oid, 'pg_policy')
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE {_TABLES} AND NOT c.relispartition""",
    "statistics": f"""
        SELECT pg_get_statisticsobjdef(s.oid), s.stxowner::regrole::text, nullif(s.stxstattarget, -1),
               obj_description(s.oid, 'pg_statistic_ext')
        FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid WHERE {_TABLES} AND NOT c.relispartition""",
    "publication": """
        SELECT p.pubname, p.pubviaroot, p.pubinsert, r.prrelid::regclass::text
        FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid""",
    "sequence": f"""
        SELECT c.oid::regclass::text, d.refobjid::regclass::text, a.attname, d.deptype
        FROM pg_class c LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass
             AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE {_TABLES} AND c.relkind = 'S'""",
    "function": """
        SELECT oid::regprocedure::text, prosecdef, proconfig FROM pg_proc
        WHERE pronamespace::regnamespace::text IN ('chaos', 'schema_kit', 'public')""",
    "in doubt": "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()",
}


def catalog(url: str) -> list[str]:
    """Everything there is, a line each, sorted."""
    with connect(url, search_path="") as connection:
        return sorted(_line(what, row) for what, sql in QUERIES.items() for row in connection.execute(sql.encode()))


def _line(what: str, row: tuple[Any, ...]) -> str:
    return f"{what} {' | '.join('' if value is None else str(value) for value in row)}"


def differences(here: list[str], there: list[str]) -> list[str]:
    """Lines that one has more often than the other."""
    one, other = Counter(here), Counter(there)
    return [f"only here: {line}" for line in (one - other).elements()] + [
        f"only in the quiet run: {line}" for line in (other - one).elements()
    ]
