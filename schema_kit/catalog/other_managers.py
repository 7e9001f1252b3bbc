"""Read the policies of other partition managers: pg_partman's table, pgslice's comments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import policies
from schema_kit.catalog.session import observing, rows
from schema_kit.errors import PlanError
from schema_kit.model import Partitioning, Told
from schema_kit.model.scripts import PartmanConfig, PartmanRow
from schema_kit.names import QualifiedName
from schema_kit.storage import CONFIG_SCHEMA

# The extension's table lies in the schema that was chosen for it; the same files installed without it count, too.
_CONFIGS = """
SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'part_config' AND c.relkind = 'r' AND n.nspname <> %(ours)s
  AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
       AND a.attname IN ('parent_table', 'control', 'partition_interval', 'premake')) = 4
ORDER BY n.nspname
"""

_TREE = """
SELECT n.nspname::text, c.relname::text FROM pg_partition_tree(to_regclass(%(parent)s)) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'p' ORDER BY t.level, 1, 2
"""

# A table partitioned by RANGE of one column. A parent by LIST or HASH of such tables stands for all of them.
_PARTITIONED = """
WITH RECURSIVE found AS (
  SELECT c.oid AS root, c.oid FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE CASE WHEN %(names)s::text[] IS NULL THEN NOT c.relispartition AND c.relpersistence <> 't'
             ELSE n.nspname || '.' || c.relname = ANY (%(names)s) END
  UNION ALL
  SELECT f.root, i.inhrelid FROM found f JOIN pg_partitioned_table p ON p.partrelid = f.oid AND p.partstrat <> 'r'
  JOIN pg_inherits i ON i.inhparent = f.oid
)
SELECT n.nspname, r.relname, min(a.attname)
FROM found f JOIN pg_partitioned_table p ON p.partrelid = f.oid AND p.partstrat = 'r' AND p.partnatts = 1
JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = p.partattrs[0]
JOIN pg_class r ON r.oid = f.root JOIN pg_namespace n ON n.oid = r.relnamespace
GROUP BY r.oid, n.nspname, r.relname HAVING count(DISTINCT a.attname) = 1 ORDER BY n.nspname, r.relname
"""

_ZONES = """
SELECT split_part(setting, '=', 2), 'the database''s' FROM pg_db_role_setting s, unnest(s.setconfig) setting
WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND setting ILIKE 'timezone=%%'
UNION ALL SELECT reset_val, 'the session''s' FROM pg_settings WHERE name = 'TimeZone'
"""

_COMMENT = "SELECT obj_description(to_regclass(%(parent)s), 'pg_class')"


def partitioned(
    connection: Connection, names: Sequence[QualifiedName] | None = None
) -> list[tuple[QualifiedName, str]]:
    """Return the tables partitioned by range, or by values into such tables: each with its control column."""
    wanted = None if names is None else [f"{name.schema}.{name.name}" for name in names]
    found = rows(connection, _PARTITIONED, {"names": wanted})
    return [(QualifiedName(schema, name), control) for schema, name, control in found]


def time_zones(connection: Connection) -> list[tuple[str, str]]:
    """Return names of time zones, and whose they are; those that are asked first come first."""
    return [(row[0], row[1]) for row in rows(connection, _ZONES, {})]


def partman_manages(connection: Connection, parent: QualifiedName) -> bool:
    """Return whether a pg_partman knows the partitioned table too, or may: its table cannot be read."""
    for schema, readable in rows(connection, _CONFIGS, {"ours": CONFIG_SCHEMA}):
        table = QualifiedName(schema, "part_config").sql
        asked = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE parent_table = %(parent)s)"
        if not readable or rows(connection, asked, {"parent": f"{parent.schema}.{parent.name}"})[0][0]:
            return True
    return False


def configs(connection: Connection) -> list[PartmanConfig]:
    """Return the tables of each real pg_partman that may be written, with their columns."""
    found = []
    for schema, readable in rows(connection, _CONFIGS, {"ours": CONFIG_SCHEMA}):
        asked = "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0 "
        columns, sub_columns = (
            frozenset(row[0] for row in rows(connection, asked + "AND NOT attisdropped", {"name": name.sql}))
            for name in (QualifiedName(schema, "part_config"), QualifiedName(schema, "part_config_sub"))
        )
        if readable:
            found.append(PartmanConfig(schema, columns, sub_columns))
    return found


def tree(connection: Connection, parent: QualifiedName, schema: str) -> tuple[PartmanRow, ...]:
    """Read a table and its partitioned partitions, from the top, as the part_config of a schema knows them.

    Args:
        connection: what is asked.
        parent: the partitioned table.
        schema: schema_kit's own, or one of a pg_partman.
    """
    config, sub = QualifiedName(schema, "part_config"), QualifiedName(schema, "part_config_sub")
    with observing(connection):
        known = [QualifiedName(*row) for row in rows(connection, _TREE, {"parent": parent.sql})]
        spelled = {str(name) if schema == CONFIG_SCHEMA else f"{name.schema}.{name.name}": name for name in known}
        has_sub = rows(connection, "SELECT to_regclass(%(name)s) IS NOT NULL", {"name": sub.sql})[0][0]
        below = (
            f"(SELECT to_jsonb(b) FROM {sub.sql} b WHERE b.sub_parent = c.parent_table)" if has_sub else "NULL::jsonb"
        )
        asked = f"SELECT to_jsonb(c), {below} FROM {config.sql} c WHERE c.parent_table = ANY (%(names)s)"
        seen = rows(connection, asked, {"names": [*spelled]})
    found = {spelled[row["parent_table"]]: (row, more) for row, more in seen}
    for row, more in found.values():
        for held, prefix in ((row, ""), (more or {}, "sub_")):
            for name in (f"{prefix}partition_interval", f"{prefix}retention"):
                held.update({name: _plain_interval(connection, held[name])} if held.get(name) else {})
    return tuple(PartmanRow(name, *found[name]) for name in known if name in found)


def told(connection: Connection, parent: QualifiedName) -> tuple[Told, ...]:
    """Return what other tools have written down about a partitioned table."""
    found = []
    with observing(connection):
        configs = [row[0] for row in rows(connection, _CONFIGS, {"ours": CONFIG_SCHEMA}) if row[1]]
        comment = rows(connection, _COMMENT, {"parent": parent.sql})[0][0] or ""
    for schema in configs:
        config = QualifiedName(schema, "part_config")
        sql = f"SELECT to_jsonb(c) FROM {config.sql} c WHERE parent_table = %(parent)s"
        with observing(connection):
            seen = rows(connection, sql, {"parent": f"{parent.schema}.{parent.name}"})
        for (row,) in seen:
            lengths = {
                name: _plain_interval(connection, row[name])
                for name in ("partition_interval", "retention")
                if row.get(name)
            }
            policy = policies.read({**row, "parent_table": str(parent), **lengths})
            on = row.get("automatic_maintenance", "off") == "on"
            other = row.get("datetime_string") not in (None, "YYYYMMDD", "YYYYMMDD_HH24MISS")
            of_sql = PartmanRow(parent, row).of_sql
            found.append(Told(policy, f"pg_partman's {config}", config, on, other, of_sql))
    if slices := re.search(r"\bcolumn:(\w+),period:(day|month|year)\b", comment):
        policy = Partitioning(parent, slices[1], f"1 {slices[2]}")
        found.append(Told(policy, "pgslice's comment"))
    return tuple(found)


def _plain_interval(connection: Connection, text: str) -> str:
    """Return an interval as this session prints it: pg_partman keeps it in the IntervalStyle of its writer."""
    if re.fullmatch(r"\d+", text):
        return text
    try:
        with observing(connection):
            return str(rows(connection, "SELECT %(text)s::interval::text", {"text": text})[0][0])
    except (DBAPIError, PlanError):
        return text  # said when it cannot be read
