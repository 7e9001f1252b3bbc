"""Commits that turn a plain table into a partitioned one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.fingerprints.likeness import of_primary, print_sql, same_sql
from schema_kit.fingerprints.stamps import compare_again_sql
from schema_kit.marks import BOUND_CHECK, BUILT_MARK, being_built, built_name
from schema_kit.model import Partitioning, Table
from schema_kit.names import QualifiedName, fit, ident, idents
from schema_kit.steps.constraints import AddCheck
from schema_kit.steps.copying import READ_COMMITTED
from schema_kit.steps.dependents import (
    access_sql,
    change_statistics_sql,
    comment_sql,
    comments_sql,
    identity_sql,
    index_statistics_sql,
    made_sql,
    parts_sql,
    position_sql,
    referenced,
    sequence_access_sql,
    statistics_object_sql,
    statistics_sql,
    trigger_sql,
    view_sql,
)
from schema_kit.steps.exchange import ToPartitioned
from schema_kit.steps.partitions import for_values, own_identity_sql, register_sql
from schema_kit.steps.publications import join_sql, leave_sql, unpublished_sql
from schema_kit.steps.step import Lock, LockMode, OnTable, Step, exclusive, refuse_sql


def key_index_name(table: QualifiedName) -> str:
    """Return the unique index over the longer key, until it becomes the first partition's primary key."""
    return fit(table.name, "__key")


def longer_key(table: Table, control: str) -> tuple[str, ...]:
    """Return the primary key of the partitioned table: it holds the control column, as its last where it did not."""
    return table.primary_key if control in table.primary_key else (*table.primary_key, control)


def fingerprint(table: Table) -> str:
    """Return what the parent was built from: a table that changes before the swap has its parent built again."""
    own = [index for index in table.indexes if index.name != key_index_name(table.name)]
    indexes = [(i.name, i.tail, i.unique, i.constraint, i.options, i.statistics) for i in own]
    checks = [check[:2] for check in table.checks if check[0] != BOUND_CHECK]
    fields = (
        *filter(None, (table.tablespace, *(index.tablespace and (index.name, index.tablespace) for index in own))),
        *(table.columns, indexes, table.foreign_keys, checks, table.sequences),
        *(table.statistics, table.policies, table.row_security, table.force_row_security, table.grants, table.owner),
        table.stamp,
        *(table.withheld, table.settings, table.statistics_objects),
    )
    return BUILT_MARK + hashlib.sha256(repr(fields).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class AddBound(AddCheck):
    """The check that says where the first partition ends; until the swap, it refuses rows past that."""

    says = (
        "add check {self.name} to {self.table}, not validated: "
        "rows whose {self.control} is {self.upper} or later are refused until the swap"
    )

    control: str = ""
    upper: str = ""

    @property
    def lingers(self) -> str:
        """Writers see PostgreSQL's own error."""
        return f"check {self.name} refuses rows of {self.table} whose {self.control} is {self.upper} or later"


@dataclass(frozen=True)
class DropBound(OnTable):
    """The bound's check goes: the conversion is canceled."""

    clears = True
    says = f"drop check {BOUND_CHECK} of {{self.table}}, which a conversion has left"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One statement."""
        return (f"ALTER TABLE {self.table.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}",)


@dataclass(frozen=True)
class BuildParent(Step):
    """The partitioned parent next to the table, with everything that the table has; no session sees it yet."""

    fresh = True
    says = "build the partitioned parent of {self.table.name} next to it"

    table: Table
    policy: Partitioning
    bounded: bool = True
    """The table has the check of the bound, which the parent does not get."""

    @property
    def name(self) -> QualifiedName:
        """What the parent is called until the swap."""
        return built_name(self.table.name)

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Of the table itself none; a foreign key stops writes to the table that it refers to briefly."""
        return tuple(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in referenced(self.table))

    def sql(self) -> tuple[str, ...]:
        """LIKE without INDEXES, since the primary key lacks the key column, and without IDENTITY."""
        table, new = self.table, self.name
        statements = [
            f"CREATE TABLE {new.sql} (LIKE {table.name.sql} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY "
            "EXCLUDING STATISTICS) "
            f"PARTITION BY RANGE ({ident(self.policy.control)})"
            + (f" TABLESPACE {ident(table.tablespace)}" if table.tablespace else ""),
            *((f"ALTER TABLE {new.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}",) if self.bounded else ()),
            *made_sql(new, table),
        ]
        for sequence in table.sequences:
            column = table.column(sequence.column)
            if sequence.identity and column:
                fresh = built_name(sequence.name)
                statements.append(identity_sql(new, column.identity, sequence, fresh))
                statements += sequence_access_sql(table, sequence, fresh)
        for index in table.indexes:
            name = being_built(index.name)
            if index.primary:
                index = replace(index, constraint=f"PRIMARY KEY ({idents(longer_key(table, self.policy.control))})")
            elif not index.constraint and index.name == key_index_name(table.name):
                continue
            statements.append(index.create_sql(new, name))
            statements += index_statistics_sql(new.sibling(name), index.statistics)
        statements += [
            f"ALTER TABLE {new.sql} ADD CONSTRAINT {ident(key.name)} {key.definition}" for key in table.foreign_keys
        ]
        statements += access_sql(table, new)
        statements += statistics_sql(new, table.statistics)
        for one in table.statistics_objects:
            statements += statistics_object_sql(one, built_name(one.name), new)
        if table.replica_identity in ("FULL", "NOTHING"):
            statements.append(own_identity_sql(new, table.replica_identity))
        elif table.replica_identity:
            statements.append(own_identity_sql(new, being_built(table.replica_identity)))
        statements.append(comment_sql("TABLE", new.sql, fingerprint(table)))
        return tuple(statements)


@dataclass(frozen=True)
class DropBuiltParent(Step):
    """Drop a parent that was built from another shape of the table, or for nothing; it is empty, no session sees it."""

    reads_rows = True
    says = "drop {self.parent}, built for a swap that cannot come"

    parent: QualifiedName
    partitions: tuple[QualifiedName, ...]
    referenced: tuple[QualifiedName, ...]

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Foreign keys make DROP lock the tables at their other end."""
        return exclusive((self.parent, *self.partitions, *self.referenced))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT; and looked at under the lock: a row would be lost."""
        message = f"{self.parent} holds rows, which no parent that is being built does"
        check = refuse_sql(f"EXISTS (SELECT 1 FROM {self.parent.sql})", "object_in_use", message)
        return check, f"DROP TABLE {self.parent.sql}"


@dataclass(frozen=True)
class Swap(ToPartitioned):
    """The short commit: the table becomes the first partition of the parent that was built next to it.

    Args:
        leaf: the table's name as a partition.
        suffix: what its indexes' names get.
        upper: the bound of its validated CHECK.
        partitions: those that the parent has already.
    """

    settings = (READ_COMMITTED,)
    says = "swap: {self.table.name} becomes partitioned, its rows are partition {self.leaf}"

    leaf: QualifiedName
    suffix: str
    upper: str
    partitions: tuple[QualifiedName, ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits; 2 to 50 ms were measured, whatever the number of rows."""
        # Triggers for each row, and foreign keys, come down from the parent to the partitions that it has.
        inherits = (
            self.composite
            or self.moved
            or any(" FOR EACH ROW " in trigger.definition for trigger in self.table.triggers)
        )
        return (
            *self.all_access(self.table.name, built_name(self.table.name)),
            *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in self.partitions if inherits),
        )

    def sql(self) -> tuple[str, ...]:
        """In the order that works on 14 to 18."""
        return (
            *print_sql(self.table),
            *self._detach_from_others(),
            *self._rename(),
            *self._attach(),
            *give_back_sql(self.table, self.policy),
            *same_sql(self.table, self._meant()),
            *compare_again_sql(self.relies_on),
        )

    def _meant(self) -> Iterable[tuple[str, str]]:
        yield from (("constraint %I, ", BOUND_CHECK), ("index %I, ", key_index_name(self.table.name)))
        yield from of_primary(self.table)
        yield from self.keys_meant()

    def _detach_from_others(self) -> Iterable[str]:
        table = self.table
        # First, right behind the comparison: no session can grant anything any more on what is gone.
        for sequence in table.sequences:
            if sequence.identity:
                yield position_sql(built_name(sequence.name), sequence.name)
                yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {ident(sequence.column)} DROP IDENTITY"
        yield from self.keys_go()
        for trigger in table.triggers:
            yield f"DROP TRIGGER {ident(trigger.name)} ON {table.name.sql}"
        yield from leave_sql(table)
        assert table.primary is not None  # the plan has seen to it
        if not self._lengthened:
            return
        yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(table.primary.name)}"
        yield f"ALTER TABLE {table.name.sql} ALTER COLUMN {ident(self.policy.control)} SET NOT NULL"
        yield (
            f"ALTER TABLE {table.name.sql} ADD CONSTRAINT {ident(fit(table.primary.name, self.suffix))} "
            f"PRIMARY KEY USING INDEX {ident(key_index_name(table.name))}"
        )
        if table.replica_identity == table.primary.name:
            yield own_identity_sql(table.name, fit(table.primary.name, self.suffix))

    @property
    def _lengthened(self) -> bool:
        return self.policy.control not in self.table.primary_key

    def _rename(self) -> Iterable[str]:
        name = self.table.name
        own = [i for i in self.table.indexes if i.name != key_index_name(name)]
        kept = [i for i in own if not (i.primary and self._lengthened)]
        for index in kept:
            yield f"ALTER INDEX {name.sibling(index.name).sql} RENAME TO {ident(fit(index.name, self.suffix))}"
        yield f"ALTER TABLE {name.sql} RENAME TO {ident(self.leaf.name)}"
        yield f"ALTER TABLE {built_name(name).sql} RENAME TO {ident(name.name)}"
        for index in sorted(own, key=lambda i: i.primary):
            yield f"ALTER INDEX {name.sibling(being_built(index.name)).sql} RENAME TO {ident(index.name)}"
        yield from change_statistics_sql(self.table, self.suffix)
        for sequence in self.table.sequences:
            if sequence.identity:
                yield f"ALTER SEQUENCE {built_name(sequence.name).sql} RENAME TO {ident(sequence.name.name)}"
            else:
                yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {name.sql}.{ident(sequence.column)}"

    def _attach(self) -> Iterable[str]:
        name = self.table.name
        yield f"ALTER TABLE {name.sql} ATTACH PARTITION {self.leaf.sql} {for_values(None, self.upper)}"
        yield f"ALTER TABLE {self.leaf.sql} DROP CONSTRAINT {ident(BOUND_CHECK)}"
        yield from self.keys_come_back()
        yield from parts_sql(self.table.indexes, name)


def give_back_sql(table: Table, policy: Partitioning) -> Iterable[str]:
    """Yield what belongs to a table and is made again once the partitioned one has its name; and the policy."""
    yield from trigger_sql(table)
    yield from map(view_sql, table.views)
    yield comment_sql("TABLE", table.name.sql, table.comment)
    for index in table.indexes:
        if index.comment is not None:
            yield comment_sql("INDEX", table.name.sibling(index.name).sql, index.comment)
    yield from comments_sql(table)
    yield from join_sql(table)
    yield from unpublished_sql(table, (register_sql(policy),), own=True)
