"""Steps on emptied partitions: empty children of the plain table, kept for older snapshots.

A transaction whose snapshot is older than the move sees the rows where they were, not where they are. So they are
deleted, not dropped, and the tables that held them become children of the one that has taken them in: such a
transaction goes on reading every row once, and PostgreSQL refuses an UPDATE of one that has moved (40001) instead of
passing it over. They are dropped when no such transaction is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schema_kit.fingerprints.snapshots import PATIENCE_SECONDS, older_sql
from schema_kit.marks import EMPTIED_MARK
from schema_kit.names import PATH_KEPT, QualifiedName, literal, own_path, sending_sql
from schema_kit.steps.step import Lock, Step, exclusive


def move_sql(source: QualifiedName, leaves: Sequence[QualifiedName], to: QualifiedName, columns: str) -> Iterable[str]:
    """Move rows, all of them: what has arrived is counted against the rows before.

    Args:
        source: the partitioned table whose rows they are.
        leaves: the partitions that hold them.
        to: the table that takes them in.
        columns: what is copied, as a list in SQL.
    """
    if not leaves:
        return
    yield from (f"ALTER TABLE {leaf.sql} DISABLE TRIGGER USER" for leaf in leaves)  # nothing happens to the rows
    lost = literal(f" rows of {source} were to move to {to}, but so many arrived: ")
    kept = literal(f"rows of {source} stay where they are: a rule or a trigger keeps them")
    body = f"""DECLARE
  schema_kit_there bigint;
  schema_kit_arrived bigint;
BEGIN
  SELECT pg_catalog.count(*) INTO schema_kit_there FROM {source.sql};
  WITH gone AS (DELETE FROM {source.sql} RETURNING {columns})
  INSERT INTO {to.sql} ({columns}) SELECT {columns} FROM gone;
  GET DIAGNOSTICS schema_kit_arrived = ROW_COUNT;
  IF schema_kit_arrived <> schema_kit_there THEN
    RAISE assert_failure USING MESSAGE = schema_kit_there::text || {lost} || schema_kit_arrived::text;
  END IF;
  IF EXISTS (SELECT 1 FROM {source.sql}) THEN RAISE assert_failure USING MESSAGE = {kept}; END IF;
END"""
    yield f"DO {literal(body)}"


def droppable_sql(tables: Sequence[QualifiedName]) -> str:
    """Tries whether they can be dropped when their time comes, and puts them back: what depends on them stops this."""
    drop = f"DROP TABLE {', '.join(table.sql for table in tables)}"
    tried = f"BEGIN {drop}; RAISE SQLSTATE 'SKIT0'; EXCEPTION WHEN SQLSTATE 'SKIT0' THEN NULL; END"
    return f"DO {literal(tried)}"


def child_sql(leaf: QualifiedName, table: QualifiedName) -> Iterable[str]:
    """A table that was emptied becomes a child of the one that has its rows, and says so."""
    yield f"ALTER TABLE {leaf.sql} NO FORCE ROW LEVEL SECURITY"  # who drops it has to see that it is empty
    yield f"ALTER TABLE {leaf.sql} INHERIT {table.sql}"
    comment = literal(f"COMMENT ON TABLE {leaf.sql.replace('%', '%%')} IS %L")
    said = literal(f"{EMPTIED_MARK}{table} in ")
    moment = "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
    yield sending_sql(f"SELECT format({comment}, {said} || pg_current_xact_id()::xid || ' at ' || {moment})")


@dataclass(frozen=True)
class DropEmptied(Step):
    """The tables whose rows have moved go, if no session sees rows in them any more."""

    throttled = True
    decide_again = True
    reads_rows = True

    table: QualifiedName
    names: tuple[QualifiedName, ...]

    @property
    def summary(self) -> str:
        """Names the table, and how many they are."""
        count = len(self.names)
        what = "the table" if count == 1 else f"the {count} tables"
        return f"drop {what} that held rows of {self.table} until they moved"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly: who reads the table reads its children."""
        return exclusive(self.names)

    @property
    def _older(self) -> str:
        # All sessions with a snapshot, where nothing says which transaction it was.
        return older_sql(f"coalesce(age({self._said(' in ([0-9]+) at ')}::xid), 0)")

    def _said(self, pattern: str) -> str:
        """Return SQL for a part of what they say of themselves: see `child_sql`."""
        comment = f"obj_description(to_regclass({literal(self.names[0].sql)}), 'pg_class')"
        return f"substring({comment} FROM {literal(pattern)})"

    @property
    def pressure(self) -> str:
        """Who sees rows in them still; for so long, then they are left to the next run."""
        moved = f"{self._said(' at ([^ ]+)$')}::timestamptz"
        waits = f"clock_timestamp() < {moved} + interval '{PATIENCE_SECONDS} seconds'"
        return f"{self._older} AND {waits}"

    def sql(self) -> tuple[str, ...]:
        """Looked at once more under the lock: they hold no row, and no session sees one."""
        tables = self.names
        some = " OR ".join(f"EXISTS (SELECT 1 FROM ONLY {name.sql})" for name in tables)
        message = literal(f"rows were written into what was emptied for {self.table}: {', '.join(map(str, tables))}")
        drop = f"DROP TABLE {', '.join(name.sql for name in tables)}"
        look = own_path(
            f"IF {some} THEN RAISE object_in_use USING MESSAGE = {message}; END IF; older := EXISTS ({self._older});"
        )
        body = f"DECLARE {PATH_KEPT}older boolean; BEGIN {look} IF NOT older THEN {drop}; END IF; END"
        return (f"DO {literal(body)}",)
