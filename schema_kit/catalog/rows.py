"""What has to be known of tables whose rows leave: their keys and indexes, and what refers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog import citus, foreign_keys, kinds
from schema_kit.catalog.keys import COLUMN, FROM_INDEX, key_column
from schema_kit.catalog.nouns import noun
from schema_kit.catalog.privileges import Right
from schema_kit.catalog.rights import missing_of
from schema_kit.catalog.session import HIDES_ROWS, ON_CITUS, note_citus, rows
from schema_kit.errors import PlanError
from schema_kit.fingerprints.layouts import layout_sql
from schema_kit.model import KEEPS_ROWS, KeyColumn, LeavingTable, TimeToLive, Tree
from schema_kit.names import QualifiedName
from schema_kit.storage import TTL_POLICY

"""What a foreign key does with its rows, so that they may stay: SET NULL, SET DEFAULT."""

# By oid in pg_catalog alone: without USAGE on the schema, to_regclass() would be refused.
_TABLE = f"""
SELECT {ON_CITUS}, c.oid::bigint, c.relkind = 'p',
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum),
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated <> '' ORDER BY attnum),
       ARRAY(SELECT ARRAY[attname::text, format_type(atttypid, atttypmod)] FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s AND c.relkind IN ('r', 'p')
"""

_INDEXES = f"""
SELECT x.indexrelid::bigint, x.indisprimary, k.place, {COLUMN} FROM {FROM_INDEX}
WHERE x.indrelid = %(oid)s AND x.indisvalid AND x.indpred IS NULL AND k.place <= x.indnkeyatts
ORDER BY x.indexrelid, k.place
"""

# FOR UPDATE asks for UPDATE. Row security is off in these steps, which only few may say.
_HIDDEN = f"""
SELECT {HIDES_ROWS}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %(oid)s AND row_security_active(c.oid)
"""


def read(connection: Connection, name: QualifiedName, *privileges: str) -> LeavingTable | None:
    """Return one table, and which of the privileges are missing; None where there is none. Call it while observing."""
    row = kinds.found(connection, _TABLE, name)
    if row is None:
        return None
    on_citus, oid, partitioned, columns, generated, types = row
    note_citus(connection, on_citus)
    lacks = missing_of(connection, (Right(name, what) for what in privileges))
    hidden = [row[0] for row in rows(connection, _HIDDEN, {"oid": oid})]
    indexes: dict[int, list[KeyColumn]] = {}
    primary: int | None = None
    for index, is_primary, place, *column in rows(connection, _INDEXES, {"oid": oid}):
        own = indexes.setdefault(index, [])
        if len(own) == place - 1:  # what stands behind an expression is of no use
            own.append(key_column(column))
        primary = index if is_primary else primary
    return LeavingTable(
        name,
        tuple(columns),
        tuple(indexes[primary]) if primary is not None else (),
        tuple(tuple(own) for own in indexes.values() if own),
        foreign_keys.referring(connection, oid),
        tuple(generated),
        partitioned,
        tuple((column, type_) for column, type_ in types),
        (*lacks, *hidden),
        citus.read(connection, [oid]).get(oid),
        rows(connection, layout_sql(name))[0][0],
    )


def read_tree(connection: Connection, root: QualifiedName) -> Mapping[QualifiedName, LeavingTable]:
    """Return the table and all that refers to it by foreign keys whose rows would not stay, and what refers to that."""
    found: dict[QualifiedName, LeavingTable] = {}
    ahead = [root]
    while ahead:
        name = ahead.pop()
        if name in found or (table := read(connection, name, "SELECT", "UPDATE", "DELETE")) is None:
            continue
        found[name] = table
        ahead += [key.table for key in table.incoming if key.on_delete not in KEEPS_ROWS]
    staying = {key.table for table in found.values() for key in table.incoming} - set(found)
    for name in staying:
        if table := read(connection, name):
            found[name] = table
    return found


def policies(connection: Connection) -> tuple[TimeToLive, ...]:
    """Return all rows of ttl_policy.

    Raises:
        PlanError: the role lacks the privilege to read it.
    """
    if not rows(connection, "SELECT 1 FROM pg_class WHERE oid = to_regclass(%(name)s)", {"name": TTL_POLICY.sql}):
        return ()
    found = rows(connection, f"SELECT to_jsonb(p) FROM {TTL_POLICY.sql} p ORDER BY table_name")
    return tuple(_policy(row[0]) for row in found)


def _policy(row: Mapping[str, Any]) -> TimeToLive:
    tree: Tree | None = row["tree"]
    if tree is not None and not isinstance(tree, dict):
        raise PlanError(f"the tree of {row['table_name']} in {TTL_POLICY} is not a JSON object.")
    return noun(TimeToLive, row, table=QualifiedName.parse(row["table_name"]), column=row["column_name"])
