"""Rights that the role lacks, found before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from sqlalchemy import Connection

from schema_kit.catalog.privileges import CREATE, KEEPS, OWNER, Right, missing
from schema_kit.catalog.session import observing, rows
from schema_kit.model.declared import KNOWN
from schema_kit.names import QualifiedName
from schema_kit.storage import PART_CONFIG

# It asks pg_catalog by oid: to_regclass() itself would be refused without USAGE on the schema.
_REFERRED = """
SELECT rn.nspname, r.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
"""

# What is made for a table belongs to its owner, whose right to make it PostgreSQL asks for, too.
_OF_OWNER = """
SELECT format('%%I, the owner of %%I.%%I, lacks CREATE on schema %%I (GRANT CREATE ON SCHEMA %%I TO %%I)', r.rolname,
              n.nspname, c.relname, n.nspname, n.nspname, r.rolname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND r.rolname <> current_user
  AND NOT has_schema_privilege(r.oid, n.oid, 'CREATE') AND NOT EXISTS (
    SELECT 1 FROM pg_roles m WHERE m.rolname = current_user AND m.rolsuper)
"""

# Where a table and its indexes lie, and its newest partition, there others are made.
_SPACES = """
WITH own AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = %(schema)s AND c.relname = %(name)s
), alike AS (
  SELECT oid FROM own UNION ALL (
    SELECT h.inhrelid FROM own o JOIN pg_inherits h ON h.inhparent = o.oid JOIN pg_class c ON c.oid = h.inhrelid
    WHERE pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY h.inhrelid DESC LIMIT 1)
), tree AS (SELECT oid FROM alike UNION SELECT t.relid FROM alike a, pg_partition_tree(a.oid) t, own o
            WHERE a.oid <> o.oid)
SELECT DISTINCT format('%%1$I lacks CREATE on tablespace %%2$I (GRANT CREATE ON TABLESPACE %%2$I TO %%1$I)',
                       current_user, s.spcname)
FROM tree t JOIN pg_class c ON c.oid = t.oid OR c.oid IN (SELECT indexrelid FROM pg_index x WHERE x.indrelid = t.oid)
JOIN pg_tablespace s ON s.oid = c.reltablespace
WHERE NOT has_tablespace_privilege(s.oid, 'CREATE') ORDER BY 1
"""

_NO_SCHEMA = """
SELECT format('there is no schema %%I (CREATE SCHEMA %%I)', w.name, w.name) FROM unnest(%(schemas)s::text[]) w (name)
WHERE NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = w.name)
"""

_OLDER = """
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND (
  SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY (%(columns)s)) < %(count)s
"""


def missing_of(connection: Connection, rights: Iterable[Right]) -> tuple[str, ...]:
    """Return the rights that the current role lacks, each with what grants it. Call it while observing."""
    return missing(partial(rows, connection), rights)


def missing_for_partitions(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """Return the rights that making partitions of *table* needs and that are not there, each with what grants it."""
    at = {"schema": table.schema, "name": table.name}
    referred = [Right(QualifiedName(*row), "REFERENCES") for row in rows(connection, _REFERRED, at)]
    lacks = missing_of(connection, (Right(table, OWNER), Right(table, CREATE), *referred))
    return (*lacks, *(row[0] for sql in (_OF_OWNER, _SPACES) for row in rows(connection, sql, at)))


def missing_for_reading(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """Return the right that reading *table* needs and that is not there, with what grants it."""
    return missing_of(connection, (Right(table, "SELECT"),))


def missing_for_sets(
    connection: Connection,
    create_in: Collection[str] = (),
    refer_to: Collection[QualifiedName] = (),
    *,
    register: bool = False,
) -> tuple[str, ...]:
    """Return the privileges that the current role lacks, each with what grants it; empty where it has all of them.

    Args:
        connection: where to look.
        create_in: schemas in which tables are created.
        refer_to: tables that foreign keys will reference.
        register: whether a policy is written.
    """
    wanted = [Right(QualifiedName(schema, ""), CREATE) for schema in create_in]
    wanted += [Right(table, "REFERENCES") for table in refer_to]
    if register:
        wanted += of_record(connection, PART_CONFIG, KNOWN, ("SELECT", "INSERT", "UPDATE"))
    unmade = [row[0] for row in rows(connection, _NO_SCHEMA, {"schemas": list(create_in)})]
    return (*unmade, *missing_of(connection, wanted))


def of_record(
    connection: Connection, table: QualifiedName, columns: Collection[str] = (), rights: Collection[str] = KEEPS
) -> list[Right]:
    """What keeping records in a table of ours needs: to own it, where it is older and lacks some of *columns*."""
    at = {"schema": table.schema, "name": table.name, "columns": list(columns), "count": len(columns)}
    older = [Right(table, OWNER)] if columns and rows(connection, _OLDER, at) else []
    return [*(Right(table, what) for what in rights), *older]


def missing_rights(connection: Connection, rights: Collection[Right]) -> tuple[str, ...]:
    """Return those that the role lacks, each with what grants it."""
    with observing(connection):
        return missing_of(connection, rights)
