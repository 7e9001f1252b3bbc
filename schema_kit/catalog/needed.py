"""Types and sequences that tables need: PostgreSQL judges whether those that exist are as declared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog.batches import read_labels
from schema_kit.catalog.drivers import sqlstate
from schema_kit.catalog.scratch import printed, tried
from schema_kit.catalog.session import observing, rows, send
from schema_kit.errors import PlanError
from schema_kit.model import BaselineObject
from schema_kit.names import QualifiedName, literal

_SCRATCH = QualifiedName("pg_temp", "schema_kit_scratch")
_MISSING_TYPE = "42704"

_KINDS = """
SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' WHEN 'c' THEN 'composite'
       ELSE 'type' END
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = %(schema)s AND t.typname = %(name)s
AND NOT %(sequence)s
UNION ALL
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'v' THEN 'view' ELSE 'table' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %(schema)s AND c.relname = %(name)s
AND %(sequence)s
"""

_DOMAIN = """
SELECT pg_catalog.json_build_object(
    'type', pg_catalog.format_type(t.typbasetype, t.typtypmod),
    'default', pg_catalog.pg_get_expr(t.typdefaultbin, 0),
    'collation', (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname)
                  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = t.typcollation),
    'not null', t.typnotnull,
    'checks', ARRAY(SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_constraint k
                    WHERE k.contypid = t.oid AND k.contype = 'c'))
FROM pg_type t WHERE t.oid = {}::regtype
"""
_SEQUENCE = """
SELECT pg_catalog.json_build_object(
    'type', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement,
    'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle)
FROM pg_sequence s WHERE s.seqrelid = {}::regclass
"""


def unlike(connection: Connection, declared: BaselineObject) -> tuple[str, ...] | None:
    """Return what an existing type or sequence has otherwise than declared, as ends of sentences; None: it is missing.

    Values of an enum, and checks and NOT NULL of a domain, that it has besides are no difference.
    """
    name = declared.name
    place = {"schema": name.schema, "name": name.name, "sequence": declared.kind == "sequence"}
    with observing(connection):
        kind = next((row[0] for row in rows(connection, _KINDS, place)), None)
        labels = read_labels(connection, name) or ()
    if kind is None:
        return None
    if kind != declared.kind:
        return (f"cannot be created: the name is taken ({kind})",)
    if kind == "enum":
        return tuple(f"has no value {label!r}" for label in declared.labels if label not in labels)
    query = _SEQUENCE if kind == "sequence" else _DOMAIN
    try:
        with tried(connection, name):
            send(connection, declared.create_sql(_SCRATCH))
            expected, found = (printed(connection, query.format(literal(one.sql)))[0] for one in (_SCRATCH, name))
            forms = {*expected.get("checks", ())}
            for form in sorted(forms):  # such as a dump prints it
                send(connection, f"ALTER DOMAIN {_SCRATCH.sql} ADD {form}")
            again: Any = printed(connection, query.format(literal(_SCRATCH.sql)))[0] if forms else {}
    except PlanError as error:
        return (f"differs: {error}",)
    null = ("is nullable, expected NOT NULL",) if expected.get("not null") and not found["not null"] else ()
    missing = () if not forms or {*again["checks"]} & {*found["checks"]} else tuple(forms)
    return (
        *(f"has no {form}" for form in missing),
        *null,
        *(
            f"has {what} {found[what]}, expected {value}"
            for what, value in expected.items()
            if what not in ("checks", "not null") and found[what] != value
        ),
    )


def unknown_types(connection: Connection, types: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of some types, as SQL, that do not exist for the session."""
    if not types or not _is_unknown(connection, ", ".join(f"c{place} {one}" for place, one in enumerate(types))):
        return ()
    return tuple(one for one in types if _is_unknown(connection, f"c {one}"))


def _is_unknown(connection: Connection, columns: str) -> bool:
    missing = False
    with tried(connection, _SCRATCH):
        try:
            send(connection, f"CREATE TEMP TABLE {_SCRATCH.name} ({columns})")
        except DBAPIError as error:
            if sqlstate(error) != _MISSING_TYPE:
                raise
            missing = True
    return missing
