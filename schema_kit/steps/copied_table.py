"""The commit in which a plain table, whose rows were copied, gives its place to a partitioned one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schema_kit.fingerprints.likeness import of_own, of_primary, print_sql, same_sql
from schema_kit.fingerprints.stamps import compare_again_sql
from schema_kit.marks import BACK_TRIGGER, LOG_TRIGGER, being_built, built_name
from schema_kit.model import Copy
from schema_kit.names import fit, ident
from schema_kit.server import NEWEST, Server
from schema_kit.steps.columns_alike import columns_alike_sql
from schema_kit.steps.conversion import give_back_sql, key_index_name
from schema_kit.steps.copy_changes import LastKeys, no_older_snapshot_sql, replay_sql
from schema_kit.steps.copy_swap import clear_sql, join_sql, look_sql
from schema_kit.steps.copying import log_sql, where_run
from schema_kit.steps.dependents import (
    change_statistics_sql,
    foreign_key_again_sql,
    parts_sql,
    position_sql,
)
from schema_kit.steps.exchange import ToPartitioned
from schema_kit.steps.partitions import replica_identity_sql
from schema_kit.steps.publications import leave_sql
from schema_kit.steps.step import Lock
from schema_kit.storage import COPY_RUN

OLD = "__old"
"""What the names of the table and of its indexes and sequences end with after the swap."""


@dataclass(frozen=True)
class SwapTable(LastKeys, ToPartitioned):
    """The short commit: the partitioned table next to the plain one takes its name and its dependent objects.

    The plain table stays under another name as it was at this moment, without triggers and foreign keys.

    Args:
        copy: what was copied.
        identity: identifies the table that was copied.
        server: from 18 on the partitioned table takes foreign keys that are not validated.
        back: the copy the other way round, where the plain table is kept in sync from the swap on.
    """

    copy: Copy
    identity: str
    server: Server = NEWEST
    back: Copy | None = None

    @property
    def summary(self) -> str:
        """Names both, and how many partitions there are."""
        copy = self.copy
        return (
            f"swap: {copy.source} becomes partitioned, with {len(copy.targets)} partitions; the old one is {copy.old}"
        )

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits: for the last keys of the log, and about a millisecond for each partition."""
        copy = self.copy
        own = (copy.source, built_name(self.table.name), copy.staging, copy.log)
        return self.all_access(*own, *(target.built for target in copy.targets))

    def sql(self) -> tuple[str, ...]:
        """The last keys first: from here on no session writes."""
        return (
            *print_sql(self.table),
            look_sql(self.copy, self.identity),
            replay_sql(self.copy),
            no_older_snapshot_sql(),
            *self._detach_from_others(),
            *self._rename(),
            *self._join(),
            columns_alike_sql((target.name, self.table.name) for target in self.copy.targets),
            *parts_sql(self.table.indexes, self.table.name),
            *give_back_sql(replace(self.table, comments=self._comments), self.policy),
            *same_sql(self.table, self._meant()),
            *clear_sql(self.copy),
            *self._feed(),
            *compare_again_sql(self.relies_on),
        )

    def _meant(self) -> Iterable[tuple[str, str]]:
        yield from (("trigger %I, ", LOG_TRIGGER), ("index %I, ", key_index_name(self.table.name)))
        yield from of_primary(self.table)
        yield from of_own(self.table.foreign_keys)
        yield from self.keys_meant()

    @property
    def _comments(self) -> tuple[tuple[str, str, str], ...]:
        """Without those of foreign keys, which come with them."""
        keys = {("CONSTRAINT", key.name) for key in self.table.foreign_keys}
        return tuple(comment for comment in self.table.comments if comment[:2] not in keys)

    def _feed(self) -> Iterable[str]:
        if self.back:
            yield from log_sql(self.back, BACK_TRIGGER, self.table)
            yield f"UPDATE {COPY_RUN.sql} SET fed = true WHERE {where_run(self.copy)}"

    def _detach_from_others(self) -> Iterable[str]:
        table = self.table
        yield from self.keys_go()
        # Left in place, they would keep rows that nothing else refers to from being deleted.
        for key in table.foreign_keys:
            yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(key.name)}"
        for name in (LOG_TRIGGER, *(trigger.name for trigger in table.triggers)):
            yield f"DROP TRIGGER {ident(name)} ON {table.name.sql}"
        yield from leave_sql(table)

    def _rename(self) -> Iterable[str]:
        name, table = self.table.name, self.table
        key = (key_index_name(name),) if self.composite else ()  # built before this, whether it was seen or not
        for index_name in dict.fromkeys((*(index.name for index in table.indexes), *key)):
            yield f"ALTER INDEX {name.sibling(index_name).sql} RENAME TO {ident(fit(index_name, OLD))}"
        yield f"ALTER TABLE {name.sql} RENAME TO {ident(self.copy.old.name)}"
        yield f"ALTER TABLE {built_name(name).sql} RENAME TO {ident(name.name)}"
        for index in table.indexes:
            if index.name != key_index_name(name):
                yield f"ALTER INDEX {name.sibling(being_built(index.name)).sql} RENAME TO {ident(index.name)}"
        yield from change_statistics_sql(table, OLD)
        for sequence in table.sequences:
            if not sequence.identity:
                yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {name.sql}.{ident(sequence.column)}"
                continue
            built = built_name(sequence.name)
            yield position_sql(built, sequence.name)
            yield f"ALTER SEQUENCE {sequence.name.sql} RENAME TO {ident(fit(sequence.name.name, OLD))}"
            yield f"ALTER SEQUENCE {built.sql} RENAME TO {ident(sequence.name.name)}"

    def _join(self) -> Iterable[str]:
        copy, name = self.copy, self.table.name
        for target in copy.targets:
            yield from join_sql(copy, target, name)
            if self.table.replica_identity:
                yield replica_identity_sql(name, target.name, self.table.replica_identity)
        for key in self.table.foreign_keys:
            # Up to 17 a partitioned table takes no key that is not validated, and a scan would take its time.
            tables = [name] if self.server.not_valid_on_partitioned else [target.name for target in copy.targets]
            for table in tables:
                yield from foreign_key_again_sql(key, table)
        yield from self.keys_come_back()
