"""Roles that a dump or a revision names, and the scratch server does not have: stand-ins that cannot log in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from schema_kit.lint.standins import COMMENT
from schema_kit.names import ident, literal

_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_NAMES = rf"({_NAME}(?:\s*,\s*{_NAME})*)"
_GIVES = re.compile(
    rf"\b(?:OWNER\s+TO|AUTHORIZATION|FOR\s+(?:ROLE|USER)|(?:GRANT|REVOKE|CREATE\s+POLICY)\b[^;']*?\b(?:TO|FROM))\s+{_NAMES}",
    re.IGNORECASE,
)
_CREATES = re.compile(rf"\s*CREATE\s+(?:ROLE|USER|GROUP)\s+(?!MAPPING\b)({_NAME})", re.IGNORECASE)
_DROPS = re.compile(rf"\s*DROP\s+(?:ROLE|USER|GROUP)\s+(?:IF\s+EXISTS\s+)?{_NAMES}\s*;?\s*$", re.IGNORECASE)
_STAND_INS = f"""
FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_shdescription d ON d.objoid = r.oid AND d.description = {literal(COMMENT)}
"""
_USED = f"""
SELECT count(*) FILTER (WHERE b.datname = pg_catalog.current_database()),
       count(*) FILTER (WHERE b.datname <> pg_catalog.current_database()) {_STAND_INS}
JOIN pg_catalog.pg_shdepend s ON s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = r.oid
JOIN pg_catalog.pg_database b ON b.oid = s.dbid WHERE r.rolname IN ({{}})
"""
_UNUSED = f"""
SELECT 1 {_STAND_INS} WHERE r.rolname = {{}} AND NOT EXISTS (SELECT FROM pg_catalog.pg_shdepend s
  WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = r.oid)
"""
MADE = set[str]()
"""Stand-ins that this process has made."""
_EVERY = {"public", "current_user", "session_user", "current_role", "group", "if"}
QUERY = f"""
SELECT DISTINCT r.rolname::text FROM pg_roles r JOIN pg_shdescription d ON d.objoid = r.oid
JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid
JOIN pg_database b ON b.oid = s.dbid AND b.datname = current_database()
WHERE d.description = '{COMMENT}' ORDER BY 1
"""
"""The stand-ins on which something in a database depends."""


def _plain(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def named(sql: str) -> set[str]:
    """Return the roles that own something, or get or lose rights, in a text of SQL."""
    found = {_plain(one) for group in _GIVES.findall(sql) for one in re.findall(_NAME, group)}
    return found - _EVERY


def stand_in(sql: str, rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Create the roles that a text names and the server lacks.

    Args:
        sql: the text.
        rows: what sends a query, or a statement, and returns its rows.
    """
    if names := named(sql):
        listed = ", ".join(literal(one) for one in sorted(names))
        there = {row[0] for row in rows(f"SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname IN ({listed})")}
        for one in sorted(names - there):
            rows(f"CREATE ROLE {ident(one)}")
            rows(f"COMMENT ON ROLE {ident(one)} IS {literal(COMMENT)}")
            MADE.add(one)


def needless(sql: str, rows: Callable[[str], list[tuple[Any, ...]]]) -> bool:
    """Return whether a statement creates a role that an earlier run has left, or drops one that other databases use.

    Roles are the whole server's, and the templates that are kept are databases, too.
    """
    if found := _CREATES.match(sql):
        return bool(rows(f"SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {literal(_plain(found[1]))}"))
    if found := _DROPS.match(sql):
        listed = ", ".join(literal(_plain(one)) for one in re.findall(_NAME, found[1]))
        ((here, elsewhere),) = rows(_USED.format(listed))
        return bool(elsewhere and not here)
    return False


def drop_unused(rows: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Drop the stand-ins that this process has made, and on which nothing depends."""
    while MADE:
        name = MADE.pop()
        if rows(_UNUSED.format(literal(name))):
            rows(f"DROP ROLE IF EXISTS {ident(name)}")
