"""What a check finds: one thing to act on, its evidence and its repair."""

from __future__ import annotations

from dataclasses import dataclass

from schema_kit.names import QualifiedName
from schema_kit.plans.check import Severity

CODES = {
    "index_invalid": Severity.BROKEN,
    "foreign_key_disabled": Severity.BROKEN,
    "replica_identity_missing": Severity.BROKEN,
    "setting_unsafe": Severity.BROKEN,
    "slot_lost": Severity.BROKEN,
    "wraparound": Severity.BROKEN,
    "sequence_near_end": Severity.DUE,
    "index_duplicate": Severity.DUE,
    "index_redundant": Severity.DUE,
    "index_unused": Severity.DUE,
    "foreign_key_unindexed": Severity.DUE,
    "foreign_key_twice": Severity.DUE,
    "constraint_not_valid": Severity.DUE,
    "trigger_disabled": Severity.DUE,
    "statistics_missing": Severity.DUE,
    "statistics_stale": Severity.DUE,
    "published_by_leaf": Severity.DUE,
    "autovacuum_off": Severity.DUE,
    "dead_rows": Severity.DUE,
    "freeze_behind": Severity.DUE,
    "table_bloated": Severity.DUE,
    "index_bloated": Severity.DUE,
    "old_rows_held": Severity.DUE,
    "slot_unused": Severity.DUE,
    "transaction_prepared": Severity.DUE,
    "session_idle_in_transaction": Severity.DUE,
    "session_waits": Severity.DUE,
    "connections_near_limit": Severity.DUE,
    "index_perhaps_unused": Severity.NOTICE,
    "index_on_partitions": Severity.NOTICE,
    "index_null_heavy": Severity.NOTICE,
    "index_boolean": Severity.NOTICE,
    "index_array": Severity.NOTICE,
    "index_covers_partial": Severity.NOTICE,
    "foreign_key_type_differs": Severity.NOTICE,
    "primary_key_missing": Severity.NOTICE,
    "table_unlogged": Severity.NOTICE,
    "partitions_many": Severity.NOTICE,
    "hot_updates_rare": Severity.NOTICE,
    "cache_misses": Severity.NOTICE,
    "table_read_whole": Severity.NOTICE,
    "table_grows": Severity.NOTICE,
    "statement_slower": Severity.NOTICE,
    "statement_slow": Severity.NOTICE,
    "statements_evicted": Severity.NOTICE,
    "work_mem_small": Severity.NOTICE,
    "query_long": Severity.NOTICE,
    "extension_old": Severity.NOTICE,
}
"""Every finding there is, and how much it matters."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What makes a finding go: an operation, or SQL.

    Args:
        call: the call of an operation, for a revision's upgrade().
        back: the call that undoes it, for downgrade().
        sql: a statement, where no operation is made for it.
        command: a command of schema_kit that says what to do.
        why: what a person has to decide or to know first.
    """

    call: str = ""
    back: str = ""
    sql: str = ""
    command: str = ""
    why: str = ""

    def __str__(self) -> str:
        shown = f"In a migration: {self.call}" if self.call else self.sql or self.command
        return " ".join(part for part in (self.why, shown) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to act on.

    Args:
        code: what kind of thing, one of CODES.
        table: the root of the table that it is about; None: the database or the server.
        object: the index, constraint, trigger, column, slot or session, by its own name; empty: the table.
        evidence: what is wrong and what shows it.
        repair: what makes it go.
    """

    code: str
    table: QualifiedName | None
    object: str
    evidence: str
    repair: Repair

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return CODES[self.code]

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it, from run to run: its code, table and object."""
        return self.code, str(self.table) if self.table else "", self.object
