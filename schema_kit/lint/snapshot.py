"""A database's catalog as lines that can be compared: whatever order it came in, whatever number things have.

What a partition has because its parent has it is known by the parent's name of it: PostgreSQL chooses the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg

from schema_kit.names import literal

_USERS = "n.nspname <> 'information_schema' AND n.nspname <> 'schema_kit' AND n.nspname !~ '^pg_'"
_QUERIES = (
    f"""
    SELECT format('%s %I.%I', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
             WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'table' END, n.nspname, c.relname),
           coalesce(pg_get_partkeydef(c.oid), '') || coalesce(pg_get_expr(c.relpartbound, c.oid), '')
           || CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END
           || CASE WHEN c.relrowsecurity THEN ' row security' ELSE '' END || coalesce(' ' || c.reloptions::text, '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_USERS} AND c.relname <> @version_table""",
    f"""
    SELECT format('column %I.%I.%I', n.nspname, c.relname, a.attname),
           format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text
           || a.attgenerated::text
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND {_USERS}
      AND c.relname <> @version_table""",
    f"""
    SELECT format('constraint %I of %I.%I', CASE WHEN k.conparentid = 0 THEN k.conname ELSE
             (SELECT p.conname FROM pg_constraint p WHERE p.oid = k.conparentid) || ' (inherited)' END,
             n.nspname, c.relname),
           pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' not valid' END
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype <> 'n' AND {_USERS} AND c.relname <> @version_table""",
    f"""
    SELECT coalesce((SELECT format('index of %I.%I that is part of %s', n.nspname, c.relname, h.inhparent::regclass)
                     FROM pg_inherits h WHERE h.inhrelid = i.oid), format('index %I.%I', n.nspname, i.relname)),
           substring(pg_get_indexdef(x.indexrelid) FROM ' (ON .*)')
           || CASE WHEN x.indisunique THEN ' UNIQUE' ELSE '' END
           || CASE WHEN x.indisreplident THEN ' replica identity' ELSE '' END
           || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
    JOIN pg_class c ON c.oid = x.indrelid
    WHERE {_USERS} AND c.relname <> @version_table""",
    f"""
    SELECT format('type %I.%I', n.nspname, t.typname),
           (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND {_USERS}""",
    f"""
    SELECT format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           md5(coalesce(p.prosrc, ''))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_USERS}""",
    f"""
    SELECT format('trigger %I of %I.%I', t.tgname, n.nspname, c.relname), pg_get_triggerdef(t.oid) || t.tgenabled::text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND {_USERS}""",
    "SELECT format('extension %I', extname), '' FROM pg_extension WHERE extname <> 'plpgsql'",
    f"SELECT format('schema %I', n.nspname), '' FROM pg_namespace n WHERE {_USERS}",
)

_FILLED = f"""
SELECT coalesce(pg_partition_root(c.oid), c.oid)::regclass::text, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND {_USERS} AND c.relname <> @version_table AND pg_relation_size(c.oid) > 0"""
"""Tables that have, or had, rows: most of a scratch database have none."""

_INVALID = f"""
SELECT format('%I.%I', n.nspname, i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = i.relnamespace WHERE NOT x.indisvalid AND i.relkind = 'i' AND {_USERS} ORDER BY 1
"""

Snapshot = Mapping[str, str]


_WHOLE = (
    f"""
    SELECT format('order of %I.%I', n.nspname, c.relname), string_agg(a.attname, ', ' ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND {_USERS}
      AND c.relname <> @version_table GROUP BY 1""",
    f"""
    SELECT format('comment on %I.%I %s', n.nspname, c.relname, d.objsubid), d.description
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USERS}""",
    f"""
    SELECT format('rights on %I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner) || coalesce(c.relacl::text, '')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND {_USERS} AND c.relname <> @version_table""",
)
"""What a downgrade and an upgrade can leave in another order, and must not write in another way."""


def take(session: psycopg.Connection[Any], version_table: str = "alembic_version", *, whole: bool = False) -> Snapshot:
    """Return what a database has: each thing, what it is like, rows; with *whole* also order, comments and rights.

    Rows are counted, not compared: `now()` and `random()` give others each time.
    """
    queries = ";".join(("SET LOCAL search_path = ''", *_QUERIES, *(_WHOLE if whole else ()), _FILLED))
    cursor = session.execute(queries.replace("@version_table", literal(version_table)).encode())
    found, filled = dict[str, str](), list[tuple[str, str]]()
    while cursor.nextset():
        found |= dict(filled)
        filled = cursor.fetchall()
    rows = Counter[str]()
    for table, leaf in filled:
        (count,) = session.execute(f"SELECT count(*) FROM ONLY {leaf}".encode()).fetchone() or (0,)
        rows[table] += count
    return found | {f"rows of {table}": str(count) for table, count in rows.items() if count}


def invalid(session: psycopg.Connection[Any]) -> tuple[str, ...]:
    """Return indexes that are INVALID; that of a partitioned table is, until the last partition's is attached."""
    return tuple(row[0] for row in session.execute(_INVALID.encode()))


def differences(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Return what is in one of them only, or another thing in the other: a line each with - or +, in order."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was != now:
            lines += [f"- {name} {was}".rstrip()] if was is not None else []
            lines += [f"+ {name} {now}".rstrip()] if now is not None else []
    return tuple(lines)
