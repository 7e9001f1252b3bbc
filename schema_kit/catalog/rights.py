"""What whoever runs this may not do, found before anything is sent."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from schema_kit.catalog.policies import OURS
from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import PART_CONFIG

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

_LACKING = """
SELECT 'this server is a standby, and only reads' WHERE pg_is_in_recovery()
UNION ALL SELECT format('there is no schema %%I', w.name) FROM unnest(%(schemas)s::text[]) w (name)
WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = w.name)
UNION ALL SELECT format('%%I may not CREATE in schema %%I', current_user, n.nspname) FROM pg_namespace n
WHERE n.nspname = ANY (%(schemas)s) AND NOT has_schema_privilege(n.oid, 'CREATE')
UNION ALL SELECT format('%%I may not refer to table %%s (REFERENCES)', current_user, c.oid::regclass)
FROM unnest(%(referenced)s::text[]) w (name) JOIN pg_class c ON c.oid = to_regclass(w.name)
WHERE NOT has_any_column_privilege(c.oid, 'REFERENCES')
"""

_LACKING_TO_REGISTER = """
UNION ALL SELECT format('%%I may not %%s %%s', current_user, p.privilege, c.oid::regclass)
FROM pg_class c, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p (privilege)
WHERE c.oid = to_regclass(%(config)s) AND NOT has_table_privilege(c.oid, p.privilege)
UNION ALL SELECT format('%%s is of an older version and belongs to %%I, whose rights %%I has not', c.oid::regclass,
                        pg_get_userbyid(c.relowner), current_user)
FROM pg_class c WHERE c.oid = to_regclass(%(config)s) AND NOT pg_has_role(c.relowner, 'USAGE')
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = ANY (%(ours)s)) < %(count)s
UNION ALL SELECT format('%%I may not CREATE in this database, where the schema of the policies is missing',
                        current_user)
WHERE to_regnamespace(%(config_schema)s) IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL SELECT format('%%I may not CREATE in schema %%I, where the policies'' table is missing', current_user,
                        n.nspname)
FROM pg_namespace n WHERE n.oid = to_regnamespace(%(config_schema)s) AND to_regclass(%(config)s) IS NULL
  AND NOT has_schema_privilege(n.oid, 'CREATE')
"""


def missing_for_partitions(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """The rights that making partitions of *table* needs and that are not there, each with what grants it."""
    return tuple(row[0] for row in rows(connection, _MAKING_PARTITIONS, {"schema": table.schema, "name": table.name}))


def missing_for_reading(connection: Connection, table: QualifiedName) -> tuple[str, ...]:
    """The right that reading *table* needs and that is not there, with what grants it."""
    return tuple(row[0] for row in rows(connection, _READING, {"schema": table.schema, "name": table.name}))


def missing_for_sets(
    connection: Connection, create_in: Collection[str], refer_to: Collection[QualifiedName], register: bool
) -> tuple[str, ...]:
    """A sentence for each thing that is missing; none, and nothing is."""
    values = {
        "schemas": list(create_in),
        "referenced": [table.sql for table in refer_to],
        "config": PART_CONFIG.sql,
        "config_schema": f'"{PART_CONFIG.schema}"',
        "ours": sorted(OURS),
        "count": len(OURS),
    }
    return tuple(row[0] for row in rows(connection, _LACKING + (_LACKING_TO_REGISTER if register else ""), values))
