"""The end of a copy: a wait for older snapshots, the swap, and the table that is dropped after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schema_kit.fingerprints.copies import identity_sql, logging_sql
from schema_kit.fingerprints.likeness import of_partition, print_sql, same_sql
from schema_kit.fingerprints.snapshots import older_sql
from schema_kit.fingerprints.stamps import compare_again_sql, seen
from schema_kit.marks import LOG_TRIGGER
from schema_kit.model import Copy, CopyTarget, Table
from schema_kit.names import COMMANDS_KEPT, QualifiedName, asking_sql, commands, ident, literal
from schema_kit.server import NEWEST, Server
from schema_kit.steps.columns_alike import columns_alike_sql, comments_alike_sql
from schema_kit.steps.copy_changes import LastKeys, no_older_snapshot_sql, replay_sql
from schema_kit.steps.copying import BOUNDS_CHECK, all_copied, all_equal, run_is, where_run
from schema_kit.steps.dependents import access_sql, comment_sql, foreign_key_again_sql, owner_sql, parts_sql
from schema_kit.steps.indexes import indexes_alike_sql, pairs_sql
from schema_kit.steps.partitions import for_values, own_identity_sql, replica_identity_sql
from schema_kit.steps.step import Lock, Seen, Step, exclusive, expect_sql
from schema_kit.storage import COPY_CHUNK, COPY_RUN


@dataclass(frozen=True)
class Settle(Step):
    """Waits until every snapshot is younger than the last chunk.

    A REPEATABLE READ transaction that is older, and has not touched the table yet, would find no copied row in it.
    """

    throttled = True
    says = "wait for transactions whose snapshot is older than the copy of {self.copy.source}"

    copy: Copy

    @property
    def pressure(self) -> str:
        """The sessions with older snapshots. Those of other users are seen with the rights of pg_read_all_stats."""
        return older_sql(self._since)

    @property
    def _since(self) -> str:
        return f"SELECT min(age(c.xmin)) FROM {COPY_CHUNK.sql} c WHERE c.{where_run(self.copy)}"

    def sql(self) -> tuple[str, ...]:
        """Noted, so that no session waits twice."""
        return (f"UPDATE {COPY_RUN.sql} SET settled_at = pg_catalog.clock_timestamp() WHERE {where_run(self.copy)}",)


@dataclass(frozen=True)
class SwapCopy(LastKeys):
    """The short commit: the source leaves its parent, and the targets take its place.

    Args:
        copy: what was copied.
        identity: identifies the source that was copied.
        table: the parent, as last seen.
        source: what was copied, as last seen.
        default: the parent's default partition, where it is another than the source.
        default_check: the validated CHECK on it that spares its scan.
        leaves: the parent's other leaves, which get the foreign keys of their own that it loses meanwhile.
        server: from 18 on the parent keeps them itself, not validated.
        heirs: those of the targets that take its place, and have what it has of its own.
    """

    copy: Copy
    identity: str
    table: Table
    source: Table | None = None
    default: QualifiedName | None = None
    default_check: str | None = None
    leaves: tuple[QualifiedName, ...] = ()
    server: Server = NEWEST
    heirs: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Names the source and how many partitions take its place."""
        return f"swap: {len(self.copy.targets)} partitions take the place of {self.copy.source}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits: for the last keys of the log, and about a millisecond for each partition."""
        copy, table = self.copy, self.table
        own = [table.name, copy.source, copy.staging, copy.log, *(target.built for target in copy.targets)]
        others = table.with_partitions(key.table for key in table.incoming)
        others += table.with_partitions(key.referenced for key in table.foreign_keys)
        siblings = self.leaves if table.foreign_keys or table.incoming else ()
        tables = (*own, *((self.default,) if self.default else ()), *others, *siblings)
        return exclusive(tables)

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """The parent and what was copied."""
        return seen(self.table, self.source)

    def sql(self) -> tuple[str, ...]:
        """The last keys first: from here on no session writes."""
        return (
            *(print_sql(self.source) if self.source else ()),
            look_sql(self.copy, self.identity),
            replay_sql(self.copy),
            no_older_snapshot_sql(),
            *self._part(),
            *self._join(),
            *self._have(),
            *self._compare(),
            *self._give_back(),
            *compare_again_sql(self.relies_on),
        )

    def _have(self) -> Iterable[str]:
        """What was set since they were made; whose the heirs are, and what is granted on the one with the name."""
        source, parent = self.source, self.table.name
        yield columns_alike_sql(
            (target.name, self.copy.old if target.name in self.heirs else parent) for target in self.copy.targets
        )
        if source is None:
            return
        for heir in self.heirs:
            if source.owner != self.table.owner:
                yield f"ALTER TABLE {heir.sql} OWNER TO {owner_sql(source)}"
            yield from access_sql(source, heir)
            if source.comment != self.table.comment:
                yield comment_sql("TABLE", heir.sql, source.comment)
            if any(one.comment or one.options or one.clustered or one.statistics for one in source.indexes):
                yield indexes_alike_sql(self.copy.old, heir)
            if any(kind != "COLUMN" for kind, _, _ in source.comments):
                yield comments_alike_sql(self.copy.old, heir)

    def _compare(self) -> Iterable[str]:
        """All of the targets were made by the same statements: one shows whether they forgot something."""
        source = self.source
        if source is None or not source.stamp:
            return
        for heir in self.heirs[:1]:
            yield from same_sql(source, of_partition(), heir)

    def _part(self) -> Iterable[str]:
        copy, table = self.copy, self.table
        for key in table.incoming:
            yield f"ALTER TABLE {key.table.sql} DROP CONSTRAINT {ident(key.name)}"
        for key in table.foreign_keys:
            yield f"ALTER TABLE {table.name.sql} DROP CONSTRAINT {ident(key.name)}"
        yield f"ALTER TABLE {table.name.sql} DETACH PARTITION {copy.source.sql}"
        yield f"DROP TRIGGER {ident(LOG_TRIGGER)} ON {copy.source.sql}"
        yield f"ALTER TABLE {copy.source.sql} RENAME TO {ident(copy.old.name)}"

    def _join(self) -> Iterable[str]:
        copy = self.copy
        for target in copy.targets:
            yield from join_sql(copy, target, self.table.name)
            identity = self._identity(target)
            if identity != self.table.replica_identity and identity in ("", "FULL", "NOTHING"):
                yield own_identity_sql(target.name, identity or "DEFAULT")
            if identity not in ("", "FULL", "NOTHING"):
                yield replica_identity_sql(self.table.name, target.name, identity)
            if target.name not in self.heirs:
                yield from parts_sql(self.table.indexes, self.table.name, target.name)
        if self.default and self.default_check:
            yield f"ALTER TABLE {self.default.sql} DROP CONSTRAINT {ident(self.default_check)}"

    def _identity(self, target: CopyTarget) -> str:
        """That of the source for those that take its place; an index is called as the parent's is."""
        source = self.source
        if source is None or target.name not in self.heirs:
            return self.table.replica_identity
        index = source.index(source.replica_identity)
        return index.parent.name if index and index.parent else source.replica_identity

    def _give_back(self) -> Iterable[str]:
        copy, table = self.copy, self.table
        for key in table.foreign_keys:
            # Up to 17 a partitioned table takes no key that is not validated, and a scan would take its time.
            if self.server.not_valid_on_partitioned:
                yield from foreign_key_again_sql(key)
                continue
            leaves = [*self.leaves, *(target.name for target in copy.targets)]
            for leaf in leaves:
                yield from foreign_key_again_sql(key, leaf)
        for key in table.incoming:
            yield from foreign_key_again_sql(key)
        yield from clear_sql(copy)


def look_sql(copy: Copy, identity: str) -> str:
    """Raises serialization_failure, and so has it decided again, where the source is not what was copied any more."""
    same = f"({identity_sql(copy.source)}) = {literal(identity)} AND ({logging_sql(copy.source, copy.log)})"
    # Another run may have begun again: then nothing was copied.
    proved = (
        f"{all_copied(copy)} AND {run_is(copy, 'settled_at IS NOT NULL AND swapped_at IS NULL')} AND {all_equal(copy)}"
    )
    return expect_sql(f"{same} AND {proved}", f"{copy.source} is not any more what was copied")


def join_sql(copy: Copy, target: CopyTarget, parent: QualifiedName) -> Iterable[str]:
    """A target leaves the staging table, gets its name and becomes a partition; its CHECK spares the scan, and goes."""
    yield f"ALTER TABLE {copy.staging.sql} DETACH PARTITION {target.built.sql}"
    if target.built != target.name:
        yield f"ALTER TABLE {target.built.sql} RENAME TO {ident(target.name.name)}"
    values = "DEFAULT" if target.default else for_values(target.lower, target.upper)
    yield f"ALTER TABLE {parent.sql} ATTACH PARTITION {target.name.sql} {values}"
    if not target.default:
        yield f"ALTER TABLE {target.name.sql} DROP CONSTRAINT {ident(BOUNDS_CHECK)}"


def clear_sql(copy: Copy) -> Iterable[str]:
    """Drop what the copy needed; remember that it was swapped."""
    yield f"DROP TABLE {copy.staging.sql}, {copy.log.sql}"
    yield f"DROP FUNCTION {copy.log.sql}()"
    yield f"UPDATE {COPY_RUN.sql} SET swapped_at = pg_catalog.clock_timestamp() WHERE {where_run(copy)}"


@dataclass(frozen=True)
class DropCopied(Step):
    """The table whose rows lie in the partitions now goes, and leaves its indexes' names to the one with its name."""

    says = "drop {self.copy.old}, whose rows were copied"

    copy: Copy
    referenced: tuple[QualifiedName, ...] = ()

    @property
    def locks(self) -> tuple[Lock, ...]:
        """No session uses it; its foreign keys make DROP lock the tables at their other end."""
        return exclusive((self.copy.old, *self.referenced))

    def sql(self) -> tuple[str, ...]:
        """RESTRICT: what depends on it stops this; and never another table that has its name by now."""
        return (
            self._known(),
            *(self._replaced(target) for target in self.copy.targets if target.built != target.name),
            f"DROP TABLE IF EXISTS {self.copy.old.sql}",
            f"UPDATE {COPY_RUN.sql} SET finished_at = pg_catalog.clock_timestamp() WHERE {where_run(self.copy)}",
        )

    def _known(self) -> str:
        """By its oid; after a dump and restore by its key, whose index PostgreSQL has not named after it."""
        old, columns = self.copy.old, ", ".join(literal(column.name) for column in self.copy.key)
        message = f"{old} is not the table whose rows were copied, which has another name or is gone. Rename {old} and "
        body = f"""own := to_regclass({literal(old.sql)});
IF own IS NOT NULL THEN
LOCK TABLE ONLY {old.sql} IN ACCESS EXCLUSIVE MODE;
own := to_regclass({literal(old.sql)});
IF NOT (EXISTS (SELECT 1 FROM {COPY_RUN.sql} WHERE {where_run(self.copy)} AND split_part(identity, ':', 1) = own::text)
OR (SELECT count(*) FROM pg_attribute o JOIN pg_attribute p USING (attname, atttypid) WHERE o.attrelid = own
    AND p.attrelid = to_regclass({literal(self.copy.parent.sql)}) AND attname IN ({columns})) = {len(self.copy.key)}
AND EXISTS (SELECT 1 FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = own
            AND x.indisprimary AND i.relname <> {literal(old.name + "_pkey")})) THEN
RAISE object_in_use USING MESSAGE = {literal(message + "run this again.")};
END IF; END IF;"""
        return asking_sql(body, "own oid; ")

    def _replaced(self, target: CopyTarget) -> str:
        """Drop it, and give its indexes' names to those of the table that has its name.

        Others that have theirs from what that was called until the swap are called after it, unless a name is taken.
        """
        table, was, now = literal(target.name.sql), literal(f"{target.built.name}_"), literal(f"{target.name.name}_")
        names = f"""SELECT format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, i.relname, to_be.name)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
LEFT JOIN ({pairs_sql(self.copy.old, target.name)}) pair ON pair.new = i.oid
LEFT JOIN pg_class p ON p.oid = pair.old,
LATERAL (SELECT coalesce(p.relname, {now} || substr(i.relname, length({was}) + 1))) to_be (name)
WHERE x.indrelid = to_regclass({table}) AND to_be.name <> i.relname AND (p.oid IS NOT NULL
  OR starts_with(i.relname, {was}) AND to_regclass(format('%I.%I', n.nspname, to_be.name)) IS NULL)
ORDER BY i.relname"""
        drop = f"DROP TABLE IF EXISTS {self.copy.old.sql};"
        return f"DO {literal(f'DECLARE {COMMANDS_KEPT}BEGIN {commands(names, drop)} END')}"
