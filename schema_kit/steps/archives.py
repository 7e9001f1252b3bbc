"""Commits that make archives, take partitions into them and back, and keep their policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from schema_kit.fingerprints.likeness import of_archive, print_sql, same_sql
from schema_kit.fingerprints.stamps import seen
from schema_kit.marks import ARCHIVE_MARK
from schema_kit.model import ArchivePolicy, Attaching, Detaching, Partitioning, Table
from schema_kit.names import QualifiedName, asking_sql, ident, idents, literal
from schema_kit.steps.dependents import access_again_sql, access_sql, made_sql, own_view_lock, statistics_sql
from schema_kit.steps.partitions import for_values, register_sql, unregister_sql
from schema_kit.steps.retirement import Attach, attach_sql, attached_sql, on_its_way_sql, recorded_sql
from schema_kit.steps.step import Lock, LockMode, Seen, SharedStep, Step, exclusive, expect_sql
from schema_kit.steps.storage import upsert_sql
from schema_kit.storage import ARCHIVE_POLICY, ARCHIVED_PARTITION, RETIRED_PARTITION

ARCHIVED_AT = "archived_at"
LATER = ("access_method", "cold_after")
"""Columns of archive_policy that a table of an older version has not: they are written where they say something."""


@dataclass(frozen=True)
class CreateArchiveTable(SharedStep):
    """An archive that is not there yet, of the shape of its table, without partitions.

    Where Citus distributes the table, the archive is distributed in the same way while it is empty, and colocated.

    Args:
        table: the table whose rows it takes.
        archive: its name.
        policy: how it is partitioned; None for a plain one.
        indexes: what each of its indexes is called and what follows USING in it, and whether it is unique; None for
            all that the table has.
        key: the columns of its primary key, where the indexes are said.
        archived_at: whether it has one more column, for the moment.
        tablespace: where its partitions lie that are made, and not brought.
        compressed: the columns that are compressed in another way than the table's.
        compression: that way.
    """

    decide_again = True
    says = "create {self.archive}, of the shape of {self.table.name}"

    table: Table
    archive: QualifiedName
    policy: Partitioning | None = None
    indexes: tuple[tuple[str, str, bool], ...] | None = None
    key: tuple[str, ...] = ()
    archived_at: bool = False
    tablespace: str | None = None
    compressed: tuple[str, ...] = ()
    compression: str | None = None

    def sql(self) -> tuple[str, ...]:
        """Foreign keys stay with the partitions that bring them: nothing locks the tables that they refer to."""
        archive = self.archive.sql
        without = " EXCLUDING INDEXES" if self.indexes is not None else ""
        moment = f", {ident(ARCHIVED_AT)} timestamp with time zone DEFAULT pg_catalog.now()" if self.archived_at else ""
        by = f" PARTITION BY RANGE ({ident(self.policy.control)})" if self.policy else ""
        where = f" TABLESPACE {ident(self.tablespace)}" if self.tablespace else ""
        statements = [
            f"CREATE TABLE {archive} (LIKE {self.table.name.sql} INCLUDING ALL EXCLUDING IDENTITY{without}{moment})"
            f"{by}{where}"
        ]
        if self.indexes is not None and self.key:
            statements.append(f"ALTER TABLE {archive} ADD PRIMARY KEY ({idents(self.key)})")
        for name, tail, unique in self.indexes or ():
            kind = "UNIQUE INDEX" if unique else "INDEX"
            statements.append(f"CREATE {kind} {ident(name)} ON {archive} USING {tail}")
        statements += (
            f"ALTER TABLE {archive} ALTER COLUMN {ident(column)} SET COMPRESSION {self.compression}"
            for column in self.compressed
        )
        statements += made_sql(self.archive, self.table)
        statements += access_sql(self.table, self.archive)
        statements += statistics_sql(self.archive, self.table.statistics)
        text = f"{ARCHIVE_MARK}{self.table.name}"
        statements.append(f"COMMENT ON TABLE {archive} IS {literal(text)}")
        statements += (register_sql(self.policy, maintained=False),) if self.policy else ()
        if self.table.distribution and self.table.distribution.spread:
            statements.append(self.table.distribution.call(archive, self.table.name.sql))
        meant = of_archive(self.table, self.compressed)
        alike = same_sql(self.table, meant, self.archive, f"archive {self.archive}")
        return (*print_sql(self.table), *statements, *alike)


@dataclass(frozen=True)
class GiveArchiveAccess(Step):
    """An archive gets its table's owner, grants, policies and row security, instead of what it has.

    Args:
        table: the table.
        archive: its archive, as observed.
    """

    fresh = True
    says = "give {self.archive.name} the owner, grants, policies and row security of {self.table.name}"

    table: Table
    archive: Table

    @property
    def locks(self) -> tuple[Lock, ...]:
        """Its readers wait briefly."""
        return exclusive((self.archive.name,))

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        """What it gives, and what it takes away."""
        return seen(self.table, self.archive)

    def sql(self) -> tuple[str, ...]:
        """Its comment stays."""
        like = replace(self.table, name=self.archive.name, comment=self.archive.comment)
        return tuple(access_again_sql(self.archive, like))


@dataclass(frozen=True)
class CreateArchiveView(SharedStep):
    """A view over a table and its archive, with the rights of its reader where PostgreSQL can (15 and later).

    Args:
        view: its name.
        table: the table.
        archive: its archive.
        invoker: whether PostgreSQL can.
        replaces: it exists with fewer columns, or over less or more tables.
        cold: the table of partitions on another server, if the table has one.
    """

    view: QualifiedName
    table: Table
    archive: QualifiedName
    invoker: bool
    replaces: bool = False
    cold: QualifiedName | None = None

    @property
    def summary(self) -> str:
        """Names all."""
        verb = "replace" if self.replaces else "create"
        more = f" and {self.cold}" if self.cold else ""
        return f"{verb} view {self.view} over {self.table.name} and {self.archive}{more}"

    @property
    def locks(self) -> tuple[Lock, ...]:
        """One that exists is locked briefly."""
        return (own_view_lock(self.view),) if self.replaces else ()

    def sql(self) -> tuple[str, ...]:
        """Let the roles that may read the table read the view."""
        columns = idents(tuple(column.name for column in self.table.columns))
        verb = "CREATE OR REPLACE VIEW" if self.replaces else "CREATE VIEW"
        options = " WITH (security_invoker = true)" if self.invoker else ""
        readers = [grant.to for grant in self.table.grants if "SELECT" in grant.what.split(", ") and not grant.own]
        owner = (f"ALTER VIEW {self.view.sql} OWNER TO {ident(self.table.owner)}",) if self.table.owner else ()
        tables = (self.table.name, self.archive, *((self.cold,) if self.cold else ()))
        selects = " UNION ALL ".join(f"SELECT {columns} FROM {name.sql}" for name in tables)
        return (
            f"{verb} {self.view.sql}{options} AS {selects}",
            *(f"GRANT SELECT ON {self.view.sql} TO {whom}" for whom in readers),
            *owner,
        )


@dataclass(frozen=True)
class DropArchiveTable(SharedStep):
    """DROP TABLE of an archive that holds no row, and of the view over it and its table.

    Args:
        archive: the archive.
        partitions: its partitions, which go along.
        referenced: the tables that its partitions refer to.
        view: the view, which goes first.
        registered: part_config has a row of it.
        remembered: archived_partition has rows of it.
        gone: what was in transit there, and is not a table any more.
    """

    archive: QualifiedName
    partitions: tuple[QualifiedName, ...] = ()
    referenced: tuple[QualifiedName, ...] = ()
    view: QualifiedName | None = None
    registered: bool = True
    remembered: bool = False
    gone: tuple[QualifiedName, ...] = ()

    @property
    def summary(self) -> str:
        """Names the archive."""
        return f"drop {self.archive}" + (f" and view {self.view}" if self.view else "")

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly."""
        view = (own_view_lock(self.view),) if self.view else ()
        return (*view, *exclusive((self.archive, *self.partitions, *self.referenced)))

    def sql(self) -> tuple[str, ...]:
        """Looked at once more under the lock: RESTRICT, and never with a row."""
        message = literal(f"{self.archive} holds rows")
        gone = ", ".join(literal(str(name)) for name in self.gone)
        but = f" AND partition_name NOT IN ({gone})" if gone else ""
        under_way = on_its_way_sql(
            f"goes_to = {literal(str(self.archive))}{but}",
            f"a partition is in transit to {self.archive} ({ARCHIVED_PARTITION})",
        )
        # It may join a transaction whose settings are another's.
        setting = "PERFORM pg_catalog.set_config('row_security', {}, true);"
        check = (
            f"was := pg_catalog.current_setting('row_security'); {setting.format(literal('off'))} "
            f"IF EXISTS (SELECT 1 FROM {self.archive.sql}) THEN RAISE object_in_use "
            f"USING MESSAGE = {message}; END IF; {setting.format('was')} {under_way}"
        )
        forget = f"DELETE FROM {ARCHIVED_PARTITION.sql} WHERE archive_table = {literal(str(self.archive))}"
        return (
            *((f"DROP VIEW {self.view.sql}",) if self.view else ()),
            f"LOCK TABLE {self.archive.sql} IN ACCESS EXCLUSIVE MODE",
            asking_sql(check, "was text; "),
            *((unregister_sql(self.archive),) if self.registered else ()),
            *((forget,) if self.remembered else ()),
            f"DROP TABLE {self.archive.sql}",
        )


@dataclass(frozen=True)
class RegisterArchivePolicy(SharedStep):
    """The policy's row in archive_policy."""

    says = "register the archive policy of {self.policy.table}"

    policy: ArchivePolicy
    resets: tuple[str, ...] = ()
    """Columns that are registered with a value, and may be none any more."""

    def sql(self) -> tuple[str, ...]:
        """One row."""
        policy = self.policy
        own = {one.name: getattr(policy, one.name) for one in fields(policy)[2:] if one.compare}
        left = [name for name in LATER if own[name] is None and name not in self.resets]
        values = {"table_name": str(policy.table), "archive_table": str(policy.archive)}
        return (upsert_sql(ARCHIVE_POLICY, values | {name: own[name] for name in own if name not in left}),)


@dataclass(frozen=True)
class UnregisterArchivePolicy(SharedStep):
    """The policy's row in archive_policy goes."""

    says = "forget the archive policy of {self.table}"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"DELETE FROM {ARCHIVE_POLICY.sql} WHERE table_name = {literal(str(self.table))}",)


# Partitions that move


@dataclass(frozen=True)
class Route:
    """From where a partition goes where, and whose archive is concerned."""

    table: QualifiedName
    archive: QualifiedName
    goes_to: QualifiedName


def closed_sql(route: Route) -> Iterable[str]:
    """Have it decided again where row security of the table, set meanwhile, would not hide rows in the archive."""
    if route.goes_to != route.archive:
        return
    opened = (
        f"SELECT 1 FROM pg_class t, pg_class a WHERE t.oid = to_regclass({literal(route.table.sql)}) "
        f"AND a.oid = to_regclass({literal(route.archive.sql)}) AND t.relrowsecurity AND NOT a.relrowsecurity "
        "AND (EXISTS (SELECT 1 FROM aclexplode(a.relacl) g WHERE g.grantee <> a.relowner) "
        "OR EXISTS (SELECT 1 FROM pg_attribute c WHERE c.attrelid = a.oid AND c.attacl IS NOT NULL))"
    )
    yield expect_sql(f"NOT EXISTS ({opened})", f"{route.archive} has no row security, and {route.table} has")


def moved_sql(route: Route, name: QualifiedName, bounds: str, moment: str) -> str:
    """Return the row of archived_partition that says where a partition went."""
    texts = map(literal, (str(name), str(route.table), str(route.archive), bounds, str(route.goes_to)))
    return (
        f"INSERT INTO {ARCHIVED_PARTITION.sql} (partition_name, table_name, archive_table, bounds, goes_to, moved_at) "
        f"VALUES ({', '.join(texts)}, {moment}) ON CONFLICT (partition_name) DO UPDATE "
        "SET (table_name, archive_table, bounds, goes_to, moved_at) = "
        "(excluded.table_name, excluded.archive_table, excluded.bounds, excluded.goes_to, excluded.moved_at)"
    )


@dataclass(frozen=True)
class RecordMove(SharedStep):
    """The rows that say from where a partition is about to be detached and where it goes, committed before it is."""

    says = "record that {self.seen.name} goes from {self.seen.parent} to {self.route.goes_to}"

    seen: Detaching
    route: Route

    def sql(self) -> tuple[str, ...]:
        """Write one row for commands that look for what is detached, and one that says where it goes."""
        seen = self.seen
        return (
            # A session that drops where it goes, or attaches it there, has to wait, and finds these rows then.
            f"LOCK TABLE ONLY {self.route.goes_to.sql}, ONLY {seen.name.sql} IN ACCESS SHARE MODE",
            *closed_sql(self.route),
            *attached_sql(seen),
            recorded_sql(seen.parent, seen.name, seen.bounds),
            moved_sql(self.route, seen.name, seen.bounds, "NULL"),
        )


@dataclass(frozen=True)
class AttachMoved(Attach):
    """ALTER TABLE ... ATTACH PARTITION of what was detached for it; the CHECK that spares the scan stays.

    It says what the bounds say; the rollback needs no scan for it.
    """

    route: Route
    default_check: str | None = None

    def sql(self) -> tuple[str, ...]:
        """Attached, and known as such."""
        return (
            *closed_sql(self.route),
            *_arrived_sql(self.wanted, self.route, self.default_check),
            f"DELETE FROM {RETIRED_PARTITION.sql} WHERE partition_name = {literal(str(self.wanted.seen.name))}",
        )


def _arrived_sql(wanted: Attaching, route: Route, default_check: str | None) -> Iterable[str]:
    yield from attach_sql(wanted, default_check)
    yield moved_sql(route, wanted.seen.name, for_values(wanted.lower, wanted.upper), "pg_catalog.now()")


@dataclass(frozen=True)
class MovePartitionAcross(Step):
    """DETACH PARTITION and ATTACH PARTITION in one commit: a reader of both tables sees each row once, always.

    Args:
        seen: the partition, where it is.
        wanted: the partition, where it goes.
        route: from where to where.
        why: why not concurrently.
        default_check: the validated CHECK on the default partition there that spares its scan.
    """

    says = "move {self.seen.name} from {self.seen.parent} to {self.route.goes_to} in one commit: {self.why}"

    seen: Detaching
    wanted: Attaching
    route: Route
    why: str
    default_check: str | None = None

    @property
    def locks(self) -> tuple[Lock, ...]:
        """All access waits briefly; what the table refers to, against writes."""
        seen, wanted = self.seen, self.wanted
        defaults = (table for table in (seen.default, wanted.seen.default) if table)
        strong = (seen.parent, seen.name, *seen.below, *defaults, *seen.incoming, *wanted.referenced)
        weak = dict.fromkeys((self.route.goes_to, *seen.referenced, *wanted.incoming))
        return (
            *exclusive(strong),
            *(Lock(LockMode.SHARE_ROW_EXCLUSIVE, table) for table in weak if table not in strong),
        )

    def sql(self) -> tuple[str, ...]:
        """A validated CHECK spares the scan; it stays, and spares the one of the rollback."""
        return (
            f"LOCK TABLE ONLY {self.route.goes_to.sql} IN SHARE ROW EXCLUSIVE MODE",
            *closed_sql(self.route),
            *attached_sql(self.seen),
            f"ALTER TABLE {self.seen.parent.sql} DETACH PARTITION {self.seen.name.sql}",
            *_arrived_sql(self.wanted, self.route, self.default_check),
        )


@dataclass(frozen=True)
class ForgetMove(SharedStep):
    """The row of a partition whose table is gone, or another one by now, or that never left."""

    says = "forget that {self.name} was archived: {self.why}"

    name: QualifiedName
    why: str

    def sql(self) -> tuple[str, ...]:
        """One row."""
        return (f"DELETE FROM {ARCHIVED_PARTITION.sql} WHERE partition_name = {literal(str(self.name))}",)


# Rows that come back


@dataclass(frozen=True)
class KeepRestored(SharedStep):
    """The policy's row remembers which rows are taken back, so that the next run leaves them where they are."""

    once = True
    says = "keep rows of {self.table} from its archive, where {self.where}"

    table: QualifiedName
    where: str

    def sql(self) -> tuple[str, ...]:
        """A condition that exists stays once."""
        return (
            f"UPDATE {ARCHIVE_POLICY.sql} SET restored = pg_catalog.array_append("
            f"pg_catalog.array_remove(restored, {literal(self.where)}), {literal(self.where)}) "
            f"WHERE table_name = {literal(str(self.table))}",
        )


@dataclass(frozen=True)
class ForgetRestored(SharedStep):
    """What was taken back may go again."""

    once = True
    says = "forget which rows of {self.table} were restored from its archive"

    table: QualifiedName

    def sql(self) -> tuple[str, ...]:
        """The policy's row."""
        return (f"UPDATE {ARCHIVE_POLICY.sql} SET restored = NULL WHERE table_name = {literal(str(self.table))}",)
