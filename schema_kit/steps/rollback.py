"""Steps of the rollback of a conversion by copy: the plain table that was kept takes its place again.

A trigger on the partitioned table logs the keys of the rows that change, as in copying.py, and their rows are replayed
into the plain table: a writer pays for a key, not for a second row and its indexes, and nothing that the plain table
refuses can make a writer fail. What is not in the log is compared before, so a row that came or went past the trigger
(TRUNCATE, a partition detached or attached) stops the rollback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.fingerprints.copies import feeding_sql, tree_identity_sql
from schema_kit.fingerprints.likeness import of_incoming, of_own, of_places, of_primary, print_sql, same_sql
from schema_kit.fingerprints.stamps import compare_again_sql, seen
from schema_kit.marks import BACK_TRIGGER, built_name
from schema_kit.model import Copy, CopyTarget, ForeignKey, Table
from schema_kit.names import QualifiedName, fit, ident, literal
from schema_kit.steps.copied_table import OLD
from schema_kit.steps.copy_changes import LastKeys, no_older_snapshot_sql, replay_sql
from schema_kit.steps.copy_swap import Settle
from schema_kit.steps.copying import all_equal, log_sql, run_is, where_run
from schema_kit.steps.dependents import (
    access_again_sql,
    columns_again_sql,
    comments_sql,
    foreign_key_again_sql,
    identity_again_sql,
    index_again_sql,
    owned_sql,
    position_sql,
    statistics_objects_again_sql,
    trigger_sql,
    view_sql,
)
from schema_kit.steps.exchange import ToPlain
from schema_kit.steps.partitions import identity_back_sql, unregister_sql
from schema_kit.steps.publications import join_sql
from schema_kit.steps.step import Lock, LockMode, Seen, Step, exclusive, expect_sql
from schema_kit.storage import COPY_RUN, COPY_TARGET


def back_of(copy: Copy, key: tuple[str, ...], log: QualifiedName) -> Copy:
    """A conversion's copy the other way round: from the partitioned table to the plain one, by that one's own key.

    The plain table is compared as a whole: its rows can lie in ranges that are not partitions any more.
    """
    columns = {column.name: column for column in copy.key}
    whole = CopyTarget(copy.old, copy.old, None, None, default=True)
    own = tuple(columns[name] for name in key if name in columns)
    return replace(copy, key=own, targets=(whole,), staging=copy.old, log=log)


@dataclass(frozen=True)
class BeginReturn(Step):
    """The plain table is to take its place again: what is compared from now on is remembered.

    Args:
        back: the copy the other way round.
        identity: identifies both tables that are compared.
        table: the partitioned table; where the trigger that logs keys is missing, it comes now.
        partitions: its partitions, those of partitions included.
        feed: whether it is missing.
        leftover: whether one exists that does not log all: it was disabled, say.
        has_log: whether a log of keys is.
    """

    fresh = True
    decide_again = True

    back: Copy
    identity: str
    table: Table
    partitions: tuple[QualifiedName, ...] = ()
    feed: bool = False
    leftover: bool = False
    has_log: bool = False

    @property
    def summary(self) -> str:
        """Names the plain table."""
        return f"begin the rollback to {self.back.old}" + (
            f": log the keys of {self.back.source} that change" if self.feed else ""
        )

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Where the trigger comes, writers wait briefly."""
        mode = LockMode.ACCESS_EXCLUSIVE if self.leftover else LockMode.SHARE_ROW_EXCLUSIVE
        tables = (self.table.name, *self.partitions) if self.feed else ()
        own = exclusive((self.back.log,)) if self.has_log else ()
        return (*(Lock(mode, table) for table in tables), *own)

    @property
    def lingers(self) -> str:
        """The log grows until then."""
        source, log = self.back.source, self.back.log
        return f"trigger {BACK_TRIGGER} of {source} logs each key that changes into {log}, which grows" * self.feed

    def sql(self) -> tuple[str, ...]:
        """The trigger before the comparison: a row that changes in between is in the log."""
        back, source = self.back, literal(str(self.back.source))
        one = back.targets[0]
        return (
            *(unfeed_sql(back) if self.leftover or self.has_log else ()),
            *(log_sql(back, BACK_TRIGGER, self.table) if self.feed else ()),
            f"UPDATE {COPY_RUN.sql} SET back_identity = {literal(self.identity)}, settled_at = NULL "
            f"WHERE {where_run(back)}",
            f"DELETE FROM {COPY_TARGET.sql} WHERE {where_run(back)}",
            f"INSERT INTO {COPY_TARGET.sql} (source_table, target_table, built_as, is_default) VALUES "
            f"({source}, {literal(str(one.name))}, {literal(str(one.built))}, true)",
        )


def unfeed_sql(back: Copy) -> Iterable[str]:
    """The trigger, its function and the log of keys go."""
    yield f"DROP TRIGGER IF EXISTS {ident(BACK_TRIGGER)} ON {back.source.sql}"
    yield f"DROP FUNCTION IF EXISTS {back.log.sql}()"
    yield f"DROP TABLE IF EXISTS {back.log.sql}"


@dataclass(frozen=True)
class StopFeeding(Step):
    """The plain table that was kept gets no more news of the partitioned one: the rollback is closed."""

    says = "log no more what changes in {self.back.source} for {self.back.old}"

    back: Copy
    partitions: tuple[QualifiedName, ...] = ()
    has_log: bool = True

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly."""
        return exclusive((self.back.source, *self.partitions, *((self.back.log,) if self.has_log else ())))

    def sql(self) -> tuple[str, ...]:
        """And that no session runs the rollback any more."""
        return (
            *unfeed_sql(self.back),
            f"UPDATE {COPY_RUN.sql} SET fed = false, back_identity = '' WHERE {where_run(self.back)}",
        )


@dataclass(frozen=True)
class StayPartitioned(Step):
    """The rollback is canceled before its swap; the plain table is fed as it was before."""

    clears = True
    says = "abort the rollback: {self.back.source} stays partitioned"

    back: Copy

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"UPDATE {COPY_RUN.sql} SET back_identity = '' WHERE {where_run(self.back)}",)


@dataclass(frozen=True)
class SettleReturn(Settle):
    """Waits until every snapshot is younger than the last keys that were replayed.

    A REPEATABLE READ transaction that is older would see the plain table as it was before them.
    """

    says = "wait for transactions whose snapshot is older than what was replayed into {self.copy.old}"

    @property
    def _since(self) -> str:
        return f"SELECT age(r.xmin) FROM {COPY_RUN.sql} r WHERE r.{where_run(self.copy)}"


@dataclass(frozen=True)
class SwapBack(LastKeys, ToPlain):
    """The short commit: the plain table gets its name back, and all that belongs to it; the partitioned one goes.

    Args:
        back: the copy the other way round.
        identity: identifies both tables that were compared.
        kept: the plain one.
        partitions: all tables below the partitioned one.
        foreign_keys: those that it has, its partitions' own included.
    """

    says = "swap back: {self.kept.name} becomes {self.table.name} again, and the partitioned table is dropped"

    back: Copy
    identity: str
    kept: Table
    partitions: tuple[QualifiedName, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits: for the last keys of the log, and for each partition to be dropped."""
        others = self.table.with_partitions(key.referenced for key in self.foreign_keys)
        return self.all_access(self.table.name, self.kept.name, self.back.log, *self.partitions, others=others)

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """Both tables."""
        return seen(self.table, self.kept)

    def sql(self) -> tuple[str, ...]:
        """The last keys first: from here on no session writes."""
        return (
            *print_sql(self.table),
            self._look(),
            replay_sql(self.back),
            no_older_snapshot_sql(),
            *self._change_places(),
            *self._give_back(),
            *same_sql(self.table, self._meant()),
            *self._end(),
        )

    def _meant(self) -> Iterable[tuple[str, str]]:
        yield "trigger %I, ", BACK_TRIGGER
        yield from of_primary(self.table)
        yield from of_places(self.table)
        yield from of_own((*self.table.foreign_keys, *self.foreign_keys))
        yield from of_incoming(self.incoming)
        for index in self.table.indexes:  # what came since goes: the plan has said so
            if self.kept.index(fit(index.name, OLD)) is None:
                yield from (("index %I, ", index.name), ("constraint %I, ", index.name))
        # From 18 on NOT NULL has a name, PostgreSQL's own; what was said of the kept table by hand has another one.
        names = (f"{self.table.name.name}_{column.name}_not_null" for column in self.table.columns if column.not_null)
        yield from (("constraint %I, definition", name) for name in names)
        had = {name for name, _, _ in self.kept.checks}
        yield from (("constraint %I, ", name) for name, _, _ in self.table.checks if name not in had)

    def _look(self) -> str:
        """Another run may have begun the rollback again: then nothing was compared."""
        back = self.back
        same = f"({tree_identity_sql(back.source, back.old)}) = {literal(self.identity)}"
        ready = f"settled_at IS NOT NULL AND returned_at IS NULL AND back_identity = {literal(self.identity)}"
        proved = f"({feeding_sql(back.source, back.log)}) AND {run_is(back, ready)} AND {all_equal(back)}"
        return expect_sql(f"{same} AND {proved}", f"{back.source} is not any more what was compared with {back.old}")

    def _change_places(self) -> Iterable[str]:
        table, kept = self.table, self.kept
        built = built_name(table.name)
        if any("INITIALLY DEFERRED" in (index.constraint or "") for index in kept.indexes):
            yield "SET CONSTRAINTS ALL IMMEDIATE"  # ALTER TABLE refuses a table that has checks pending
        yield from self.keys_go()
        for sequence in table.sequences:
            if sequence.identity:
                yield position_sql(sequence.name.sibling(fit(sequence.name.name, OLD)), sequence.name)
        yield f"ALTER TABLE {table.name.sql} RENAME TO {ident(built.name)}"
        yield f"ALTER TABLE {kept.name.sql} RENAME TO {ident(table.name.name)}"
        yield from map(view_sql, table.views)
        yield from compare_again_sql(self.relies_on)
        yield from owned_sql(kept, table)
        yield f"DROP TABLE {built.sql}"
        for index in table.indexes:
            old = fit(index.name, OLD)
            if kept.index(old):
                yield f"ALTER INDEX {table.name.sibling(old).sql} RENAME TO {ident(index.name)}"
        for sequence in table.sequences:
            if sequence.identity:
                old = fit(sequence.name.name, OLD)
                yield f"ALTER SEQUENCE {sequence.name.sibling(old).sql} RENAME TO {ident(sequence.name.name)}"

    def _give_back(self) -> Iterable[str]:
        table, name = self.table, self.table.name
        kept = self.kept
        yield from access_again_sql(kept, table)
        yield from columns_again_sql(kept, table)
        yield from statistics_objects_again_sql(kept, table, all_=True)
        for index in table.indexes:
            if before := kept.index(fit(index.name, OLD)):
                yield from index_again_sql(before, index, name.sibling(index.name))
        for sequence in table.sequences:
            if sequence.identity:
                yield from identity_again_sql(kept, table, sequence)
        for key in self.foreign_keys:
            yield from foreign_key_again_sql(key, name)
        yield from self.keys_come_back()
        own = replace(
            table,
            triggers=tuple(trigger for trigger in table.triggers if trigger.name != BACK_TRIGGER),
            comments=tuple(comment for comment in table.comments if comment[:2] != ("TRIGGER", BACK_TRIGGER)),
        )
        yield from trigger_sql(own)
        yield from comments_sql(own)
        same = kept.replica_identity == fit(table.replica_identity, OLD)
        yield from identity_back_sql(table, table.replica_identity if same else kept.replica_identity)
        yield from join_sql(table)

    def _end(self) -> Iterable[str]:
        yield from (f"DROP FUNCTION {self.back.log.sql}()", f"DROP TABLE {self.back.log.sql}")
        yield unregister_sql(self.table.name)
        yield f"UPDATE {COPY_RUN.sql} SET returned_at = pg_catalog.clock_timestamp() WHERE {where_run(self.back)}"


@dataclass(frozen=True)
class EndReturn(Step):
    """The conversion is undone, and what was left is validated."""

    says = "remember that {self.source} is plain again"

    source: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (
            f"UPDATE {COPY_RUN.sql} SET finished_at = pg_catalog.clock_timestamp() "
            f"WHERE source_table = {literal(str(self.source))} AND returned_at IS NOT NULL",
        )
