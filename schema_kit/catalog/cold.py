"""Cold archives and foreign servers. Only `refusals` asks the server itself."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import present, properties
from schema_kit.catalog.drivers import diagnosis, sqlstate
from schema_kit.catalog.session import rows
from schema_kit.catalog.table import parse_bounds
from schema_kit.errors import PlanError
from schema_kit.model import ColdArchive, ColdColumn, ColdPartition, ColdServer, Property, Stored
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.storage import COLD_ARCHIVE, COLD_PARTITION

CLUSTER = """
SELECT concat_ws('/', s.system_identifier, d.oid) FROM pg_control_system() s, pg_database d
WHERE d.datname = current_database()
"""

_ARCHIVES = f"SELECT to_jsonb(c) FROM {COLD_ARCHIVE.sql} c ORDER BY table_name"
_PARTITIONS = f"""
SELECT partition_name, table_name, foreign_table, remote_table, bounds, copied_at IS NOT NULL, returns, moved_at,
       row_count, checksum::text, to_jsonb(p) FROM {COLD_PARTITION.sql} p WHERE table_name = %(table)s
ORDER BY partition_name
"""
_STORED = """
SELECT to_regclass(%(one)s) IS NOT NULL, EXISTS (
  SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%(other)s) AND attname = 'own' AND NOT attisdropped)
"""

_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       CASE WHEN a.attcollation <> t.typcollation THEN format('%%I.%%I', cn.nspname, c.collname) ELSE '' END,
       t.oid < 16384 AND tn.nspname = 'pg_catalog' AND t.typname !~ '^_?reg', a.attgenerated <> '', a.attcollation <> 0
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_collation c ON c.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

_SERVER = """
SELECT current_user, s.oid IS NOT NULL, f.fdwname, s.oid IS NOT NULL AND has_server_privilege(s.oid, 'USAGE'),
       EXISTS (SELECT 1 FROM pg_user_mappings m WHERE m.srvid = s.oid AND m.usename IN (current_user, 'public')),
       (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'dblink'),
       EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgres_fdw')
FROM (SELECT) AS one LEFT JOIN pg_foreign_server s ON s.srvname = %(name)s
LEFT JOIN pg_foreign_data_wrapper f ON f.oid = s.srvfdw
"""

_DATABASE = "SELECT to_jsonb(d)::text FROM pg_catalog.pg_database d WHERE d.datname = current_database()"
_LOCALE = ("datcollate", "datctype", "datlocprovider", "encoding")
_NAMES = ("datlocale", "daticulocale")
"""Of the same, from 17 on and before."""


def stored(connection: Connection) -> Stored:
    """Return whether the own tables exist. Call this and the others while observing."""
    [there] = rows(connection, _STORED, {"one": COLD_ARCHIVE.sql, "other": COLD_PARTITION.sql})
    return Stored.of(*there)


def archives(connection: Connection) -> tuple[ColdArchive, ...]:
    """Return all of them."""
    return tuple(_archive(row[0]) for row in rows(connection, _ARCHIVES)) if _exist(connection) else ()


def _exist(connection: Connection) -> bool:
    return stored(connection) is not Stored.MISSING


def _archive(row: dict[str, Any]) -> ColdArchive:
    return ColdArchive(
        QualifiedName.parse(row["table_name"]),
        QualifiedName.parse(row["archive_table"]),
        QualifiedName.parse(row["cold_table"]),
        row["server_name"],
        row["remote_schema"],
        QualifiedName.parse(row["view_name"]) if row["view_name"] else None,
        row["identity"],
        row["cluster"],
    )


def partitions(connection: Connection, table: QualifiedName) -> tuple[ColdPartition, ...]:
    """Return what is known of those of a table."""
    known = rows(connection, _PARTITIONS, {"table": str(table)}) if _exist(connection) else []
    names = [QualifiedName.parse(text) for row in known for text in (row[0], row[2])]
    now = present.read(connection, names)
    found = []
    for text, owner, foreign, remote, bounds, copied, returns, moved_at, count, checksum, row in known:
        name, own = QualifiedName.parse(text), QualifiedName.parse(foreign)
        ends, here = parse_bounds(bounds), now.get(name)
        found.append(
            ColdPartition(
                name,
                QualifiedName.parse(owner),
                own,
                remote,
                bounds,
                *ends,
                copied,
                returns,
                moved_at,
                count,
                here is not None,
                here.parent if here and here.bounds and parse_bounds(here.bounds) == ends else None,
                own in now and now[own].parent is not None,
                checksum,
                tuple(row.get("summed") or ()),
                tuple(Property(*one) for one in row.get("own") or ()),
            )
        )
    return tuple(found)


def printed(connection: Connection, name: QualifiedName) -> tuple[tuple[Property, ...], str]:
    """Return what PostgreSQL prints of a table, and its bounds as a condition; empty if it is not a partition."""
    proof = rows(connection, "SELECT pg_get_partition_constraintdef(to_regclass(%(name)s))", {"name": name.sql})
    return properties.read(connection, name), proof[0][0] or ""


def columns(connection: Connection, archive: QualifiedName) -> tuple[ColdColumn, ...]:
    """Read the columns of an archive."""
    return tuple(ColdColumn(*row) for row in rows(connection, _COLUMNS, {"table": archive.sql}))


def server(connection: Connection, name: str) -> ColdServer:
    """Return what is known here of a foreign server, and what is missing to use it."""
    role, there, wrapper, usage, mapped, link, installed = rows(connection, _SERVER, {"name": name})[0]
    missing = []
    for extension, found in (("postgres_fdw", installed), ("dblink", link)):
        if not found:
            missing.append(f"extension {extension} is missing (CREATE EXTENSION {extension}, as a superuser)")
    if not there:
        missing.append(
            f"foreign server {name} is missing (CREATE SERVER {ident(name)} FOREIGN DATA WRAPPER postgres_fdw OPTIONS "
            "(host '...', dbname '...'))"
        )
    elif wrapper != "postgres_fdw":
        missing.append(f"foreign server {name} is one of {wrapper}, and has to be one of postgres_fdw")
    elif not usage:
        missing.append(
            f"{role} lacks USAGE on foreign server {name} (GRANT USAGE ON FOREIGN SERVER {ident(name)} TO "
            f"{ident(role)})"
        )
    elif not mapped:
        missing.append(
            f"{role} has no user mapping on foreign server {name} (CREATE USER MAPPING FOR {ident(role)} SERVER "
            f"{ident(name)} OPTIONS (user '...', password '...'))"
        )
    return ColdServer(name, link or "public", tuple(missing))


def refusals(
    connection: Connection, known: ColdServer, schema: str, columns: Collection[ColdColumn]
) -> tuple[str, ...]:
    """Ask a server why it cannot take tables with these columns, by a connection of dblink.

    Raises:
        PlanError: it cannot be reached, or refuses the role that the user mapping names.
    """
    own = f"pg_catalog.to_regnamespace({literal(ident(schema))})"
    question = (
        f"SELECT current_user::text, {own} IS NOT NULL, "
        f"coalesce(pg_catalog.has_schema_privilege({own}::oid, 'CREATE'), false), ({_DATABASE})"
    )
    found = (
        f"SELECT there.*, ({_DATABASE}) FROM {ident(known.link)}.dblink({literal(known.name)}, {literal(question)}) "
        "AS there (role text, has_schema boolean, creates boolean, database text)"
    )
    try:
        role, has_schema, creates, there, here = rows(connection, found.replace("%", "%%"), {})[0]
    except DBAPIError as error:
        state = sqlstate(error)
        said = ": ".join(filter(None, (diagnosis(error, "message_primary"), diagnosis(error, "message_detail"))))
        raise PlanError(f"foreign server {known.name} cannot be used: {said} [{state}].") from error
    return tuple(_refusals(known.name, schema, role, has_schema, creates, json.loads(there), json.loads(here), columns))


def _refusals(
    name: str,
    schema: str,
    role: str,
    has_schema: bool,
    creates: bool,
    there: dict[str, Any],
    here: dict[str, Any],
    columns: Collection[ColdColumn],
) -> Iterator[str]:
    if not has_schema:
        yield f"server {name} has no schema {schema} (there: CREATE SCHEMA {ident(schema)} AUTHORIZATION {ident(role)})"
    elif not creates:
        yield (
            f"{role} lacks CREATE on schema {schema} of server {name} (there: GRANT CREATE ON SCHEMA {ident(schema)} "
            f"TO {ident(role)})"
        )
    locales = [
        [*(one.get(key) for key in _LOCALE), next((one[key] for key in _NAMES if one.get(key)), None)]
        for one in (here, there)
    ]
    if any(column.sorts for column in columns) and locales[0] != locales[1]:
        shown = " and ".join(" ".join(str(part) for part in one if part is not None) for one in locales)
        yield (
            f"the databases sort texts in different ways, here and on server {name}: {shown}. Conditions would be "
            "answered differently there (CREATE DATABASE ... TEMPLATE template0 LOCALE ... ENCODING ... as here)"
        )
