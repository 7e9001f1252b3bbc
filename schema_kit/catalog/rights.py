"""What whoever runs this may not do, found before anything is sent."""

from __future__ import annotations

from sqlalchemy import Connection

from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName

# Everything here asks pg_catalog by oid: to_regclass() itself would be refused without USAGE on the schema.
_MAKING_PARTITIONS = """
WITH own AS (SELECT c.oid, c.relowner, c.relnamespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = %(schema)s AND c.relname = %(name)s)
SELECT format('it belongs to %%I, whose rights %%I has not (GRANT %%I TO %%I)', pg_get_userbyid(o.relowner),
              current_user, pg_get_userbyid(o.relowner), current_user)
FROM own o WHERE NOT pg_has_role(o.relowner, 'USAGE')
UNION ALL SELECT format('%%I may not CREATE in schema %%s (GRANT CREATE ON SCHEMA %%s TO %%I)', r.rolname,
                        o.relnamespace::regnamespace, o.relnamespace::regnamespace, r.rolname)
FROM own o JOIN pg_roles m ON m.rolname = current_user
JOIN pg_roles r ON r.oid = m.oid OR (r.oid = o.relowner AND NOT m.rolsuper)
WHERE NOT has_schema_privilege(r.oid, o.relnamespace, 'CREATE')
UNION ALL SELECT format('%%I may not refer to table %%s (GRANT REFERENCES ON %%s TO %%I)', current_user,
                        k.confrelid::regclass, k.confrelid::regclass, current_user)
FROM own o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'f'
WHERE NOT has_any_column_privilege(k.confrelid, 'REFERENCES')
"""

_READING = """
SELECT CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE')
            THEN format('%%I may not use schema %%I (GRANT USAGE ON SCHEMA %%I TO %%I)', current_user, n.nspname,
                        n.nspname, current_user)
            ELSE format('%%I may not read %%I.%%I (GRANT SELECT ON %%I.%%I TO %%I)', current_user, n.nspname, c.relname,
                        n.nspname, c.relname, current_user) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
  AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
"""


def missing_for_partitions(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """The rights that making partitions of *table* needs and that are not there, each with what grants it."""
    return tuple(row[0] for row in rows(connection, _MAKING_PARTITIONS, {"schema": table.schema, "name": table.name}))


def missing_for_reading(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """The right that reading *table* needs and that is not there, with what grants it."""
    return tuple(row[0] for row in rows(connection, _READING, {"schema": table.schema, "name": table.name}))
