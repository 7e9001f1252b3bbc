"""What a catalog promises to the code that runs, besides tables and columns; and what is in the way of that code.

Each promise is named so that a thing which takes another one's place keeps it: by columns, arguments or a role.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from schema_kit.names import QualifiedName

_USERS = "n.nspname <> 'information_schema' AND n.nspname <> 'schema_kit' AND n.nspname !~ '^pg_'"
_MEMBER = (
    "EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.{0}'::pg_catalog.regclass "
    "AND d.objid = {1}.oid AND d.deptype IN ({2}))"
)
_TYPE = (
    "SELECT CASE WHEN m.nspname = 'pg_catalog' THEN '' ELSE m.nspname || '.' END || y.typname "
    "FROM pg_catalog.pg_type y "
    "JOIN pg_catalog.pg_namespace m ON m.oid = y.typnamespace WHERE y.oid = {}"
)
_ARGUMENTS = (
    f"(SELECT coalesce(pg_catalog.string_agg(({_TYPE.format('u.t')}), ', ' ORDER BY u.o), '') "
    "FROM pg_catalog.unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, o) WHERE u.o <= {})"
)
_ROLE = "CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END"
_USED = "a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE', 'EXECUTE')"
_CLASS = "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
_PROC = "pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
_HIDDEN = f"""
SELECT '{{0}}', n.nspname, c.relname, k.word, NULL::text[] FROM {_CLASS}
CROSS JOIN (VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) k(letter, word)
WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity {{1}} AND {_USERS} AND NOT EXISTS (SELECT FROM pg_catalog.pg_policy p
  WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('*', k.letter::"char"))"""

QUERY = "\nUNION ALL\n".join(
    (
        f"SELECT 'schema', n.nspname::text, '', '', NULL::text[] FROM pg_catalog.pg_namespace n WHERE {_USERS}",
        "SELECT 'extension', '', x.extname, '', NULL FROM pg_catalog.pg_extension x",
        f"""
        SELECT 'function', n.nspname, p.proname, pg_catalog.format('(%s) that returns %s', {_ARGUMENTS.format("k.n")},
               coalesce(({_TYPE.format("p.prorettype")}), 'nothing')), NULL
        FROM {_PROC}, pg_catalog.generate_series((p.pronargs - p.pronargdefaults)::int, p.pronargs::int) k(n)
        WHERE p.prorettype NOT IN ('trigger'::pg_catalog.regtype, 'event_trigger'::pg_catalog.regtype) AND {_USERS}
          AND NOT {_MEMBER.format("pg_proc", "p", "'e'")}""",
        f"""
        SELECT 'type', n.nspname, t.typname, '', NULL
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
        WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND {_USERS}
          AND NOT {_MEMBER.format("pg_type", "t", "'e'")}""",
        f"""
        SELECT 'label', n.nspname, t.typname, e.enumlabel, NULL
        FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid = e.enumtypid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE {_USERS}""",
        f"""
        SELECT 'sequence', n.nspname, c.relname, '', NULL FROM {_CLASS}
        WHERE c.relkind = 'S' AND {_USERS} AND NOT {_MEMBER.format("pg_class", "c", "'a', 'i', 'e'")}""",
        f"""
        SELECT 'unique', n.nspname, c.relname, coalesce(pg_catalog.array_to_string(k.names, ', '), '')
               || CASE WHEN x.indpred IS NULL AND x.indexprs IS NULL THEN '' ELSE ', ' || pg_catalog.md5(
                   pg_catalog.regexp_replace(pg_catalog.concat(x.indexprs, x.indpred), ':location \\S+', '', 'g')) END,
               k.names
        FROM pg_catalog.pg_index x JOIN {_CLASS.replace("c JOIN", "c ON c.oid = x.indrelid JOIN")}
        CROSS JOIN LATERAL (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attname) names
          FROM pg_catalog.unnest(x.indkey::int2[]) WITH ORDINALITY u(number, place)
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
          WHERE u.place <= x.indnkeyatts) k
        WHERE x.indisunique AND x.indisvalid AND x.indimmediate AND NOT c.relispartition AND c.relkind IN ('r', 'p')
          AND {_USERS}""",
        f"""
        SELECT CASE WHEN a.attgenerated <> '' THEN 'computed' ELSE 'default' END, n.nspname, c.relname, a.attname,
               ARRAY[a.attname::text]
        FROM pg_catalog.pg_attribute a JOIN {_CLASS.replace("c JOIN", "c ON c.oid = a.attrelid JOIN")}
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND (a.atthasdef OR a.attidentity <> '')
          AND {_USERS}""",
        f"""
        SELECT 'inherits', n.nspname, c.relname, h.inhrelid::text, NULL
        FROM pg_catalog.pg_inherits h JOIN {_CLASS.replace("c JOIN", "c ON c.oid = h.inhparent JOIN")}
        WHERE c.relkind = 'r' AND {_USERS}""",
        f"""
        SELECT 'right', n.nspname, c.relname, a.privilege_type || ' by ' || {_ROLE}, NULL
        FROM {_CLASS}, pg_catalog.aclexplode(c.relacl) a
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND a.grantee <> c.relowner AND {_USED} AND {_USERS}""",
        f"""
        SELECT 'right', n.nspname, c.relname, a.privilege_type || ' by ' || {_ROLE}, ARRAY[t.attname::text]
        FROM pg_catalog.pg_attribute t JOIN {_CLASS.replace("c JOIN", "c ON c.oid = t.attrelid JOIN")},
             pg_catalog.aclexplode(t.attacl) a
        WHERE NOT t.attisdropped AND a.grantee <> c.relowner AND {_USED} AND {_USERS}""",
        f"""
        SELECT 'right_on_schema', n.nspname, '', a.privilege_type || ' by ' || {_ROLE}, NULL
        FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
        WHERE a.grantee <> n.nspowner AND {_USED} AND {_USERS}""",
        f"""
        SELECT 'right_on_function', n.nspname, p.proname,
               pg_catalog.format('(%s) by %s', {_ARGUMENTS.format("k.n")}, {_ROLE}), NULL
        FROM {_PROC}, pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a,
             pg_catalog.generate_series((p.pronargs - p.pronargdefaults)::int, p.pronargs::int) k(n)
        WHERE a.grantee <> p.proowner AND p.prorettype <> 'trigger'::pg_catalog.regtype AND {_USERS}
          AND NOT {_MEMBER.format("pg_proc", "p", "'e'")}""",
        _HIDDEN.format("hidden", ""),
        _HIDDEN.format("hidden_from_owner", "AND c.relforcerowsecurity"),
        f"""
        SELECT 'disabled', n.nspname, c.relname, coalesce(k.conname, t.tgname), NULL
        FROM pg_catalog.pg_trigger t JOIN {_CLASS.replace("c JOIN", "c ON c.oid = t.tgrelid JOIN")}
        LEFT JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint WHERE t.tgenabled IN ('D', 'R') AND {_USERS}""",
        f"""
        SELECT 'always', n.nspname, c.relname, a.attname, ARRAY[a.attname::text]
        FROM pg_catalog.pg_attribute a JOIN {_CLASS.replace("c JOIN", "c ON c.oid = a.attrelid JOIN")}
        WHERE a.attidentity = 'a' AND NOT a.attisdropped AND {_USERS}""",
        f"""
        SELECT 'instead', n.nspname, c.relname,
               CASE r.ev_type WHEN '2' THEN 'UPDATE' WHEN '3' THEN 'INSERT' ELSE 'DELETE' END, NULL
        FROM pg_catalog.pg_rewrite r JOIN {_CLASS.replace("c JOIN", "c ON c.oid = r.ev_class JOIN")}
        WHERE r.is_instead AND c.relkind IN ('r', 'p') AND r.ev_enabled IN ('O', 'A') AND {_USERS}""",
        """
        SELECT 'published', s.schemaname, s.tablename, s.pubname, NULL FROM pg_catalog.pg_publication_tables s""",
        f"""
        SELECT 'unidentified', n.nspname, c.relname, '', NULL FROM {_CLASS}
        WHERE c.relkind = 'r' AND {_USERS} AND EXISTS (SELECT FROM pg_catalog.pg_publication_tables s
            JOIN pg_catalog.pg_publication b ON b.pubname = s.pubname
            WHERE (b.pubupdate OR b.pubdelete) AND s.schemaname = n.nspname AND s.tablename = c.relname)
          AND NOT (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid
            AND i.indisvalid AND ((c.relreplident = 'd' AND i.indisprimary)
              OR (c.relreplident = 'i' AND i.indisreplident))))""",
    )
)
DEPENDENTS = f"""
SELECT 'constraint', n.nspname::text, c.relname::text, k.conname::text,
       (SELECT pg_catalog.array_agg(a.attname::text) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey) AND NOT a.attisdropped)
FROM pg_catalog.pg_constraint k JOIN {_CLASS.replace("c JOIN", "c ON c.oid = k.conrelid JOIN")}
WHERE k.contype = 'f' AND k.conparentid = 0 AND {_USERS}
UNION ALL
SELECT 'trigger', n.nspname, c.relname, t.tgname, NULL
FROM pg_catalog.pg_trigger t JOIN {_CLASS.replace("c JOIN", "c ON c.oid = t.tgrelid JOIN")}
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND {_USERS}
UNION ALL
SELECT 'policy', n.nspname, c.relname, p.polname, NULL
FROM pg_catalog.pg_policy p JOIN {_CLASS.replace("c JOIN", "c ON c.oid = p.polrelid JOIN")} WHERE {_USERS}
UNION ALL
SELECT 'default of', n.nspname, c.relname, a.attname, ARRAY[a.attname::text]
FROM pg_catalog.pg_attribute a JOIN {_CLASS.replace("c JOIN", "c ON c.oid = a.attrelid JOIN")}
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.atthasdef AND {_USERS}
"""
"""What goes together with something else under CASCADE."""

IN_THE_WAY = frozenset({"hidden", "hidden_from_owner", "disabled", "always", "instead", "unidentified"})
"""Kinds that break code by coming; the others break it by going."""
OF_A_TABLE = IN_THE_WAY | {"unique", "default", "computed", "inherits", "right", "published"}


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """One thing that code can rely on, or that is in its way.

    Args:
        kind: of QUERY or DEPENDENTS.
        of: the table, view, type, function or sequence; its name is empty for a schema, its schema for an extension.
        detail: the label, column, arguments, right or command.
        columns: of the table; it goes with them.
    """

    kind: str
    of: QualifiedName
    detail: str = ""
    columns: tuple[str, ...] = ()


def read(rows: Iterable[tuple[str, str, str, str, list[str] | None]]) -> frozenset[Promise]:
    """Return the promises that the rows of a query are."""
    return frozenset(
        Promise(kind, QualifiedName(schema, name), detail, tuple(columns or ()))
        for kind, schema, name, detail, columns in rows
    )


def broken(before: frozenset[Promise], after: frozenset[Promise]) -> frozenset[Promise]:
    """Return what is not promised any more, and what is in the way now."""
    return frozenset(one for one in before ^ after if (one in before) == (one.kind not in IN_THE_WAY))


def without_implied(found: frozenset[Promise]) -> frozenset[Promise]:
    """Return promises without those that go with another one: of a schema, a type, a function."""
    schemas = {one.of.schema for one in found if one.kind == "schema"}
    whole = {(one.kind, one.of) for one in found if one.kind in ("type", "function")}
    of = {"label": "type", "right_on_function": "function"}
    return frozenset(
        one
        for one in found
        if (one.kind == "schema" or one.of.schema not in schemas) and (of.get(one.kind, ""), one.of) not in whole
    )


def grouped(found: Iterable[Promise]) -> Iterator[Promise]:
    """Yield one for each kind and table, with the details of all of them."""
    groups = dict[tuple[str, QualifiedName], list[Promise]]()
    for one in sorted(found):
        groups.setdefault((one.kind, one.of), []).append(one)
    for members in groups.values():
        yield replace(members[0], detail=", ".join(dict.fromkeys(one.detail for one in members if one.detail)))
