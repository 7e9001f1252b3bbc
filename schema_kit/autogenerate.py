"""The autogenerate door: partitions and our own tables stay out of diffs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

import sqlalchemy as sa

from schema_kit.catalog.session import rows
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import CONFIG_SCHEMA
from schema_kit.steps.retirement import RETIRED_PARTITION

_PARTITIONS = (
    "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition"
)

_HAS_RETIRED = f"SELECT 'it is there' WHERE to_regclass('{RETIRED_PARTITION.sql}') IS NOT NULL"

# By its oid, or after a dump and restore, when that means nothing, by its name.
_RETIRED = (
    f"SELECT r.partition_name FROM {RETIRED_PARTITION.sql} r "  # noqa: S608 - our own
    "WHERE (to_jsonb(r) ->> 'record_oid')::oid IS DISTINCT FROM r.tableoid OR EXISTS (SELECT FROM pg_class c "
    "WHERE c.oid = r.partition_oid)"
)

_CLONES = (
    "SELECT n.nspname, c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'f' AND k.conparentid <> 0"
)


def include_name(
    connection: Callable[[], sa.Connection | None], schemas: Collection[str | None]
) -> Callable[[str | None, str, Mapping[str, str | None]], bool]:
    """An ``include_name`` for ``context.configure``, so that autogenerate does not want to drop partitions.

    Hides the partitions, those that schema_kit has detached and not dropped yet, and the copies of a foreign key that
    PostgreSQL keeps for each partition at its other end.

    Args:
        connection: gives the connection to ask, when the first table's name comes by.
        schemas: those of the models; others, and schema_kit's own, are left alone.
    """

    @cache
    def hidden(sql: str) -> frozenset[tuple[str, ...]]:
        found = connection()
        return frozenset(tuple(row) for row in rows(found, sql)) if found else frozenset()

    def include(name: str | None, type_: str, parents: Mapping[str, str | None]) -> bool:
        if type_ == "schema":
            return name in schemas and name != CONFIG_SCHEMA
        schema = parents.get("schema_name") or "public"
        if type_ == "table":
            retired = hidden(_RETIRED) if hidden(_HAS_RETIRED) else frozenset()
            known = {QualifiedName.parse(text) for (text,) in retired}
            return (schema, name) not in hidden(_PARTITIONS) and QualifiedName(schema, name or "") not in known
        if type_ == "foreign_key_constraint":
            return (schema, parents.get("table_name"), name) not in hidden(_CLONES)
        return True

    return include
