"""What to write instead of what was found: calls of our operations, which `fix` writes, or a sentence. Pure."""

from __future__ import annotations

import re

from schema_kit.lint.facts import Statement, Table

CALLS = {
    "create_index": "create_index_concurrently",
    "drop_index": "drop_index_concurrently",
    "reindex": "reindex_concurrently",
    "refresh": "refresh_materialized_view_concurrently",
    "create_foreign_key": "create_foreign_key_concurrently",
    "create_check_constraint": "create_check_constraint_concurrently",
    "create_unique_constraint": "create_unique_constraint_concurrently",
    "create_primary_key": "create_primary_key_concurrently",
    "drop_constraint": "drop_constraint_concurrently",
    "set_not_null": "set_not_null_concurrently",
    "validate": "validate_constraint",
    "alter_column": "alter_column_concurrently",
    "add_column": "add_column_concurrently",
    "drop_column": "drop_column_concurrently",
    "drop_table": "drop_table_concurrently",
    "detach": "detach_partition_concurrently",
    "add_enum_value": "add_enum_value_concurrently",
    "update": "update_in_batches",
}
"""Our operation for each of Alembic's, and for statements for which Alembic has none."""

_BY_STATEMENT = (
    (r"CREATE\s+(UNIQUE\s+)?INDEX", "create_index", ""),
    (r"DROP\s+INDEX", "drop_index", ""),
    (r"REINDEX", "reindex", ""),
    (r"REFRESH", "refresh", ""),
    (r"VACUUM\s+.*FULL|VACUUM\s*\(.*FULL|CLUSTER", "", "VACUUM without FULL, or pg_repack"),
    (r"ADD\s+(CONSTRAINT\s+\S+\s+)?FOREIGN\s+KEY", "create_foreign_key", ""),
    (r"ADD\s+(CONSTRAINT\s+\S+\s+)?CHECK", "create_check_constraint", ""),
    (r"ADD\s+(CONSTRAINT\s+\S+\s+)?UNIQUE", "create_unique_constraint", ""),
    (r"ADD\s+(CONSTRAINT\s+\S+\s+)?PRIMARY\s+KEY", "create_primary_key", ""),
    (r"ADD\s+(CONSTRAINT\s+\S+\s+)?EXCLUDE", "", "a new table that has it, filled and exchanged"),
    (r"DROP\s+CONSTRAINT", "drop_constraint", ""),
    (r"SET\s+NOT\s+NULL", "set_not_null", ""),
    (r"VALIDATE\s+CONSTRAINT", "validate", " in a revision of its own"),
    (r"DETACH\s+PARTITION", "detach", ""),
    (r"ALTER\s+TYPE\s+\S+\s+ADD\s+VALUE", "add_enum_value", " in a revision of its own"),
    (r"ADD\s+COLUMN", "add_column", ", then op.update_in_batches(...) for its values"),
    (r"\bTYPE\b", "", "a new column, filled by op.update_in_batches(...), that takes the place of the old one"),
    (r"^\s*(UPDATE|DELETE|WITH|MERGE)", "update", " in a revision of its own"),
)
_BY_KIND = {
    "fails": "run it in a revision that PostgreSQL accepts; see the evidence",
    "rows_gone": "op.drop_table_concurrently(...) once no code uses it; archive the rows first "
    "(op.create_archive_table), and ignore this with the reason",
    "dropped": "drop it when no running code reads it any more, and ignore this with the reason",
    "whole_table": "op.update_in_batches(...) in a revision of its own",
    "renamed": "keep the old name as a view until all code uses the new one",
    "column_renamed": "add the new column, write both, and drop the old one later (op.drop_column_concurrently)",
    "column_dropped": "deploy code that does not read it, then op.drop_column_concurrently(...), and ignore this with "
    "the reason",
    "column_required": "a server_default, or the column nullable first and op.set_not_null_concurrently(...) later",
    "value_renamed": "add the new label (op.add_enum_value_concurrently), update rows, keep the old one",
    "several_tables": "one revision for each table, or operations that commit on their own (op.*_concurrently)",
    "locks_another": "create the table without the foreign key, then op.create_foreign_key_concurrently(...) in a "
    "revision of its own",
    "index_dropped": "op.drop_index_concurrently(...)",
    "detached": "op.detach_partition_concurrently(...)",
    "partition_made": "CREATE TABLE ... (LIKE ...), then op.attach_partition_concurrently(...)",
    "json": "postgresql.JSONB",
    "unfinished": "op.create_index_concurrently(...), which looks whether the index is valid",
    "differs_again": "operations that look at what exists: op.*_concurrently",
    "no_way_back": "a downgrade that undoes the upgrade, or none (pass)",
}


def call(kind: str, statement: Statement, table: Table | None) -> str:
    """Return the call to write instead, for a kind and the statement that was seen."""
    if kind in ("blocks", "fails"):
        for pattern, name, more in _BY_STATEMENT:
            if re.search(pattern, statement.sql, re.IGNORECASE):
                return f"op.{CALLS[name]}(...){more}" if name else more
        if kind == "blocks":
            return f"work on {table} in transactions that hold each lock of it only briefly"
    return _BY_KIND[kind]


def named(sql: str) -> tuple[str, str]:
    """Return the key in CALLS of what does the same as a statement; empty where nothing does, with what to do then."""
    for pattern, name, more in _BY_STATEMENT:
        if re.search(pattern, sql, re.IGNORECASE):
            return name, more
    return "", ""
