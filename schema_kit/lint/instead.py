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

_ATTACHED = "CREATE TABLE ... (LIKE ...), then op.attach_partition_concurrently(...)"
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
    (
        r"^\s*CREATE\s+TABLE\b.*\bPARTITION\s+OF",
        "",
        "CREATE TABLE ... (LIKE ...), then op.attach_partition_concurrently(...)",
    ),
    (r"DETACH\s+PARTITION", "detach", ""),
    (r"ATTACH\s+PARTITION", "", "op.attach_partition_concurrently(...)"),
    (r"ALTER\s+TYPE\s+\S+\s+ADD\s+VALUE", "add_enum_value", " in a revision of its own"),
    (r"ADD\s+COLUMN", "add_column", ", then op.update_in_batches(...) for its values"),
    (r"\bTYPE\b", "", "a new column, filled by op.update_in_batches(...), that takes the place of the old one"),
    (r"^\s*DELETE\b", "", "DELETE of one range of keys after the other, each in a transaction of its own"),
    (r"^\s*LOCK\b", "", "no LOCK: each statement takes the lock that it requires"),
    (r"^\s*(UPDATE|WITH|MERGE)", "update", " in a revision of its own"),
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
    "type_differs": "a new column of the new type, which the code writes too, before the old one goes",
    "restarted": "setval to the largest number that rows have",
    "along": "drop each of them by its name, in the revision that stops using it",
    "locked": "no LOCK: each statement takes the lock that it requires; or SELECT ... FOR UPDATE of few rows",
    "label": "add the new label (op.add_enum_value_concurrently), update rows, keep the old one",
    "unique": "another unique index on the same columns first (op.create_index_concurrently), and ignore this with the "
    "reason once no code relies on it",
    "default": "a new default in the same transaction, once all code gives a value ignore this with the reason",
    "right": "revoke it once no role of running code uses it, and ignore this with the reason",
    "hidden": "CREATE POLICY in the same transaction, before ENABLE ROW LEVEL SECURITY",
    "disabled": "enable it in the same transaction, or drop it when no code relies on it",
    "instead": "a trigger, or code that sends it no more, and ignore this with the reason",
    "always": "GENERATED BY DEFAULT until no code gives a value",
    "published": "keep it until no subscriber requires it, and ignore this with the reason",
    "unidentified": "a primary key, or REPLICA IDENTITY FULL, first",
    "gone": "keep it until no running code uses it, and ignore this with the reason",
    "several_tables": "one revision for each table, or operations that commit on their own (op.*_concurrently)",
    "locks_another": "create the table without the foreign key, then op.create_foreign_key_concurrently(...) in a "
    "revision of its own",
    "index_dropped": "op.drop_index_concurrently(...)",
    "detached": "op.detach_partition_concurrently(...)",
    "partition_made": _ATTACHED,
    "json": "postgresql.JSONB",
    "unfinished": "op.create_index_concurrently(...), which looks whether the index is valid",
    "differs_again": "operations that look at what exists: op.*_concurrently",
    "no_way_back": "a downgrade that undoes the upgrade, or none (pass)",
}


_LIKE = {
    **dict.fromkeys(("schema", "extension", "function", "type", "sequence", "computed", "inherits"), "gone"),
    "hidden_from_owner": "hidden",
    "right_on_schema": "right",
    "right_on_function": "right",
}
"""Kinds for which the same is to do."""


def call(kind: str, statement: Statement, table: Table | None) -> str:
    """Return the call to write instead, for a kind and the statement that was seen."""
    if kind == "unfinished" and re.match(r"REINDEX", statement.sql, re.IGNORECASE):
        return f"op.{CALLS['reindex']}(...), which drops what an interrupted one has left"
    if kind in ("blocks", "fails") or (kind == "whole_table" and re.match(r"DELETE", statement.sql, re.IGNORECASE)):
        for pattern, name, more in _BY_STATEMENT:
            if re.search(pattern, statement.sql, re.IGNORECASE):
                return f"op.{CALLS[name]}(...){more}" if name else more
        if kind == "blocks":
            return f"work on {table or 'it'} in transactions that hold each lock of it only briefly"
    return _BY_KIND[_LIKE.get(kind, kind)]


def named(sql: str) -> tuple[str, str]:
    """Return the key in CALLS of what does the same as a statement; empty where nothing does, with what to do then."""
    for pattern, name, more in _BY_STATEMENT:
        if re.search(pattern, sql, re.IGNORECASE):
            return name, more
    return "", ""
