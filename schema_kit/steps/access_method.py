"""The commit in which a partition is stored by another access method: columnar in an archive, heap before it leaves."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.names import QualifiedName, ident, literal
from schema_kit.steps.step import Lock, Step, exclusive
from schema_kit.storage import RETIRED_PARTITION


@dataclass(frozen=True)
class ChangeAccessMethod(Step):
    """All rows of a table are written again by another access method, counted and summed up before and after.

    Args:
        table: the table; a partition of an archive.
        method: the access method.
        columns: all of its columns.
        parent: what it is a partition of.
        by_citus: whether Citus' function does it, which makes another table of it.
    """

    may_block = True
    reads_rows = True
    decide_again = True
    says = "store {self.table} by access method {self.method}; its readers wait until it is compared"

    table: QualifiedName
    method: str
    columns: tuple[str, ...]
    parent: QualifiedName | None = None
    by_citus: bool = False

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Its readers wait; Citus detaches it and attaches what it has made."""
        above = (self.parent,) if self.by_citus and self.parent else ()
        return exclusive((*above, self.table))

    def sql(self) -> tuple[str, ...]:
        """What is another table by now is remembered by its new oid."""
        name = self.table.sql
        row = f"ROW({', '.join(f'own.{ident(column)}' for column in self.columns)})::text"
        total = (
            "SELECT pg_catalog.concat(pg_catalog.count(*), ' rows, checksum ', "
            f"coalesce(pg_catalog.sum(pg_catalog.hashtextextended({row}, 0)::numeric), 0)) "
            f"FROM {name} own"
        )
        change = f"ALTER TABLE {name} SET ACCESS METHOD {ident(self.method)}"
        if self.by_citus:
            change = f"SELECT pg_catalog.alter_table_set_access_method({literal(name)}, {literal(self.method)})"
        message = literal(f"{self.table} has other rows by access method {self.method} than before: ")
        body = f"""DECLARE before text; after text; old_oid oid; now_oid oid;
BEGIN
  old_oid := {literal(name)}::pg_catalog.regclass;
  EXECUTE {literal(total)} INTO before;
  EXECUTE {literal(change)};
  EXECUTE {literal(total)} INTO after;
  IF before <> after THEN
    RAISE data_corrupted USING MESSAGE = {message} || before || ', then ' || after;
  END IF;
  now_oid := {literal(name)}::text::pg_catalog.regclass;
  IF now_oid <> old_oid AND pg_catalog.to_regclass({literal(RETIRED_PARTITION.sql)}) IS NOT NULL THEN
    UPDATE {RETIRED_PARTITION.sql} SET partition_oid = now_oid WHERE partition_oid = old_oid;
  END IF;
END"""
        return (f"LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE", f"DO {literal(body)}")
