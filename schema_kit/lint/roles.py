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


def exists(sql: str, rows: Callable[[str], list[tuple[Any, ...]]]) -> bool:
    """Return whether a statement creates a role that an earlier run has left: roles are the whole server's."""
    found = _CREATES.match(sql)
    name = literal(_plain(found[1])) if found else ""
    return bool(found and rows(f"SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = {name}"))
