"""Copies: whether a source is still what it was when its copy began, and whether its changes are logged."""

from __future__ import annotations

from schema_kit.marks import BACK_TRIGGER, LOG_TRIGGER
from schema_kit.names import QualifiedName, literal


def identity_sql(source: QualifiedName) -> str:
    """Return SQL for what identifies a table: its oid, file, options, columns and checks.

    What the tables for its rows were made like, that is; printed under no setting of a session.
    """
    return (
        "SELECT concat_ws(':', c.oid, pg_relation_filenode(c.oid), array_to_string(c.reloptions, ' '), '') || ("
        "SELECT hashtextextended(string_agg(concat_ws("
        "' ', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attstorage, "
        "a.attcompression), ',' ORDER BY a.attnum), 0) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 "
        "AND NOT a.attisdropped) || (SELECT coalesce(hashtextextended(string_agg(concat_ws(' ', k.conname, "
        "k.conbin::text), ',' ORDER BY k.conname), 0)::text, '') FROM pg_constraint k WHERE k.conrelid = c.oid "
        f"AND k.contype = 'c') FROM pg_class c WHERE c.oid = to_regclass({literal(source.sql)})"
    )


def logging_sql(source: QualifiedName, log: QualifiedName) -> str:
    """Return SQL for whether the trigger exists and fires in every session, and the log exists."""
    return (
        f"SELECT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = to_regclass({literal(source.sql)}) "
        f"AND t.tgname = {literal(LOG_TRIGGER)} AND t.tgenabled = 'A') AND to_regclass({literal(log.sql)}) IS NOT NULL"
    )


def feeding_sql(source: QualifiedName, log: QualifiedName) -> str:
    """Return SQL for whether the trigger is on every partition and fires in every session, and its log exists."""
    return (
        f"SELECT to_regclass({literal(log.sql)}) IS NOT NULL AND to_regclass({literal(source.sql)}) IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM pg_partition_tree(to_regclass({literal(source.sql)})) p WHERE NOT EXISTS ("
        f"SELECT 1 FROM pg_trigger t WHERE t.tgrelid = p.relid AND t.tgname = {literal(BACK_TRIGGER)} "
        "AND t.tgenabled = 'A'))"
    )


def tree_identity_sql(source: QualifiedName, kept: QualifiedName) -> str:
    """Return SQL for what identifies both tables: their oids, their files, their columns."""
    return (
        "SELECT hashtextextended(string_agg(concat_ws(':', c.oid, pg_relation_filenode(c.oid), (SELECT string_agg("
        "concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull), ',' ORDER BY a.attname) FROM pg_attribute a "
        "WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)), ';' ORDER BY c.oid), 0)::text "
        f"FROM pg_class c WHERE c.oid = to_regclass({literal(kept.sql)}) OR c.oid IN ("
        f"SELECT relid FROM pg_partition_tree(to_regclass({literal(source.sql)})))"
    )
