"""Commits that take a partition out of its set and put it back, and that keep a record of what is out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from schema_kit.model import Attaching, Detaching, Index
from schema_kit.names import QualifiedName, asking_sql, ident, literal
from schema_kit.steps.indexes import Concurrent
from schema_kit.steps.partitions import for_values
from schema_kit.steps.step import Lock, LockMode, SharedStep, Step, Transaction, exclusive, refuse_sql
from schema_kit.storage import ARCHIVED_PARTITION, RETIRED_PARTITION


def _both_ends(seen: Detaching, *strong: QualifiedName) -> tuple[Lock, ...]:
    """A partition's foreign keys become its own, and those to it go: that locks the tables at the other ends."""
    taken = {*strong, *seen.incoming}
    others = (table for table in seen.referenced if table not in taken)
    return (
        *exclusive((*strong, *seen.incoming)),
        *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in others),
    )


@dataclass(frozen=True)
class RecordRetired(SharedStep):
    """The row that says from where a partition is about to be detached, committed before it is."""

    says = "record that {self.seen.name} leaves {self.seen.parent}"

    seen: Detaching
    by_policy: bool = False
    """Its table's policy retires it, and may drop it when the grace period is over."""
    by_ttl: bool = False
    """Its time-to-live alone retires it, and drops it."""
    at: datetime | None = None
    """The moment that stands for the server's clock, if one does."""

    def sql(self) -> tuple[str, ...]:
        """A row that an earlier try has left begins again: the grace period counts from the detach."""
        seen = self.seen
        return (
            f"LOCK TABLE ONLY {seen.name.sql} IN ACCESS SHARE MODE",
            *attached_sql(seen),
            recorded_sql(seen.parent, seen.name, seen.bounds, self.by_policy, self.by_ttl, self.at),
        )


def attached_sql(seen: Detaching) -> tuple[str, ...]:
    """Raises serialization_failure, and so has it decided again, where another partition has the name by now."""
    if not seen.attached_by:
        return ()
    there = (
        f"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = {seen.oid} AND inhrelid = {oid_of(seen.name)} "
        f"AND inhparent = {oid_of(seen.parent)} AND xmin::text = {literal(seen.attached_by)}"
    )
    message = f"{seen.name} is not the partition of {seen.parent} any more that was looked at"
    return (refuse_sql(f"NOT EXISTS ({there})", "serialization_failure", message),)


def recorded_sql(
    parent: QualifiedName,
    name: QualifiedName,
    bounds: str,
    by_policy: bool = False,
    by_ttl: bool = False,
    at: datetime | None = None,
) -> str:
    """Return the row of retired_partition, whatever takes the partition out."""
    values = (
        oid_of(name),
        *map(literal, (str(name), str(parent), bounds)),
        *(f"{by}".lower() for by in (by_policy, by_ttl)),
        oid_of(RETIRED_PARTITION),
    )
    columns = "partition_oid, partition_name, parent_table, bounds, by_policy, by_ttl, record_oid"
    moment = "pg_catalog.now()"
    if at:
        columns, values, moment = f"{columns}, retired_at", (*values, literal(at.isoformat())), "excluded.retired_at"
    return (
        f"INSERT INTO {RETIRED_PARTITION.sql} ({columns}) "
        f"VALUES ({', '.join(values)}) ON CONFLICT (partition_name) DO UPDATE "
        "SET (partition_oid, parent_table, bounds, by_policy, by_ttl, record_oid, retired_at) = "
        "(excluded.partition_oid, excluded.parent_table, excluded.bounds, excluded.by_policy, excluded.by_ttl, "
        f"excluded.record_oid, {moment})"
    )


def oid_of(name: QualifiedName) -> str:
    """Return the oid that a table of that name has when the statement is sent."""
    return f"{literal(name.sql)}::pg_catalog.regclass"


@dataclass(frozen=True)
class ForgetRetired(SharedStep):
    """The row of a table that is attached again, gone, or another's by now."""

    says = "forget that {self.name} was retired: {self.why}"

    name: QualifiedName
    why: str

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"DELETE FROM {RETIRED_PARTITION.sql} WHERE partition_name = {literal(str(self.name))}",)


@dataclass(frozen=True)
class FindRetired(SharedStep):
    """The row of a table that has another oid since the database was dumped and restored: found by name and bounds."""

    says = "know {self.name} again, by its name and bounds, after a dump and restore"

    name: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (
            f"UPDATE {RETIRED_PARTITION.sql} SET (partition_oid, record_oid) = ({oid_of(self.name)}, "
            f"{oid_of(RETIRED_PARTITION)}) WHERE partition_name = {literal(str(self.name))}",
        )


@dataclass(frozen=True)
class DetachConcurrently(Step):
    """ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: two transactions, and a wait between that blocks no session.

    The first one marks the partition as detach pending: new queries of the parent pass it over. Then all who use the
    parent are waited for; the second one takes the partition out, with a CHECK that says what its bounds were.
    Interrupted in between, the partition stays detach pending, which FinalizeDetach ends.
    """

    transaction = Transaction.NONE
    within_budget = True
    left_behind = "The partition may be left detach pending, which the next run finalizes."
    says = "detach {self.seen.name} from {self.seen.parent} concurrently"

    seen: Detaching

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The parent stays open. No session uses the partition any more when it is locked, save by its own name.

        Tables that refer to the parent are locked against writes while PostgreSQL looks whether a row of theirs refers
        to the partition, and briefly altogether; tables that it refers to against writes briefly.
        """
        parent = Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.seen.parent)
        return (parent, *_both_ends(self.seen, self.seen.name, *self.seen.below))

    @property
    def waits(self) -> tuple[Lock, ...]:
        """All who use the parent."""
        return exclusive((self.seen.parent,))

    def sql(self) -> tuple[str, ...]:
        """Outside of a transaction: what the first statement looks at can be another partition at the second."""
        detach = f"ALTER TABLE {self.seen.parent.sql} DETACH PARTITION {self.seen.name.sql} CONCURRENTLY"
        return (*attached_sql(self.seen), detach)


@dataclass(frozen=True)
class FinalizeDetach(Step):
    """ALTER TABLE ... DETACH PARTITION ... FINALIZE: the second half of a concurrent detach that was interrupted.

    It waits for every older snapshot in the database, holding the partition that no session sees any more.
    """

    within_budget = True
    older_snapshots = True
    says = "finalize the detach of {self.seen.name} from {self.seen.parent}, which was interrupted"

    seen: Detaching

    @property
    def locks(self) -> tuple[Lock, ...]:
        """As the second half of DetachConcurrently."""
        parent = Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, self.seen.parent)
        return (parent, *_both_ends(self.seen, self.seen.name, *self.seen.below))

    def sql(self) -> tuple[str, ...]:
        """One statement; all of its waits together stay within the budget."""
        return (f"ALTER TABLE {self.seen.parent.sql} DETACH PARTITION {self.seen.name.sql} FINALIZE",)


@dataclass(frozen=True)
class Detach(Step):
    """ALTER TABLE ... DETACH PARTITION, the blocking way, where the other is not available.

    Args:
        seen: the partition.
        why: what stands in the way of the concurrent one.
    """

    says = "detach {self.seen.name} from {self.seen.parent}, blocking: {self.why}"

    seen: Detaching
    why: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly; with incoming foreign keys for a look at the tables that refer to it."""
        default = (self.seen.default,) if self.seen.default else ()
        return _both_ends(self.seen, self.seen.parent, self.seen.name, *self.seen.below, *default)

    def sql(self) -> tuple[str, ...]:
        """Under its locks it is the partition that was looked at."""
        detach = f"ALTER TABLE {self.seen.parent.sql} DETACH PARTITION {self.seen.name.sql}"
        return (*attached_sql(self.seen), detach)


@dataclass(frozen=True)
class Attach(Step):
    """A table becomes a partition: one that is new there, or one that has moved.

    Args:
        wanted: the table and its range, as observed.
    """

    wanted: Attaching

    @property
    def summary(self) -> str:
        """Names both, and the bounds."""
        seen, ends = self.wanted.seen, (self.wanted.lower or "MINVALUE", self.wanted.upper or "MAXVALUE")
        return f"attach {seen.name} to {seen.parent} from {ends[0]} to {ends[1]}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """The parent stays open for reads and writes; who uses the table by its own name waits briefly.

        So do those who use a table that it refers to: the parent's foreign key takes over the table's own, whose
        triggers go.
        """
        seen = self.wanted.seen
        strong = (seen.name, *seen.below, *((seen.default,) if seen.default else ()), *self.wanted.referenced)
        return (
            Lock(LockMode.SHARE_UPDATE_EXCLUSIVE, seen.parent),
            *exclusive(strong),
            *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in self.wanted.incoming if table not in strong),
        )


def attach_sql(wanted: Attaching, default_check: str | None, check: str | None = None) -> Iterable[str]:
    """Attach it, and drop the checks that spared the scans of the table and of the default partition."""
    name, default = wanted.seen.name, wanted.seen.default
    yield f"ALTER TABLE {wanted.seen.parent.sql} ATTACH PARTITION {name.sql} {for_values(wanted.lower, wanted.upper)}"
    if check:
        yield f"ALTER TABLE {name.sql} DROP CONSTRAINT {ident(check)}"
    if default and default_check:
        yield f"ALTER TABLE {default.sql} DROP CONSTRAINT {ident(default_check)}"


@dataclass(frozen=True)
class AttachPartition(Attach):
    """ALTER TABLE ... ATTACH PARTITION of a table that has all that a partition needs: nothing is scanned or built.

    Args:
        wanted: the table and its range, as observed.
        check: the validated CHECK of its bounds; dropped in the same commit, since they say the same then.
        default_check: the validated CHECK on the default that spares its scan; dropped in the same commit.
    """

    check: str
    default_check: str | None = None

    def sql(self) -> tuple[str, ...]:
        """From this commit on, the parent's queries see its rows."""
        return tuple(attach_sql(self.wanted, self.default_check, self.check))


@dataclass(frozen=True)
class CreateIndexLikeParents(Concurrent):
    """CREATE INDEX CONCURRENTLY as a parent's is: ATTACH PARTITION takes it instead of building one."""

    says = "create index {self.name} on {self.table} concurrently"

    name: str
    table: QualifiedName
    index: Index

    def sql(self) -> tuple[str, ...]:
        """One statement, outside of a transaction; a constraint comes to rest on it later."""
        return (replace(self.index, constraint=None).create_sql(self.table, self.name, "CONCURRENTLY "),)


def on_its_way_sql(which: str, message: str) -> str:
    """Return a DO block: refuse while a partition is between a table and its archive, if there are archives here."""
    return (
        f"IF pg_catalog.to_regclass({literal(ARCHIVED_PARTITION.sql)}) IS NOT NULL THEN "
        f"IF EXISTS (SELECT 1 FROM {ARCHIVED_PARTITION.sql} WHERE moved_at IS NULL AND {which}) THEN "
        f"RAISE object_in_use USING MESSAGE = {literal(message)}; END IF; END IF;"
    )


def _guard_sql(seen: Detaching, tables: Iterable[QualifiedName]) -> tuple[str, ...]:
    """Under the lock: it is the table that was detached, and it is a partition of nothing."""
    message = literal(f"{seen.name} is not the table that was detached from {seen.parent}, or it is attached again")
    known = (
        f"SELECT 1 FROM {RETIRED_PARTITION.sql} WHERE partition_oid = {oid_of(seen.name)} "
        f"AND partition_name = {literal(str(seen.name))} AND parent_table = {literal(str(seen.parent))}"
    )
    attached = f"SELECT 1 FROM pg_catalog.pg_inherits WHERE inhrelid = {oid_of(seen.name)}"
    wrong = f"NOT EXISTS ({known}) OR EXISTS ({attached})"
    under_way = on_its_way_sql(
        f"partition_name = {literal(str(seen.name))}",
        f"{seen.name} is in transit to an archive, or back ({ARCHIVED_PARTITION}): schema_kit archive run ends that",
    )
    check = f"IF {wrong} THEN RAISE object_in_use USING MESSAGE = {message}; END IF; {under_way}"
    only = ", ".join(f"ONLY {table.sql}" for table in tables)
    return (f"LOCK TABLE {only} IN ACCESS EXCLUSIVE MODE", asking_sql(check))


@dataclass(frozen=True)
class DropPartition(Step):
    """DROP TABLE of a table that was a partition, and is not one any more."""

    says = "drop {self.seen.name}, which was a partition of {self.seen.parent}"

    seen: Detaching

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses the table any more; its foreign keys lock the tables that they refer to briefly."""
        return exclusive((self.seen.name, *self.seen.below, *self.seen.referenced))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: nothing that depends on it is taken along. Its record goes with it."""
        return (
            *_guard_sql(self.seen, (self.seen.name,)),
            f"DELETE FROM {RETIRED_PARTITION.sql} WHERE partition_name = {literal(str(self.seen.name))}",
            f"DROP TABLE {self.seen.name.sql}",
        )


@dataclass(frozen=True)
class MovePartition(Step):
    """ALTER TABLE ... SET SCHEMA of a table that was a partition, its own partitions with it."""

    says = "move {self.seen.name}, which was a partition of {self.seen.parent}, to schema {self.schema}"

    seen: Detaching
    schema: str

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses the table any more."""
        return exclusive((self.seen.name, *self.seen.below))

    def sql(self) -> tuple[str, ...]:
        """Its record follows it."""
        moved = QualifiedName(self.schema, self.seen.name.name)
        return (
            *_guard_sql(self.seen, (self.seen.name, *self.seen.below)),
            *(f"ALTER TABLE {table.sql} SET SCHEMA {ident(self.schema)}" for table in self._tables),
            f"DELETE FROM {RETIRED_PARTITION.sql} WHERE partition_name = {literal(str(moved))}",
            f"UPDATE {RETIRED_PARTITION.sql} SET partition_name = {literal(str(moved))} "
            f"WHERE partition_name = {literal(str(self.seen.name))}",
        )

    @property
    def _tables(self) -> tuple[QualifiedName, ...]:
        return (self.seen.name, *(table for table in self.seen.below if table.schema != self.schema))
