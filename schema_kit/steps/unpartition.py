"""The commit that makes a plain table of a partitioned one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.fingerprints.likeness import of_incoming, of_places, of_primary, print_sql, same_sql
from schema_kit.fingerprints.stamps import compare_again_sql, seen
from schema_kit.marks import being_built, built_name, old_name
from schema_kit.model import Index, Table
from schema_kit.names import QualifiedName, ident, idents, literal
from schema_kit.steps.copying import READ_COMMITTED
from schema_kit.steps.dependents import (
    access_again_sql,
    columns_again_sql,
    comments_sql,
    identity_sql,
    index_again_sql,
    owned_sql,
    position_sql,
    sequence_access_sql,
    statistics_objects_again_sql,
    trigger_sql,
    view_sql,
)
from schema_kit.steps.emptied import child_sql, droppable_sql, move_sql
from schema_kit.steps.exchange import ToPlain
from schema_kit.steps.partitions import identity_back_sql, unregister_sql
from schema_kit.steps.publications import join_sql, leave_sql, unpublished_sql
from schema_kit.steps.step import Lock, Seen


@dataclass(frozen=True)
class Unswap(ToPlain):
    """The rollback, in one commit: the first partition becomes the table again and takes in the rows of the others.

    Args:
        heir: its first partition, as last seen: the table that it was made from, where it still is.
        key_index: a unique index of the remaining table over the shorter key; None: the primary key stays as it is.
        bounds: checks of the remaining table that say where it lay as a partition.
        leaves: the other tables that hold its rows, each with what it is a partition of.
        registered: whether it has a policy, which goes.
    """

    may_block = True
    reads_rows = True
    settings = (READ_COMMITTED,)
    says = (
        "swap back: {self.heir.name} becomes {self.table.name} and takes in the other partitions' rows "
        "(blocks the table while they move)"
    )

    heir: Table
    key_index: str | None
    bounds: tuple[str, ...] = ()
    leaves: tuple[tuple[QualifiedName, QualifiedName], ...] = ()
    registered: bool = True

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits, for as long as the rows of the other partitions need."""
        below = (name for pair in self.leaves for name in reversed(pair))
        return self.all_access(self.table.name, *(partition.name for partition in self.table.partitions), *below)

    @property
    def diagnosis(self) -> str | None:
        """Which of the shorter keys more than one row has."""
        if self.key_index is None:
            return None
        key = [column for column in self.table.primary_key if column not in self.table.partitioned_by]
        shown = " || ', ' || ".join(f"{ident(column)}::text" for column in key)
        return (
            f"SELECT {literal(f'({chr(44).join(key)}) = (')} || {shown} || '), ' || count(*) || ' rows' "
            f"FROM {self.table.name.sql} GROUP BY {idents(tuple(key))} HAVING count(*) > 1 "
            f"ORDER BY count(*) DESC, {idents(tuple(key))} LIMIT 5"
        )

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """Both tables."""
        return seen(self.table, self.heir)

    def sql(self) -> tuple[str, ...]:
        """What held the rows is kept, empty, for transactions whose snapshot is older: see emptied.py."""
        return (
            *print_sql(self.table),
            *self._take_in(),
            *self._change_places(),
            *self._give_back(),
            *same_sql(self.table, self._meant()),
            *(statement for leaf, _ in self.leaves for statement in child_sql(leaf, self.table.name)),
        )

    def _meant(self) -> Iterable[tuple[str, str]]:
        yield from of_primary(self.table)
        yield from of_places(self.table)
        # From 18 on NOT NULL has a name. That of a key column which could be NULL before is one of the parent's.
        built = being_built(self.table.name.name)
        yield from (("constraint %I, ", f"{built}_{column}_not_null") for column in self.table.partitioned_by)
        yield from of_incoming(self.incoming)

    def _take_in(self) -> Iterable[str]:
        table, heir, leaves = self.table, self.heir.name, [leaf for leaf, _ in self.leaves]
        yield from leave_sql(table)  # before a row moves
        for forced in (table, self.heir):
            if forced.force_row_security:  # its owner would not see all rows; it is forced again below
                yield f"ALTER TABLE {forced.name.sql} NO FORCE ROW LEVEL SECURITY"
        yield from self.keys_go()
        for trigger in table.triggers:
            yield f"DROP TRIGGER {ident(trigger.name)} ON {table.name.sql}"
        yield f"ALTER TABLE {table.name.sql} DETACH PARTITION {heir.sql}"
        yield from (f"ALTER TABLE {heir.sql} DROP CONSTRAINT {ident(name)}" for name in self.bounds)
        deferred = (*(key.deferred for key in table.foreign_keys), *(index.constraint or "" for index in table.indexes))
        if any("INITIALLY DEFERRED" in text for text in deferred):
            yield "SET CONSTRAINTS ALL IMMEDIATE"  # ALTER TABLE refuses a table that has checks pending
        columns = idents(tuple(column.name for column in table.columns if not column.generated))
        if leaves:
            yield droppable_sql(leaves)
            yield from unpublished_sql(table, move_sql(table.name, leaves, heir, columns))
        yield from self._move_in() if self.moves_in else ()
        heir = self._inside
        # What is made on the first partition is made as its owner's, whose default privileges may be others.
        made = replace(table, default_sequence_grantees=self.heir.default_sequence_grantees)
        for sequence in table.sequences:
            owner = table.column(sequence.column)
            if sequence.identity and owner:
                fresh = built_name(sequence.name)
                yield identity_sql(heir, owner.identity, sequence, fresh)
                yield from sequence_access_sql(made, sequence, fresh)
                yield position_sql(fresh, sequence.name)

    @property
    def moves_in(self) -> bool:
        """Whether the first partition lies in another schema than the table."""
        return self.heir.name.schema != self.table.name.schema

    @property
    def brings(self) -> tuple[QualifiedName, ...]:
        """The indexes of the first partition, where it comes from another schema."""
        names = (self._index_name(index) for index in self.heir.indexes)
        return tuple(map(self.table.name.sibling, names)) if self.moves_in else ()

    @property
    def _inside(self) -> QualifiedName:
        """The first partition, in the schema of the table."""
        return built_name(self.table.name) if self.moves_in else self.heir.name

    def _index_name(self, index: Index) -> str:
        return being_built(index.parent.name) if self.moves_in and index.parent else index.name

    def _move_in(self) -> Iterable[str]:
        heir = self.heir.name
        for index in self.heir.indexes:
            if index.parent:
                yield f"ALTER INDEX {heir.sibling(index.name).sql} RENAME TO {ident(self._index_name(index))}"
        yield f"ALTER TABLE {heir.sql} RENAME TO {ident(self._inside.name)}"
        yield f"ALTER TABLE {heir.sibling(self._inside.name).sql} SET SCHEMA {ident(self.table.name.schema)}"

    def _change_places(self) -> Iterable[str]:
        table, heir, old = self.table, self.heir, old_name(self.table.name)
        yield f"ALTER TABLE {table.name.sql} RENAME TO {ident(old.name)}"
        yield f"ALTER TABLE {self._inside.sql} RENAME TO {ident(table.name.name)}"
        yield from map(view_sql, table.views)
        yield from compare_again_sql(self.relies_on)
        yield from owned_sql(heir, table)
        yield from (f"ALTER TABLE {old.sql} DROP CONSTRAINT {ident(key.name)}" for key in table.foreign_keys)
        for leaf, parent in self.leaves:
            parent = old if parent == table.name else parent
            yield f"ALTER TABLE {parent.sql} DETACH PARTITION {leaf.sql}"
        yield f"DROP TABLE {old.sql}"
        yield from access_again_sql(heir, table)
        yield from columns_again_sql(heir, table)
        for sequence in table.sequences:
            if sequence.identity:
                yield f"ALTER SEQUENCE {built_name(sequence.name).sql} RENAME TO {ident(sequence.name.name)}"
        assert table.primary is not None  # the plan has seen to it
        assert heir.primary is not None
        if self.key_index is not None:
            yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(self._index_name(heir.primary))}"
            yield (
                f"ALTER TABLE {table.name.sql} ADD CONSTRAINT {ident(table.primary.name)} "
                f"PRIMARY KEY USING INDEX {ident(self.key_index)}"
            )
            if heir.primary.clustered:
                yield f"ALTER TABLE {table.name.sql} CLUSTER ON {ident(table.primary.name)}"
        for index in heir.indexes:
            if index.parent is not None and not (index.primary and self.key_index is not None):
                own = table.name.sibling(self._index_name(index))
                yield f"ALTER INDEX {own.sql} RENAME TO {ident(index.parent.name)}"

    @property
    def _pairs(self) -> Iterable[tuple[Index, Index]]:
        """Return indexes, and what the remaining table has of them; nothing of a primary key that another index has."""
        for own in self.heir.indexes:
            index = self.table.index(own.parent.name) if own.parent else None
            if index and index.primary and self.key_index is not None:
                yield index, Index(index.name, "")
            elif index:
                yield index, own

    @property
    def _replica_identity(self) -> str:
        """Return what the remaining table has by then: an index with its parent's name, no primary key that went."""
        index = self.heir.index(self.heir.replica_identity)
        if index is None:
            return self.heir.replica_identity
        return index.parent.name if index.parent and not (index.primary and self.key_index is not None) else index.name

    def _give_back(self) -> Iterable[str]:
        table, name = self.table, self.table.name
        yield from self.keys_come_back()
        yield from trigger_sql(table)
        for index, own in self._pairs:
            yield from index_again_sql(own, index, name.sibling(index.name))
        yield from statistics_objects_again_sql(self.heir, table, all_=False)
        yield from comments_sql(table)
        yield from identity_back_sql(table, self._replica_identity)
        yield from join_sql(table)
        if self.registered:
            yield from unpublished_sql(table, (unregister_sql(name),), own=True)
