"""Layouts of tables whose rows leave: a batch never moves other columns, or to other columns, than those looked at.

Batches go on for hours, and each deletes what it has copied. A column that came since, or that has another type or name
by now, would be lost with its rows; so would the rows of a table that has come to reference them with ON DELETE
CASCADE; and rows that row security hides by now, an archive without it would show. A stamp (stamps.py) says more than
that, and would have them decided again for each index or grant.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from schema_kit.fingerprints.stamps import OVERTAKEN
from schema_kit.model.locks import Seen
from schema_kit.names import QualifiedName, asking_sql, literal


def layout_sql(table: QualifiedName) -> str:
    """Return a SELECT of one text: the columns of a table, its primary key, and what references it or a partition.

    By its name in pg_class, for roles that lack USAGE on the schema; NULL where no table has the name.
    """
    return (
        "WITH own AS (SELECT c.oid, c.relrowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {literal(table.schema)} AND c.relname = {literal(table.name)}), "
        "tree AS (SELECT oid FROM own UNION SELECT p.relid FROM own, pg_partition_tree(own.oid::regclass) p), "
        "line (text) AS (SELECT 'row security' FROM own WHERE relrowsecurity "
        "UNION ALL SELECT concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated) "
        "FROM own JOIN pg_attribute a ON a.attrelid = own.oid WHERE a.attnum > 0 AND NOT a.attisdropped "
        "UNION ALL SELECT concat_ws(' ', k.oid, k.conkey) FROM own JOIN pg_constraint k ON k.conrelid = own.oid "
        "WHERE k.contype = 'p' "
        "UNION ALL SELECT concat_ws(' ', k.oid, k.conrelid, k.conkey, k.confkey, k.confdeltype) FROM tree "
        "JOIN pg_constraint k ON k.confrelid = tree.oid WHERE k.contype = 'f' AND k.conparentid = 0) "
        "SELECT hashtextextended(string_agg(text, ',' ORDER BY text), 0)::text FROM line"
    )


def same_layout_sql(seen: Sequence[Seen], written: Collection[QualifiedName] = ()) -> str:
    """Return a statement that raises OVERTAKEN where a table has another layout than was last seen.

    Args:
        seen: the tables, and their layouts.
        written: those of them that are locked as each write locks them, and the others as each query does, so that the
            answer holds until the commit; none, and nothing is locked.
    """
    read = [one.table for one in seen if written and one.table not in written]
    body = "".join(
        f"LOCK TABLE {', '.join(f'ONLY {name.sql}' for name in tables)} IN {mode} MODE; "
        for tables, mode in ((written, "ROW EXCLUSIVE"), (read, "ACCESS SHARE"))
        if tables
    )
    for one in seen:
        message = literal(f"{one.table} was changed after it was looked at")
        body += (
            f"IF ({layout_sql(one.table)}) IS DISTINCT FROM {literal(one.stamp)} THEN "
            f"RAISE EXCEPTION USING ERRCODE = '{OVERTAKEN}', MESSAGE = {message}; END IF; "
        )
    return asking_sql(body)
