"""Indexes that are made on the scratch: those that a person names, and candidates."""

from __future__ import annotations

import re

import psycopg

from schema_kit.advise.scratch import Scratch
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.names import QualifiedName

_CREATE = re.compile(r"\s*CREATE\s+(UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?", re.IGNORECASE)

_THERE = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('i', 'I') AND NOT c.relispartition AND n.nspname !~ '^pg_' ORDER BY c.oid
"""


def refuse_others(statement: str) -> None:
    """Refuse what is not one CREATE INDEX.

    Raises:
        DeclarationError: it is another statement.
    """
    if not _CREATE.match(statement) or ";" in statement.strip().rstrip(";"):
        raise DeclarationError(f"this is not one CREATE INDEX: {statement}")


def create(scratch: Scratch, statement: str) -> QualifiedName:
    """Send a CREATE INDEX; the name of what it made.

    Args:
        scratch: whose files are not stretched yet.
        statement: CREATE INDEX, with CONCURRENTLY or without.

    Raises:
        DeclarationError: it is another statement.
        PlanError: PostgreSQL refuses it.
    """
    refuse_others(statement)
    before = {tuple(row) for row in scratch.rows(_THERE)}
    try:
        scratch.rows(_CREATE.sub(lambda found: f"CREATE {found[1] or ''}INDEX ", statement, count=1))
    except psycopg.Error as error:
        said = error.diag.message_primary or f"SQLSTATE {error.sqlstate}"
        raise PlanError(f"the scratch server refuses the index: {said}.") from error
    return next(QualifiedName(*row) for row in scratch.rows(_THERE) if tuple(row) not in before)


def named(scratch: Scratch, name: str) -> QualifiedName:
    """Return the index of production that a person has named, with its schema or without.

    Raises:
        PlanError: there is not one of that name, or several.
    """
    found = [QualifiedName(*row) for row in scratch.rows(_THERE)]
    same = [one for one in found if name in (one.name, str(one), one.sql)]
    if len(same) != 1:
        several = f"there are several: {', '.join(map(str, same))}" if same else "there is not one of that name"
        raise PlanError(f"index {name}: {several}. A partition's index is named by that of its partitioned table.")
    return same[0]
