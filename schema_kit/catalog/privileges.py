"""Name missing privileges: one query, one sentence for each object, and the GRANT that adds it.

What statements need is read off their text, which is ours: each name in it stands behind the words that say what is
done to it. What users write into it (literals, comments, bodies of functions) is not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schema_kit.catalog.code import code
from schema_kit.names import QualifiedName, unquoted
from schema_kit.storage import CONFIG_SCHEMA

OWNER, DROP, CREATE, USAGE, LOCK = "OWNER", "DROP", "CREATE", "USAGE", "LOCK"
OF_TYPE, OF_SCHEMA, MAINTAIN = "OWNER OF TYPE", "OWNER OF SCHEMA", "MAINTAIN"
KEEPS = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What a role needs to keep records in a table of ours."""

Ask = Callable[[str, Mapping[str, Any]], Iterable[Any]]
"""Sends a query, and gives its rows."""


@dataclass(frozen=True)
class Right:
    """What a role needs; where a table of ours is missing, to make it, unless it is only to be read.

    Args:
        on: what it is needed on.
        what: OWNER (to own it, or be a member of its owner; OF TYPE, OF SCHEMA likewise), DROP (or to own its schema),
            MAINTAIN (which from 17 on is available otherwise), CREATE or USAGE (of its schema), LOCK, or a privilege;
            CREATE SCHEMA (if there is none of that name).
    """

    on: QualifiedName
    what: str


# By name, not by regclass: that would ask for USAGE itself. Of columns, some are enough: which ones is for others.
_MISSING = """
WITH wanted AS (
  SELECT w.place, w.wanted, w.schema, n.oid AS namespace, coalesce(c.oid, t.oid) AS relation, c.relkind, n.nspowner,
         CASE w.wanted WHEN 'OWNER OF SCHEMA' THEN n.nspowner WHEN 'OWNER OF TYPE' THEN t.typowner ELSE c.relowner
         END AS relowner, quote_ident(w.schema) AS held, quote_ident(w.schema) || '.' || quote_ident(w.name) AS named
  FROM unnest(%(schemas)s::text[], %(names)s::text[], %(wanted)s::text[])
       WITH ORDINALITY w (schema, name, wanted, place)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  LEFT JOIN pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = w.name AND w.wanted = 'OWNER OF TYPE'
), found AS (
  SELECT w.*, CASE
    WHEN w.namespace IS NULL THEN CASE
      WHEN (w.wanted = 'CREATE SCHEMA' OR (w.schema = %(ours)s AND w.wanted <> 'SELECT'))
      AND NOT has_database_privilege(current_database(), 'CREATE') THEN 'DATABASE' END
    WHEN w.wanted = 'CREATE SCHEMA' THEN NULL
    WHEN w.wanted NOT IN ('OWNER', 'DROP', 'OWNER OF SCHEMA')
      AND NOT has_schema_privilege(w.namespace, 'USAGE') THEN 'USAGE'
    WHEN w.wanted = 'USAGE' THEN NULL
    WHEN w.wanted = 'CREATE' OR (w.relation IS NULL AND w.schema = %(ours)s
      AND w.wanted NOT IN ('OWNER OF SCHEMA', 'SELECT')) THEN
      CASE WHEN NOT has_schema_privilege(w.namespace, 'CREATE') THEN 'CREATE' END
    WHEN w.wanted = 'MAINTAIN' AND NOT %(whole)s THEN NULL
    WHEN w.relation IS NULL AND w.wanted <> 'OWNER OF SCHEMA' THEN NULL
    WHEN w.wanted IN ('OWNER', 'DROP', 'MAINTAIN', 'OWNER OF TYPE', 'OWNER OF SCHEMA') THEN CASE
      WHEN pg_has_role(w.relowner, 'USAGE') THEN NULL
      WHEN w.wanted = 'DROP' AND pg_has_role(w.nspowner, 'USAGE') THEN NULL
      WHEN pg_has_role(w.relowner, 'MEMBER') THEN 'INHERIT' ELSE 'OWNER' END
    WHEN w.relkind = 'S' THEN CASE WHEN NOT has_sequence_privilege(w.relation, w.wanted) THEN 'SEQUENCE' END
    WHEN w.relkind NOT IN ('r', 'p', 'v', 'm', 'f') THEN NULL
    WHEN w.wanted = 'LOCK' THEN
      CASE WHEN NOT has_table_privilege(w.relation, 'UPDATE, DELETE, TRUNCATE') THEN 'TABLE' END
    WHEN w.wanted IN ('DELETE', 'TRUNCATE', 'TRIGGER') OR (%(whole)s AND w.wanted <> 'REFERENCES') THEN
      CASE WHEN NOT has_table_privilege(w.relation, w.wanted) THEN 'TABLE' END
    WHEN NOT has_any_column_privilege(w.relation, w.wanted) THEN 'TABLE'
  END AS lacks FROM wanted w
)
SELECT lacks, CASE WHEN lacks = 'DATABASE' THEN quote_ident(current_database())
                   WHEN lacks IN ('USAGE', 'CREATE') THEN held
                   WHEN wanted = 'OWNER OF SCHEMA' THEN 'schema ' || held ELSE named END,
       CASE WHEN lacks = 'DATABASE' THEN held WHEN relowner IS NULL THEN ''
            ELSE quote_ident(pg_get_userbyid(relowner)) END,
       quote_ident(current_user), wanted
FROM found WHERE lacks IS NOT NULL ORDER BY place
"""


def missing(ask: Ask, rights: Iterable[Right], *, whole: bool = True) -> tuple[str, ...]:
    """A sentence for each object that rights are missing on, each with what grants them; none, and nothing is missing.

    Args:
        ask: where to look.
        rights: what is needed.
        whole: a privilege on some columns is not enough.
    """
    wanted = list(dict.fromkeys(rights))
    if not wanted:
        return ()
    values = {
        "schemas": [right.on.schema for right in wanted],
        "names": [right.on.name for right in wanted],
        "wanted": [right.what for right in wanted],
        "ours": CONFIG_SCHEMA,
        "whole": whole,
    }
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for lacks, thing, owner, role, what in ask(_MISSING, values):
        found.setdefault((lacks, thing, owner, role), []).append("UPDATE" if what == LOCK else what)
    for _, thing, owner, role in [key for key in found if key[0] == "OWNER"]:
        found.pop(("TABLE", thing, owner, role), None)  # who has the owner's rights has each of these
    return tuple(dict.fromkeys(_sentence(*which, tuple(dict.fromkeys(whats))) for which, whats in found.items()))


def _sentence(lacks: str, thing: str, owner: str, role: str, whats: tuple[str, ...]) -> str:
    if lacks == "OWNER":
        return f"{thing} belongs to {owner}, whose rights {role} lacks (GRANT {owner} TO {role})"
    if lacks == "INHERIT":
        return (
            f"{thing} belongs to {owner}, whose rights {role} does not inherit (SET ROLE {owner} first; or, from "
            f"PostgreSQL 16 on, GRANT {owner} TO {role} WITH INHERIT TRUE)"
        )
    kind = {"DATABASE": "DATABASE ", "TABLE": "", "SEQUENCE": "SEQUENCE "}.get(lacks, "SCHEMA ")
    what = {"DATABASE": CREATE, "USAGE": USAGE, "CREATE": CREATE}.get(lacks, ", ".join(whats))
    why = f", where schema {owner} is missing" if lacks == "DATABASE" else ""
    return f"{role} lacks {what} on {kind.lower()}{thing}{why} (GRANT {what} ON {kind}{thing} TO {role})"


_PART = r'(?:"(?:[^"]|"")+"|[A-Za-z_]\w*)'
_NAME = re.compile(rf"(?<![\w\".])({_PART})\.({_PART})(?![\w\".])")
_NO_TABLE = re.compile(r"\bDISTINCT FROM$|\b(EXTRACT|OVERLAY|SUBSTRING|TRIM) ?\([^()]* ?FROM$")
_BEFORE = 200
"""Characters before a name in which the words that say what is done to it stand."""

_DOES = (
    (re.compile(r"\bINSERT INTO$"), "INSERT"),
    (re.compile(r"\bDELETE FROM( ONLY)?$"), "DELETE"),
    (re.compile(r"(?<!FOR )(?<!DO )(?<!NO KEY )\bUPDATE( ONLY)?$"), "UPDATE"),
    (re.compile(r"\bTRUNCATE( TABLE)?( ONLY)?$"), "TRUNCATE"),
    (re.compile(r"\bREFERENCES$"), "REFERENCES"),
    (re.compile(r"\bLOCK TABLE( ONLY)?$"), LOCK),
    (re.compile(r"\b(CREATE|CREATE UNLOGGED) (TABLE|SEQUENCE)( IF NOT EXISTS)?$"), CREATE),
    (re.compile(r"\bCREATE( OR REPLACE)? (VIEW|FUNCTION)$"), CREATE),
    (re.compile(r"\b(CREATE INDEX|CREATE UNIQUE INDEX|DROP TRIGGER)\b(?!.*\b(ON|CREATE|DROP) ).* ON( ONLY)?$"), OWNER),
    (re.compile(r"\bCREATE TRIGGER\b(?!.*\b(CREATE|DROP) ).* ON( ONLY)?$"), "TRIGGER"),
    (re.compile(r"\bALTER (TABLE|INDEX|SEQUENCE|VIEW)( IF EXISTS)?( ONLY)?$"), OWNER),
    (re.compile(r"\bDROP (TABLE|INDEX|VIEW|SEQUENCE)( CONCURRENTLY)?( IF EXISTS)?$"), DROP),
    (re.compile(r"\bREFRESH MATERIALIZED VIEW( CONCURRENTLY)?$"), MAINTAIN),
    (re.compile(r"\bREINDEX( \([^)]*\))? (TABLE|INDEX)( CONCURRENTLY)?$"), MAINTAIN),
    (re.compile(r"\b(ALTER|DROP) (TYPE|DOMAIN)( IF EXISTS)?$"), OF_TYPE),
    (re.compile(r"\b(ATTACH PARTITION|DETACH PARTITION|PARTITION OF|ATTACH|INHERIT)$"), OWNER),
    (re.compile(r"\bCOMMENT ON (TABLE|INDEX|VIEW|SEQUENCE)$"), OWNER),
    (re.compile(r"\bOWNED BY$"), OWNER),
    (re.compile(r"\b(FROM|JOIN|LIKE|COPY)( ONLY)?$"), "SELECT"),
)


_DROPS_SCHEMA = re.compile(rf"\bDROP SCHEMA (?:IF EXISTS )?({_PART})")
_MAKES_SCHEMA = re.compile(rf"\bCREATE SCHEMA (?:IF NOT EXISTS )?({_PART})")
_RENAMED = re.compile(r" RENAME TO ")
_MOVED = re.compile(rf" SET SCHEMA ({_PART})")
"""A new name, as a new index, asks for CREATE on the schema."""


def needed(statements: Iterable[str]) -> Iterator[Right]:
    """Yield what statements of ours need of the tables that they name, as far as their words say it."""
    for text, sql in (each for statement in statements for each in code(statement)):
        for found in _DROPS_SCHEMA.finditer(sql):
            yield Right(QualifiedName(unquoted(text[slice(*found.span(1))]), ""), OF_SCHEMA)
        for found in _MAKES_SCHEMA.finditer(sql):
            yield Right(QualifiedName(unquoted(text[slice(*found.span(1))]), ""), "CREATE SCHEMA")
        for found in _NAME.finditer(sql):
            name = _named(text, found)
            before = " ".join(sql[max(0, found.start() - _BEFORE) : found.start()].split()).upper()
            what = next((what for words, what in _DOES if words.search(before)), None)
            if what and not _NO_TABLE.search(before):
                yield Right(name, what)
            if what == OWNER and (before.endswith((" ON", " ON ONLY")) or _RENAMED.match(sql, found.end())):
                yield Right(name, CREATE)
            if moved := _MOVED.match(sql, found.end()):
                yield Right(QualifiedName(unquoted(text[slice(*moved.span(1))]), ""), CREATE)


def _named(text: str, found: re.Match[str]) -> QualifiedName:
    return QualifiedName(*(unquoted(text[slice(*found.span(part))]) for part in (1, 2)))


def mentioned(statement: str) -> Iterator[Right]:
    """Yield the least that the names in a statement need, in literals, too: that they may be looked up, and read."""
    for found in _NAME.finditer(statement):
        name = _named(statement, found)
        yield Right(name, USAGE)
        yield Right(name, "SELECT")
        if re.search(r"\b(INSERT|UPDATE|DELETE)\b", statement.upper()) and name.schema == CONFIG_SCHEMA:
            yield from (Right(name, what) for what in KEEPS)


_NO_MEMBER = """
SELECT format('%%1$I is not a member of %%2$I (GRANT %%2$I TO %%1$I)', current_user, r.rolname)
FROM pg_catalog.pg_roles r WHERE r.rolname = ANY (%(names)s) AND NOT pg_has_role(r.oid, 'MEMBER')
UNION ALL SELECT format('%%1$I lacks TEMPORARY on database %%2$I (GRANT TEMPORARY ON DATABASE %%2$I TO %%1$I)',
                        current_user, current_database())
WHERE %(temporary)s AND NOT has_database_privilege(current_database(), 'TEMPORARY')
"""


_BECOMES = re.compile(rf"\b(?:OWNER TO|SET ROLE) ({_PART})")


def _beyond_tables(ask: Ask, statement: str) -> tuple[str, ...]:
    """Roles that a statement names (``OWNER TO``, ``SET ROLE``) and the role is not a member of; temporary tables."""
    names, temporary = list[str](), False
    for text, sql in code(statement):
        names += [unquoted(text[slice(*found.span(1))]) for found in _BECOMES.finditer(sql)]
        temporary |= "CREATE TEMP" in sql.upper()
    return tuple(row[0] for row in ask(_NO_MEMBER, {"names": names, "temporary": temporary}))


def denied(ask: Ask, statement: str, said: str) -> str:
    """Return what is missing where PostgreSQL has refused a statement for lack of a right (42501).

    Args:
        ask: where to look, in no transaction that has failed.
        statement: what was refused, with its values.
        said: what PostgreSQL said, which stands where nothing else is found.
    """
    found = missing(ask, needed((statement,))) or _beyond_tables(ask, statement) or missing(ask, mentioned(statement))
    if not found:
        role = next(iter(ask("SELECT quote_ident(current_user)", {})))[0]
        return f"{said}, which {role} would need"
    return "; ".join(found)
