"""What the commits share in which a plain table and a partitioned one change places, either way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schema_kit.fingerprints.likeness import of_incoming
from schema_kit.fingerprints.stamps import seen
from schema_kit.model import ForeignKey, Partitioning, Table
from schema_kit.names import QualifiedName, ident
from schema_kit.steps.dependents import foreign_key_again_sql, referenced, view_lock
from schema_kit.steps.publications import lock_sql
from schema_kit.steps.referring import composite_fk_sql, drop_filled_sql, shorter_fk_sql
from schema_kit.steps.step import Lock, Seen, Step, exclusive


@dataclass(frozen=True)
class Exchange(Step):
    """The short commit: another table takes a table's name and its dependent objects.

    Args:
        table: the table, as last seen.
        moved: incoming foreign keys that come back as they are.
    """

    clears = True
    fresh = True

    table: Table
    moved: tuple[ForeignKey, ...] = field(default=(), kw_only=True)

    @property
    def incoming(self) -> tuple[ForeignKey, ...]:
        """All foreign keys to the table, which go, and come back in one way or another."""
        return self.moved

    def all_access(self, *own: QualifiedName, others: Iterable[QualifiedName] = ()) -> tuple[Lock, ...]:
        """Return the locks on the table's views, on the tables of the step, and at both ends of foreign keys."""
        incoming = self.table.with_partitions(key.table for key in self.incoming)
        return (
            *map(view_lock, self.table.views),
            *exclusive([*own, *incoming, *referenced(self.table), *others]),
        )

    @property
    def locks_first(self) -> tuple[str, ...]:
        """The publications that list it."""
        return lock_sql(self.table)

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """The table."""
        return seen(self.table)


@dataclass(frozen=True)
class ToPartitioned(Exchange):
    """A plain table becomes partitioned: its key becomes longer, and so do the foreign keys to it.

    Args:
        policy: what the partitioned table is registered under, in the same commit.
        dropped: incoming foreign keys that go.
        composite: incoming foreign keys that come back with the key column: (key, column, provisional name).
    """

    policy: Partitioning
    dropped: tuple[ForeignKey, ...] = field(default=(), kw_only=True)
    composite: tuple[tuple[ForeignKey, str, str], ...] = field(default=(), kw_only=True)

    @property
    def incoming(self) -> tuple[ForeignKey, ...]:
        """All foreign keys to the table."""
        return (*self.dropped, *self.moved, *(key for key, _, _ in self.composite))

    def keys_go(self) -> Iterable[str]:
        """Drop incoming foreign keys, and the provisional ones of those that come back with the key column."""
        for key in (*self.dropped, *self.moved):
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
        for key, _, provisional in self.composite:
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(provisional)}"

    def keys_come_back(self) -> Iterable[str]:
        """Add them again to what has the table's name by then, not validated."""
        for key, column, _ in self.composite:
            yield from composite_fk_sql(key, column, key.name, self.table.name, self.policy.control)
        for key in self.moved:
            yield from foreign_key_again_sql(key)

    def keys_meant(self) -> Iterable[tuple[str, str]]:
        """Return what of them the step means to change."""
        yield from of_incoming(self.incoming)
        yield from (("constraint %I of ", name) for _, _, name in self.composite)


@dataclass(frozen=True)
class ToPlain(Exchange):
    """A partitioned table becomes plain again, and the foreign keys to it are as they were before.

    Args:
        composite: incoming foreign keys that go back to the shorter key: (key, the key column that goes).
    """

    composite: tuple[tuple[ForeignKey, str], ...] = field(default=(), kw_only=True)

    @property
    def incoming(self) -> tuple[ForeignKey, ...]:
        """All foreign keys to the table."""
        return (*self.moved, *(key for key, _ in self.composite))

    def keys_go(self) -> Iterable[str]:
        """Drop incoming foreign keys, and the key columns that were added for them."""
        for key, column in self.composite:
            yield from drop_filled_sql(key, key.name, column)
        yield from (f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}" for key in self.moved)

    def keys_come_back(self) -> Iterable[str]:
        """Add them again to what has the table's name by then, not validated."""
        for key, _ in self.composite:
            yield from shorter_fk_sql(key, self.table.name)
        for key in self.moved:
            yield from foreign_key_again_sql(key)
