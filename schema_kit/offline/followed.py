"""What each step does to a database that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from schema_kit.marks import being_built
from schema_kit.model import (
    Action,
    ArchivePolicy,
    Branch,
    ColdArchive,
    Column,
    ForeignKey,
    ForeignKeyDeclaration,
    Index,
    IndexDeclaration,
    KeyDeclaration,
    Partition,
    Partitioning,
    Strategy,
    Table,
    View,
)
from schema_kit.names import TABLE_BYTES, QualifiedName, fit, ident, idents
from schema_kit.offline.placeholder import Placeholder
from schema_kit.steps import Step
from schema_kit.steps.archives import (
    CreateArchiveTable,
    CreateArchiveView,
    DropArchiveTable,
    RegisterArchivePolicy,
    UnregisterArchivePolicy,
)
from schema_kit.steps.baseline import CreateExtension, CreateObject, CreateSchema, CreateTable, ledger_kind
from schema_kit.steps.cold import CreateColdArchive, DropColdArchive
from schema_kit.steps.cold_columns import AddColumnsHere
from schema_kit.steps.columns import AddColumn, AlterColumnType, DropColumn, DropNotNull, DropWholeTable, SetDefault
from schema_kit.steps.constraints import (
    AddForeignKey,
    AddKeyUsingIndex,
    AddNotNull,
    DropConstraint,
    SetNotNull,
    foreign_key_sql,
)
from schema_kit.steps.conversion import Swap, longer_key
from schema_kit.steps.indexes import (
    CreateIndexConcurrently,
    CreateParentIndex,
    DropIndexConcurrently,
    DropParentIndex,
    RenameIndexes,
)
from schema_kit.steps.partitions import (
    CreatePartition,
    CreatePartitionedTable,
    RegisterPolicy,
    UnregisterPolicy,
)
from schema_kit.steps.partman import InstallPartmanSql
from schema_kit.steps.retirement import Detach, DetachConcurrently, DropPartition
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import ARCHIVE_POLICY, PART_CONFIG, RETIRED_PARTITION


class Followed(Placeholder):
    """What the steps up to here have made of a database that was empty at base.

    Args:
        now: where partitions begin; the clock of this machine where it is left out, as there is no server to ask.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._tables: dict[QualifiedName, Table] = {}
        self._ahead: dict[QualifiedName, list[Partition]] = {}
        """The partitions of parents that are being built."""
        self._detached: set[QualifiedName] = set()
        self._policies: dict[QualifiedName, Partitioning] = {}
        self._archive_policies: dict[QualifiedName, ArchivePolicy] = {}
        self._cold_archives: dict[QualifiedName, ColdArchive] = {}
        kinds = ("schema", "table", "type", "sequence", "extension")
        self._made: dict[str, set[str]] = {kind: set() for kind in kinds}
        self._partman = False
        self._own = set[QualifiedName]()

    def apply(self, step: Step) -> None:
        """Take note of what a step does, as far as later questions can ask about it."""
        match step:
            case EnsureTable(own):
                self._own.add(own)
            case InstallPartmanSql():
                self._partman = True
                self._own |= {PART_CONFIG, RETIRED_PARTITION, ARCHIVE_POLICY}
            case CreateSchema(schema):
                self._made["schema"].add(schema)
            case CreateExtension(extension):
                self._made["extension"].add(extension)
            case CreateObject(made):
                self._made[ledger_kind(made)].add(str(made.name))
            case CreateTable(baseline):
                self._made["table"].add(str(baseline.table.name))
                self._tables[baseline.table.name] = baseline.table
            case Swap():
                self._swap(step)
            case DropWholeTable(table):
                self.forget(table)
            case _:
                self._apply_to_sets(step)
                self._apply_to_partitions(step)
                self._apply_to_archives(step)
                self._apply_to_columns(step)
                self._apply_to_constraints(step)
                self._apply_to_indexes(step)

    def _apply_to_sets(self, step: Step) -> None:
        match step:
            case CreatePartitionedTable(table):
                self._tables[table.name] = table
            case CreatePartition():
                self._make_partition(step)
            case RegisterPolicy(policy):
                self._policies[policy.parent] = policy
            case UnregisterPolicy(parent):
                self._policies.pop(parent, None)

    def _apply_to_partitions(self, step: Step) -> None:
        match step:
            case Detach(seen) | DetachConcurrently(seen):
                table = self._tables[seen.parent]
                kept = tuple(partition for partition in table.partitions if partition.name != seen.name)
                self._tables[seen.parent] = replace(table, partitions=kept)
                self._detached.add(seen.name)
            case DropPartition(seen):
                self._detached.discard(seen.name)

    def _apply_to_archives(self, step: Step) -> None:
        match step:
            case CreateArchiveTable(table, archive, policy, indexes):
                kept = {"indexes": table.indexes if indexes is None else (), "foreign_keys": (), "partitions": ()}
                by = {
                    "partitioned_by": (policy.control,) if policy else (),
                    "partition_strategy": "r" if policy else "",
                }
                self._tables[archive] = replace(table, name=archive, views=(), **kept, **by)  # type: ignore[arg-type]
                if policy:
                    self._policies[archive] = policy
            case CreateArchiveView(view, table, archive):
                for name in (table.name, archive):
                    self.change(name, lambda old: replace(old, views=(*old.views, View(view, "", ""))))
            case DropArchiveTable(archive):
                self._tables.pop(archive, None)
            case RegisterArchivePolicy(policy):
                self._archive_policies[policy.table] = policy
            case UnregisterArchivePolicy(table):
                self._archive_policies.pop(table, None)
            case CreateColdArchive(cold, control=control):
                self._cold_archives[cold.table] = cold
                by = {"partitioned_by": (control,), "partition_strategy": "r"}
                own = tuple(Column(one.name, one.type, one.not_null) for one in step.columns)
                self._tables[cold.cold] = Table(cold.cold, own, **by)  # type: ignore[arg-type]
            case DropColdArchive(name):
                kept_cold = {table: one for table, one in self._cold_archives.items() if one.cold != name}
                self._cold_archives = kept_cold
                self._tables.pop(name, None)

    def _apply_to_columns(self, step: Step) -> None:
        match step:
            case AddColumn(table, declared=new):
                self.add_column(table, Column(new.name, new.type, not_null=not new.nullable, default=new.default))
            case AddColumnsHere(cold, columns=columns):
                for one in columns:
                    self.add_column(cold.cold, Column(one.name, one.type, one.not_null))
            case DropColumn(table, column=name):
                self.drop_column(table, name)
            case AlterColumnType(table, name, type=type_):
                self.alter_column(table, name, type=type_)
            case SetDefault(table, name, default=default):
                self.alter_column(table, name, default=default)
            case DropNotNull(table, name):
                self.alter_column(table, name, not_null=False)
            case SetNotNull(table, name) | AddNotNull(table, column=name):
                self.alter_column(table, name, not_null=True)

    def _apply_to_constraints(self, step: Step) -> None:
        match step:
            case AddForeignKey(declared, name):
                self.add_foreign_key(name, foreign_key(declared))
            case DropConstraint(name, key_name):
                self.drop_constraint(name, key_name)
            case AddKeyUsingIndex(key, index_name, name):
                self.change(name, lambda table: _with_key(table, key, index_name))

    def _apply_to_indexes(self, step: Step) -> None:
        match step:
            case CreateIndexConcurrently(index, name, table):
                self._make_index(index, name, table)
            case CreateParentIndex(index):
                self._make_index(index, index.name, index.table)
            case DropIndexConcurrently(index) | DropParentIndex(index):
                self.drop_index(index)
            case RenameIndexes(renames=renames):
                for index, new in renames:
                    self._rename_index(index, new)

    def _make_index(self, declared: IndexDeclaration, name: str, table: QualifiedName) -> None:
        known, own = self._tables.get(table), {element.sql for element in declared.elements}
        columns = tuple(column.name for column in known.columns if ident(column.name) in own) if known else ()
        self.add_index(table, Index(name, index_tail(declared), columns, unique=declared.unique))

    def _rename_index(self, index: QualifiedName, new: str) -> None:
        if owner := self.index_owner(index):
            found = self._tables[owner].index(index.name)
            assert found is not None  # its table has it
            self.drop_index(index)
            self.add_index(owner, replace(found, name=new))

    def _make_partition(self, step: CreatePartition) -> None:
        default = step.values == "DEFAULT"
        partition = Partition(step.name, step.lower or None, step.upper or None, default, leaf=step.branch is None)
        self._add_partition(step.parent, partition)
        parent = self._tables.get(step.parent)
        if parent and step.branch:
            self._tables[step.name] = _branch(parent, step.name, step.branch)
        if parent and not step.values:  # the example for the next one
            newest = {"options": step.options, "tablespace": step.tablespace, "branch": step.branch}
            self._tables[step.parent] = replace(parent, **newest)  # type: ignore[arg-type]

    def _add_partition(self, parent: QualifiedName, partition: Partition) -> None:
        self.change(parent, lambda table: replace(table, partitions=(*table.partitions, partition)))
        if parent not in self._tables:
            self._ahead.setdefault(parent, []).append(partition)

    def _swap(self, swap: Swap) -> None:
        old = self._tables[swap.table.name]
        ahead = self._ahead.pop(old.name.sibling(being_built(old.name.name)), [])
        self._tables[swap.table.name] = replace(
            old,
            partitioned_by=(swap.policy.control,),
            partition_strategy=Strategy.RANGE,
            primary_key=longer_key(old, swap.policy.control),
            partitions=(Partition(swap.leaf, None, swap.upper), *ahead),
            analyzed=False,
        )
        self._policies[swap.policy.parent] = swap.policy

    def remember(self, table: Table) -> None:
        """Take note of a table that was made, or made again."""
        self._tables[table.name] = table

    def change(self, name: QualifiedName, changed: Callable[[Table], Table]) -> None:
        """Take note of what becomes of a table, if it is known."""
        if name in self._tables:
            self._tables[name] = changed(self._tables[name])

    def add_column(self, name: QualifiedName, column: Column) -> None:
        """Take note of a column that a table has got."""
        self.change(name, lambda table: replace(table, columns=(*table.columns, column)))

    def drop_column(self, name: QualifiedName, gone: str) -> None:
        """Take note that a column is gone, with the indexes and foreign keys that it was in."""
        self.change(
            name,
            lambda table: replace(
                table,
                columns=tuple(column for column in table.columns if column.name != gone),
                indexes=tuple(index for index in table.indexes if gone not in index.columns),
                foreign_keys=tuple(key for key in table.foreign_keys if gone not in key.columns),
            ),
        )

    def rename_column(self, name: QualifiedName, column: str, new: str) -> None:
        """Take note of a column's new name, also in the keys, indexes and checks of its table, and in keys to it."""
        written = re.compile(rf"""{re.escape(ident(column))}|(?<![\w".]){re.escape(column)}(?![\w"(])""")

        def called(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new if one == column else one for one in names)

        def text(sql: str) -> str:
            return written.sub(lambda _: ident(new), sql)

        def of_own(key: ForeignKey) -> ForeignKey:
            head, refers, to = key.definition.partition(" REFERENCES ")
            return replace(key, columns=called(key.columns), definition=f"{text(head)}{refers}{to}")

        def of_others(key: ForeignKey) -> ForeignKey:
            if key.referenced != name:
                return key
            head, refers, to = key.definition.partition(" REFERENCES ")
            return replace(
                key, referenced_columns=called(key.referenced_columns), definition=f"{head}{refers}{text(to)}"
            )

        def renamed(table: Table) -> Table:
            return replace(
                table,
                columns=tuple(replace(one, name=new) if one.name == column else one for one in table.columns),
                primary_key=called(table.primary_key),
                partitioned_by=called(table.partitioned_by),
                indexes=tuple(
                    replace(
                        index,
                        columns=called(index.columns),
                        tail=text(index.tail),
                        constraint=index.constraint and text(index.constraint),
                    )
                    for index in table.indexes
                ),
                foreign_keys=tuple(map(of_own, table.foreign_keys)),
                checks=tuple((check, text(sql), valid) for check, sql, valid in table.checks),
                sequences=tuple(replace(one, column=new) if one.column == column else one for one in table.sequences),
            )

        self.change(name, renamed)
        for other in tuple(self._tables):
            self.change(other, lambda table: replace(table, foreign_keys=tuple(map(of_others, table.foreign_keys))))

    def alter_column(self, name: QualifiedName, column: str, **changes: Any) -> None:
        """Take note of what a column is by now."""

        def altered(table: Table) -> Table:
            return replace(
                table, columns=tuple(replace(c, **changes) if c.name == column else c for c in table.columns)
            )

        self.change(name, altered)

    def add_index(self, name: QualifiedName, index: Index) -> None:
        """Take note of an index, among the others by name: PostgreSQL names the partitions' indexes in this order."""

        def with_index(table: Table) -> Table:
            others = (other for other in table.indexes if other.name != index.name)
            return replace(table, indexes=tuple(sorted((*others, index), key=lambda one: one.name)))

        self.change(name, with_index)

    def drop_index(self, gone: QualifiedName) -> None:
        """Take note that an index is gone."""
        if owner := self.index_owner(gone):
            left = tuple(index for index in self._tables[owner].indexes if index.name != gone.name)
            self.change(owner, lambda table: replace(table, indexes=left))

    def add_foreign_key(self, name: QualifiedName, key: ForeignKey) -> None:
        """Take note of a foreign key of a table."""

        def with_key(table: Table) -> Table:
            others = (other for other in table.foreign_keys if other.name != key.name)
            return replace(table, foreign_keys=(*others, key))

        self.change(name, with_key)

    def drop_constraint(self, name: QualifiedName, gone: str) -> None:
        """Take note that a constraint of a table is gone, with its index."""

        def without(table: Table) -> Table:
            dropped = table.index(gone)
            return replace(
                table,
                primary_key=() if dropped and dropped.primary else table.primary_key,
                indexes=tuple(index for index in table.indexes if index.name != gone),
                foreign_keys=tuple(key for key in table.foreign_keys if key.name != gone),
                checks=tuple(check for check in table.checks if check[0] != gone),
            )

        self.change(name, without)

    def forget(self, name: QualifiedName) -> None:
        """Take note that a table is gone, with the foreign keys to it."""
        self._tables.pop(name, None)
        for other in tuple(self._tables.values()):
            left = tuple(key for key in other.foreign_keys if key.referenced != name)
            self._tables[other.name] = replace(other, foreign_keys=left)

    def rename(self, name: QualifiedName, new: str) -> None:
        """Take note of a table's new name, and of the foreign keys to it."""
        if name not in self._tables:
            return
        now = name.sibling(new)
        self._tables[now] = replace(self._tables.pop(name), name=now)
        for own, table in tuple(self._tables.items()):
            keys = tuple(_renamed(key, name, now) for key in table.foreign_keys)
            self._tables[own] = replace(table, foreign_keys=keys)

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        """Return the table that earlier steps have made the index on."""
        owners = (name for name in self._tables if name.schema == index.schema)
        return next((name for name in owners if self._tables[name].index(index.name)), None)


def _renamed(key: ForeignKey, name: QualifiedName, now: QualifiedName) -> ForeignKey:
    table = now if key.table == name else key.table
    if key.referenced != name:
        return replace(key, table=table)
    return replace(key, table=table, referenced=now, definition=key.definition.replace(name.sql, now.sql))


def _with_key(table: Table, key: KeyDeclaration, index: str) -> Table:
    include = f" INCLUDE ({idents(key.include)})" if key.include else ""
    definition = f"{'PRIMARY KEY' if key.primary else 'UNIQUE'} ({idents(key.columns)}){include}"
    return replace(
        table,
        primary_key=key.columns if key.primary else table.primary_key,
        indexes=tuple(
            replace(old, primary=key.primary, constraint=definition) if old.name == index else old
            for old in table.indexes
        ),
    )


def _branch(like: Table, name: QualifiedName, branch: Branch) -> Table:
    """Return a partition that is partitioned itself, as far as a later step can ask about it."""
    strategy, _, column = branch.key.partition(" (")
    leaves = tuple(
        Partition(name.sibling(fit(name.name, part.suffix, TABLE_BYTES)), None, None, default=part.values == "DEFAULT")
        for part in branch.branches
    )
    return replace(
        like,
        name=name,
        partition_strategy=strategy[0].lower(),
        partitioned_by=(column[1:-2].replace('""', '"'),),
        partitions=leaves,
        is_partition=True,
    )


def index_tail(declared: IndexDeclaration) -> str:
    """Return what follows USING in the statement that makes it."""
    return declared.create_sql("i", declared.table).partition(" USING ")[2]


def foreign_key(declared: ForeignKeyDeclaration) -> ForeignKey:
    """As the catalog would show it, once it is validated."""
    return ForeignKey(
        declared.name,
        declared.table,
        declared.columns,
        declared.referenced,
        declared.referenced_columns,
        foreign_key_sql(declared),
        Action.of(declared.on_update),
        Action.of(declared.on_delete),
        declared.match[0].lower(),
        deferred=declared.deferred,
    )
