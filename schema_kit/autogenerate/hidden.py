"""What autogenerate does not propose to drop: partitions, and what schema_kit has made or keeps.

Importing the operations registers it, in every kind of env.py. What the models name is always compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority

from schema_kit.catalog.session import observing, rows
from schema_kit.marks import ARCHIVE_MARK, BEING_RESTORED, EMPTIED_MARK
from schema_kit.names import MAX_BYTES, fit
from schema_kit.storage import CONFIG_SCHEMA

_SUFFIXES = ("__back", "__key", "__log", "__new", "__old", "__replaced", "__replacement", "__restored", "__staging")
"""Of tables and indexes that a step has made next to another one, and that a later step or command takes away."""

# Partitions and their indexes are passed over here: there may be thousands, which would all be read to be left out.
_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind,
       EXISTS (SELECT 1 FROM unnest(%(marks)s::text[]) AS mark
               WHERE starts_with(obj_description(c.oid, 'pg_class'), mark))
       OR EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e'),
       c.relname ~ '_cc(new|old)[0-9]*$' AND NOT x.indisvalid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'i', 'I') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""

_STEMS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'i', 'I') AND (c.relname = ANY (%(stems)s) OR octet_length(c.relname) > %(uncut)s)
"""

_REMEMBERED = (
    ("archive_policy", "archive_table"),
    ("archive_file", "restored_to"),
    ("archive_file", "table_name"),
    ("archive_file_due", "table_name"),
    ("archived_partition", "archive_table"),
    ("archived_partition", "partition_name"),
    ("cold_archive", "cold_table"),
    ("cold_partition", "partition_name"),
    ("retired_partition", "partition_name"),
    ("copy_target", "built_as"),
)
"""Own tables, and their columns that name a table which no model has to know."""

_PATH = "SELECT schema FROM unnest(current_schemas(false)) WITH ORDINALITY AS s (schema, place) ORDER BY place DESC"
"""Where Alembic looks for names without a schema, the last first: the session's, whatever the dialect knows."""

_THERE = "SELECT 'it is there' WHERE to_regclass(%(table)s) IS NOT NULL"
_NAMED = """
SELECT n.nspname, c.relname FROM {table} t JOIN pg_class c ON c.oid = to_regclass(t.{column})
JOIN pg_namespace n ON n.oid = c.relnamespace
"""

_CLONES = """
SELECT n.nspname, c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conparentid <> 0 AND NOT c.relispartition
"""


@comparators.dispatch_for("schema", priority=DispatchPriority.FIRST, qualifier="postgresql")
def hide(context: AutogenContext, _: UpgradeOps, schemas: set[str | None]) -> None:
    """Add a filter to those of env.py, before Alembic looks at the tables.

    It hides partitions; tables of extensions; tables that schema_kit has retired, emptied or archived to, has written
    to files or loads from them, copies, or keeps for a rollback; what an interrupted step has left, or REINDEX
    CONCURRENTLY, and the index that is to become a primary key or a unique constraint of the models; foreign keys that
    PostgreSQL keeps for each partition; and schema_kit's own schema.
    """
    connection = context.connection
    if connection is None:
        return
    schemas.discard(CONFIG_SCHEMA)
    path = [schema for (schema,) in rows(connection, _PATH)]
    with observing(connection):
        relations = rows(connection, _RELATIONS, {"marks": [ARCHIVE_MARK, BEING_RESTORED, EMPTIED_MARK]})
        clones = {tuple(row) for row in rows(connection, _CLONES)}
        remembered = {name for table, column in _REMEMBERED for name in _named(connection, table, column)}
        names = {(schema, name) for schema, name, *_ in relations}
        beside = _beside(connection, names)
    visible = {name: schema for place in path for schema, name in names if schema == place}
    models = {(table.schema or visible.get(table.name), table.name): table for table in context.sorted_tables}
    hidden = {(schema, name) for schema, name, kind, hides, _ in relations if hides and kind in "rp"}
    tables = names - (hidden | remembered | beside) | models.keys()
    keys = {(schema, key) for (schema, name), table in models.items() for key in _keys(name, table)}
    rebuilt = {(schema, name) for schema, name, *_, left in relations if left}
    indexes = beside | keys | rebuilt

    def included(name: str | None, type_: str, parents: Mapping[str, str | None]) -> bool:
        table = name if type_ == "table" else parents.get("table_name")
        schema = parents.get("schema_name") or visible.get(table or "")
        if type_ == "table":
            return (schema, name) in tables
        if type_ == "index":
            return (schema, name) not in indexes
        if type_ == "foreign_key_constraint":
            return (schema, table, name) not in clones
        return True

    filters: list[Any] = context._name_filters
    filters.append(included)


def _beside(connection: sa.Connection, names: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those that a step has made next to another relation: of its name, with a suffix."""
    made = {(schema, name, suffix) for schema, name in names for suffix in _SUFFIXES if name.endswith(suffix)}
    if not made:
        return set()
    longest = max(len(name.encode()) for _, name, _ in made)
    uncut = MAX_BYTES - max(map(len, _SUFFIXES)) if longest == MAX_BYTES else MAX_BYTES
    stems = {"stems": [name.removesuffix(suffix) for _, name, suffix in made], "uncut": uncut}
    there = {(schema, name) for schema, name in rows(connection, _STEMS, stems)}
    return {(schema, fit(name, suffix)) for (schema, name), suffix in product(there, _SUFFIXES)} & names


def _keys(name: str, table: sa.Table) -> Iterator[str]:
    """Yield names of the indexes that the constraints of a model have, once they exist."""
    yield str(table.primary_key.name or f"{name}_pkey")
    for one in table.constraints:
        if isinstance(one, sa.UniqueConstraint):
            yield str(one.name or "_".join((name, *one.columns.keys(), "key")))


def _named(connection: sa.Connection, table: str, column: str) -> set[tuple[str, str]]:
    own = f'"{CONFIG_SCHEMA}"."{table}"'
    if not rows(connection, _THERE, {"table": own}):
        return set()
    return {(schema, name) for schema, name in rows(connection, _NAMED.format(table=own, column=column))}
