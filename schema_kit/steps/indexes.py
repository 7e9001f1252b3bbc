"""Commits that make, attach and drop indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schema_kit.model import IndexDeclaration
from schema_kit.names import QualifiedName, ident, literal, sending_sql
from schema_kit.steps.step import Lock, LockMode, OnTable, OnTree, Step, Transaction, expect_sql


class Concurrent(OnTable):
    """What PostgreSQL does to indexes of one table outside of a transaction, and that blocks no session."""

    transaction = Transaction.NONE
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE
    left_behind = "An INVALID index may be left, which the next run replaces."


@dataclass(frozen=True)
class CreateIndexConcurrently(Concurrent):
    """CREATE INDEX CONCURRENTLY: two scans, waits for older transactions, blocks no session."""

    says = "create index {self.name} on {self.table} concurrently"

    index: IndexDeclaration
    name: str
    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction."""
        return (self.index.create_sql(self.name, self.table, "CONCURRENTLY"),)

    @property
    def diagnosis(self) -> str | None:
        """The keys that a unique index found more than once: the five most frequent, and how many there are."""
        return _duplicates_sql(self.index, self.table) if self.index.unique else None


def _duplicates_sql(index: IndexDeclaration, table: QualifiedName) -> str:
    keys = [f"({key.sql})" for key in index.elements]
    conditions = [f"({index.where})"] if index.where else []
    if not index.nulls_not_distinct:
        conditions += [f"{key} IS NOT NULL" for key in keys]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    shown = ", ".join(f"coalesce(left({key}::text, 80), 'NULL')" for key in keys)
    names = ", ".join(key.sql.removeprefix('"').removesuffix('"') for key in index.elements)
    return (
        f"WITH twice AS (SELECT concat_ws(', ', {shown}) AS key, count(*) AS rows FROM {table.sql}{where} "
        f"GROUP BY {', '.join(keys)} HAVING count(*) > 1) "
        "(SELECT format('(%s)=(%s) occurs %s times', "
        f"{literal(names)}, key, rows) FROM twice ORDER BY rows DESC, key LIMIT 5) "
        "UNION ALL SELECT format('%s keys occur more than once, %s rows too many', count(*), sum(rows - 1)) "
        "FROM twice HAVING count(*) > 0"
    )


@dataclass(frozen=True)
class WaitForBuild(OnTable):
    """Wait until no other session builds an index on the table: a killed tool's build goes on in the server."""

    decide_again = True
    mode = LockMode.SHARE_UPDATE_EXCLUSIVE  # which a build holds from its beginning to its end
    says = "wait for another session that builds {self.name} on {self.table}"

    name: str
    table: QualifiedName

    @property
    def awaited(self) -> tuple[QualifiedName, ...]:
        """The index that the other session builds."""
        return (self.table.sibling(self.name),)

    def sql(self) -> tuple[str, ...]:
        """Nothing is changed; what to do is decided again afterwards."""
        return (f"LOCK TABLE ONLY {self.table.sql} IN SHARE UPDATE EXCLUSIVE MODE",)


@dataclass(frozen=True)
class CreateParentIndex(Step):
    """CREATE INDEX ON ONLY: the partitioned index, invalid until each partition has its own attached."""

    says = "create the partitioned index {self.index.name} on {self.index.table}, without its partitions"

    index: IndexDeclaration

    @property
    def table(self) -> QualifiedName:
        """Whose index it is."""
        return self.index.table

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writes to the parent wait briefly: nothing is built."""
        return (Lock(LockMode.SHARE, self.index.table),)

    def sql(self) -> tuple[str, ...]:
        """From this commit on, new partitions get the index by themselves."""
        return (self.index.create_sql(self.index.name, self.index.table, only=True),)


@dataclass(frozen=True)
class AdoptIndexes(Step):
    """CREATE INDEX on a partitioned table whose leaves have theirs: those are adopted without a scan.

    It passes over partitions that are foreign tables, so that it is valid without theirs. LOCK TABLE knows none, so
    that CREATE INDEX takes the locks itself; nor would a scan, of an index that is not quite the same, be let happen.
    """

    within_budget = True
    says = "create the partitioned index {self.index.name} on {self.index.table}, taking over those of its leaves"

    index: IndexDeclaration
    partitions: tuple[QualifiedName, ...]

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Writes to all of them wait briefly: nothing is built."""
        return tuple(Lock(LockMode.SHARE, table) for table in (self.index.table, *self.partitions))

    def sql(self) -> tuple[str, ...]:
        """From this commit on, new partitions get the index by themselves."""
        return (self.index.create_sql(self.index.name, self.index.table),)


@dataclass(frozen=True)
class AttachIndex(Step):
    """ALTER INDEX ... ATTACH PARTITION: free to repeat, and the last one makes the parent valid."""

    says = "attach index {self.child} to {self.parent}"

    parent: QualifiedName
    child: QualifiedName

    @property
    def diagnosis(self) -> str | None:
        """The partitions without which it stays invalid."""
        return (
            "SELECT format('%s %s has no valid index to attach', CASE c.relkind WHEN 'f' THEN 'foreign table' "
            "ELSE 'partition' END, c.oid::regclass) FROM pg_index p JOIN pg_inherits h ON h.inhparent = p.indrelid "
            "JOIN pg_class c ON c.oid = h.inhrelid "
            f"WHERE p.indexrelid = to_regclass({literal(self.parent.sql)}) AND NOT EXISTS (SELECT 1 FROM pg_inherits i "
            "JOIN pg_index x ON x.indexrelid = i.inhrelid AND x.indisvalid WHERE i.inhparent = p.indexrelid "
            "AND x.indrelid = c.oid) ORDER BY c.oid"
        )

    def sql(self) -> tuple[str, ...]:
        """Locks indexes only: queries that plan with the child index wait briefly."""
        return (f"ALTER INDEX {self.parent.sql} ATTACH PARTITION {self.child.sql}",)


@dataclass(frozen=True)
class DropIndexConcurrently(Concurrent):
    """DROP INDEX CONCURRENTLY: waits for older transactions, blocks no session."""

    left_behind = Step.left_behind
    says = "drop index {self.index} concurrently"

    index: QualifiedName
    table: QualifiedName | None
    """None where it was not read (--sql)."""

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction. It may wait for others that work on the index, and find it gone."""
        return (f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.sql}",)


@dataclass(frozen=True)
class DropParentIndex(OnTree):
    """DROP INDEX of a partitioned index: PostgreSQL has no concurrent way."""

    says = "drop the partitioned index {self.index} (blocks {self.table} and its partitions briefly)"

    index: QualifiedName
    table: QualifiedName
    partitions: tuple[QualifiedName, ...]

    def sql(self) -> tuple[str, ...]:
        """The partitions' indexes go with it."""
        return (f"DROP INDEX {self.index.sql}",)


@dataclass(frozen=True)
class ReindexConcurrently(Concurrent):
    """REINDEX CONCURRENTLY of one index, or of all of one table, its TOAST table's too: blocks no session.

    Never of something partitioned: there PostgreSQL takes SHARE on every partition first, behind its writers.
    """

    once = True

    kind: Literal["INDEX", "TABLE"]
    name: QualifiedName
    table: QualifiedName | None
    """The index's table; None where it was not read (--sql)."""

    @property
    def summary(self) -> str:
        """Names the index or the table."""
        what = f"index {self.name}" if self.kind == "INDEX" else f"all indexes of {self.name}"
        return f"build {what} again concurrently"

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction; killed, it leaves an INVALID index named _ccnew or _ccold."""
        return (f"REINDEX {self.kind} CONCURRENTLY {self.name.sql}",)


REPLACED_COMMENT = "schema_kit: replaced, about to be dropped"
"""The comment of an index that was replaced, which marks it."""


@dataclass(frozen=True)
class RenameIndexes(Step):
    """Indexes change names in one commit: no query ever finds the table without one of them.

    Args:
        table: whose indexes they are, and its partitions'.
        index: the name that changes hands.
        aside: what the old index is called until it is dropped; a comment says that it was replaced.
        renames: each index and its new name, in the order in which the names come free.
        comment: the old index's, which the new one gets.
        alike: each old index that has statistics targets, CLUSTER's mark or, as a part, a comment; its table, and the
            new index.
        marks: what was set for each old index, as last seen; where others have changed it, it is decided again.
    """

    fresh = True
    says = "give the name {self.index} to the new index of {self.table}"

    table: QualifiedName
    index: QualifiedName
    aside: str
    renames: tuple[tuple[QualifiedName, str], ...]
    comment: str | None = None
    alike: tuple[tuple[QualifiedName, QualifiedName, QualifiedName], ...] = ()
    marks: tuple[tuple[QualifiedName, str], ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Of a table only where CLUSTER's mark may move: other DDL and VACUUM wait."""
        return tuple(Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, table) for _, table, _ in self.alike)

    def sql(self) -> tuple[str, ...]:
        """SHARE UPDATE EXCLUSIVE on the indexes: reads and writes go on."""
        statements = [f"ALTER INDEX {old.sql} RENAME TO {ident(new)}" for old, new in self.renames]
        now = {old: old.sibling(new) for old, new in self.renames}
        if self.marks:  # a name that has changed keeps COMMENT and ALTER INDEX out
            marks = ", ".join(f"({literal(now.get(old, old).sql)}, {literal(text)})" for old, text in self.marks)
            same = f"SELECT bool_and(({_MARKS}) IS NOT DISTINCT FROM s.marks) FROM (VALUES {marks}) s (name, marks)"
            statements.append(expect_sql(same, f"what rests on {self.index}, or was set for it, has changed"))
        statements += [_alike_sql(now.get(old, old), now.get(new, new)) for old, _, new in self.alike]
        statements.append(f"COMMENT ON INDEX {self.index.sibling(self.aside).sql} IS {literal(REPLACED_COMMENT)}")
        if self.comment is not None:
            statements.append(f"COMMENT ON INDEX {self.index.sql} IS {literal(self.comment)}")
        return tuple(statements)


# As `Index.marks` has it; NULL where something rests on it that the old one's end would take along, or that keeps it.
_MARKS = """SELECT concat_ws('|', x.indisclustered,
  (SELECT string_agg(concat_ws('=', a.attnum, a.attstattarget), ',' ORDER BY a.attnum) FROM pg_attribute a
   WHERE a.attrelid = x.indexrelid AND a.attstattarget >= 0), obj_description(x.indexrelid, 'pg_class'))
FROM pg_index x WHERE x.indexrelid = to_regclass(s.name) AND NOT x.indisreplident
  AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)"""


def _alike_sql(old: QualifiedName, new: QualifiedName) -> str:
    """An index gets another one's comment, CLUSTER's mark, and the targets of each expression that both have."""
    was, now = literal(old.sql), literal(new.sql)
    return sending_sql(f"""
SELECT format('COMMENT ON INDEX %s IS %L', {now}::regclass, obj_description({was}::regclass, 'pg_class'))
UNION ALL SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', {now}::regclass, n.place, a.attstattarget)
FROM pg_attribute a JOIN pg_index x ON x.indexrelid = {now}::regclass, generate_series(1, x.indnkeyatts) n (place)
WHERE a.attrelid = {was}::regclass AND a.attstattarget >= 0 AND x.indkey[n.place - 1] = 0
  AND pg_get_indexdef(a.attrelid, a.attnum, false) = pg_get_indexdef(x.indexrelid, n.place, false)
UNION ALL SELECT format('ALTER TABLE %s CLUSTER ON %I', x.indrelid::regclass, c.relname)
FROM pg_index o, pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE o.indexrelid = {was}::regclass AND o.indisclustered AND x.indexrelid = {now}::regclass AND x.indpred IS NULL
  AND m.amname IN ('btree', 'gist')""")


def indexes_alike_sql(old: QualifiedName, new: QualifiedName) -> str:
    """Each index of a table gets what was set for the one of another table that is defined as it is."""
    return sending_sql(
        f"WITH s AS ({pairs_sql(old, new)}) SELECT format('COMMENT ON INDEX %s IS %L', s.new::regclass, "
        "obj_description(s.old, 'pg_class')) FROM s "
        "UNION ALL SELECT format('ALTER INDEX %s SET (%s)', s.new::regclass, array_to_string(i.reloptions, ', ')) "
        "FROM s JOIN pg_class i ON i.oid = s.old WHERE i.reloptions IS NOT NULL "
        "UNION ALL SELECT format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', s.new::regclass, "
        "t.attnum, t.attstattarget) FROM s JOIN pg_attribute t ON t.attrelid = s.old AND t.attstattarget >= 0 "
        "UNION ALL SELECT format('ALTER TABLE %s CLUSTER ON %I', s.indrelid::regclass, c.relname) "
        "FROM s JOIN pg_class c ON c.oid = s.new WHERE s.indisclustered"
    )


def pairs_sql(old: QualifiedName, new: QualifiedName) -> str:
    """Return a SELECT of the indexes of a table, each with the one of another table that is defined as it is."""

    def of(table: QualifiedName) -> str:
        # What follows USING is the same; how the index and the table are called, and how full its pages are, is not.
        tail = "regexp_replace(pg_get_indexdef(x.indexrelid), '^.*? USING ', '')"
        definition = f"regexp_replace({tail}, ' WITH [(][^()]*[)]', '')"
        return (
            f"(SELECT x.*, {definition} AS definition, row_number() OVER (PARTITION BY x.indisunique, {definition} "
            f"ORDER BY x.indexrelid) AS place FROM pg_index x WHERE x.indrelid = to_regclass({literal(table.sql)}))"
        )

    return (
        "SELECT o.indexrelid AS old, o.indisclustered, n.indexrelid AS new, n.indrelid "
        f"FROM {of(old)} o JOIN {of(new)} n USING (definition, indisunique, place)"
    )
