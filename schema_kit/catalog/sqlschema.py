"""What a schema holds of the functions in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from schema_kit.catalog.session import observing, rows
from schema_kit.model.scripts import SeenObject, SqlSchema
from schema_kit.names import ident
from schema_kit.storage import CONFIG_SCHEMA

_OBJECTS = """
SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.proname::text,
       pg_get_function_identity_arguments(p.oid), coalesce(obj_description(p.oid, 'pg_proc'), ''), p.prosrc
FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT CASE WHEN c.relnamespace = to_regnamespace(%(config)s) THEN 'OWN' WHEN c.relkind = 'v' THEN 'VIEW'
            ELSE 'TABLE' END, c.relname::text, '',
       coalesce(obj_description(c.oid, 'pg_class'), ''), NULL
FROM pg_class c
WHERE (c.relnamespace = to_regnamespace(%(schema)s) AND c.relname::text = ANY (%(names)s) AND c.relkind IN ('r', 'v'))
   OR (c.relnamespace = to_regnamespace(%(config)s) AND c.relname::text = ANY (%(own)s))
UNION ALL
SELECT 'TYPE', t.typname::text, '', coalesce(obj_description(t.oid, 'pg_type'), ''), NULL
FROM pg_type t
WHERE t.typnamespace = to_regnamespace(%(schema)s) AND t.typname::text = ANY (%(names)s)
  AND EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
ORDER BY 1, 2
"""

_SCHEMA = """
SELECT to_regnamespace(%(schema)s) IS NOT NULL,
       EXISTS (SELECT 1 FROM pg_extension e
               WHERE e.extname = 'pg_partman' AND e.extnamespace = to_regnamespace(%(schema)s)),
       EXISTS (SELECT 1 FROM pg_class c
               WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind NOT IN ('v', 'c'))
       OR EXISTS (SELECT 1 FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
                  WHERE t.typnamespace = to_regnamespace(%(schema)s) AND t.typcategory <> 'A'
                    AND (c.oid IS NULL OR (c.relkind = 'c' AND NOT t.typname::text = ANY (%(names)s))))
"""

OWN = ("part_config", "part_config_sub", "retired_partition", "archive_policy", "archived_partition")
"""The tables that they work on, in schema_kit's own schema."""


def read(connection: Connection, schema: str, names: Sequence[str]) -> SqlSchema:
    """Return what there is under *names*, and every function, in *schema*."""
    values = {"schema": ident(schema), "names": list(names), "config": ident(CONFIG_SCHEMA), "own": list(OWN)}
    with observing(connection):
        exists, extension, more = rows(connection, _SCHEMA, values)[0]
        found = rows(connection, _OBJECTS, values)
    return SqlSchema(exists, extension, tuple(SeenObject(*row) for row in found), more)
