"""Questions about policies, archives and the partitioned tables that they manage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import (
    archives,
    cold,
    health,
    leftovers,
    other_managers,
    overview,
    policies,
    position,
    retirement,
    rights,
    sets,
    sqlschema,
)
from schema_kit.catalog import rows as leaving
from schema_kit.catalog.relations import Relations, handed, looked
from schema_kit.catalog.session import observing
from schema_kit.errors import SchemaKitError, refuse_for
from schema_kit.intervals import Point
from schema_kit.model import (
    ArchivePolicy,
    Moved,
    Partitioning,
    Range,
    Retired,
    Stored,
    Table,
    Watched,
)
from schema_kit.model.declared import KNOWN
from schema_kit.model.grid import grid, partitioned_table
from schema_kit.model.scripts import PartmanRow
from schema_kit.names import QualifiedName, ident, within
from schema_kit.storage import (
    ARCHIVE_POLICY,
    ARCHIVED_PARTITION,
    PART_CONFIG,
    PART_CONFIG_SUB,
    RETIRED_PARTITION,
)

_SUB_PARTITIONED = f"""(EXISTS (SELECT 1 FROM {PART_CONFIG_SUB.sql} o WHERE o.sub_parent = c.parent_table) OR EXISTS (
  SELECT 1 FROM pg_inherits i JOIN pg_class x ON x.oid = i.inhrelid JOIN pg_namespace xn ON xn.oid = x.relnamespace
  JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
  JOIN {PART_CONFIG_SUB.sql} b ON replace(b.sub_parent, '"', '') = replace(pn.nspname || '.' || p.relname, '"', '')
  WHERE x.relkind = 'p' AND replace(c.parent_table, '"', '') = replace(xn.nspname || '.' || x.relname, '"', '')))"""


# No text of a bound is a moment or an id for anything but pg_partman's functions in SQL.
_READ_BY_SQL = "(c.partition_type = 'list' OR c.time_encoder IS NOT NULL AND to_jsonb(c) ->> 'encoding' IS NULL)"


class Managed(Relations):
    """What schema_kit manages in a database."""

    missing_partition_rights = looked(rights.missing_for_partitions)
    missing_rights = looked(rights.missing_for_sets)
    told = handed(other_managers.told)
    sql_schema = handed(sqlschema.read)
    partman_configs = looked(other_managers.configs)
    partman_manages = looked(other_managers.partman_manages)
    detaching = looked(retirement.read)
    attaching = looked(retirement.read_attaching)
    cold_config_is_there = looked(cold.stored)
    cold_archives = looked(cold.archives)
    cold_partitions = looked(cold.partitions)
    cold_columns = looked(cold.columns)
    cold_server = looked(cold.server)
    cold_refusals = looked(cold.refusals)
    printed = looked(cold.printed)
    missing_archive_rights = looked(archives.missing_rights)
    leftovers = looked(leftovers.read)
    ttl_policies = looked(leaving.policies)
    ignored_findings = looked(health.ignored)

    def policies(self, unreadable: Callable[[str, SchemaKitError], None] | None = None) -> tuple[Partitioning, ...]:
        """Return every set that part_config holds and that maintenance is on for.

        Not tables that pg_partman's functions in SQL have sub-partitioned, nor their partitions, nor those partitioned
        by LIST or by a key that only their time_encoder reads: those functions maintain them.

        Args:
            unreadable: receives rows that are not policies: the table that they name, and why.

        Raises:
            DeclarationError: a row is not a valid policy, and *unreadable* was not given.
        """
        of_sql = f" AND NOT {_READ_BY_SQL} AND NOT {_SUB_PARTITIONED}" if self.exists(PART_CONFIG_SUB) else ""
        return self._registered(f"WHERE automatic_maintenance = 'on'{of_sql}", unreadable)

    def policies_of(self, parents: Sequence[QualifiedName]) -> tuple[Partitioning, ...]:
        """Return those of the tables that are named, whether maintenance is on for them or not.

        Raises:
            DeclarationError: the row of one of them is not a valid policy.
        """
        wanted, names = {str(parent) for parent in parents}, set(parents)

        def unreadable(table: str, error: SchemaKitError) -> None:
            if table in wanted:
                raise error

        return tuple(policy for policy in self._registered(unreadable=unreadable) if policy.parent in names)

    def policy(self, parent: QualifiedName) -> Partitioning | None:
        """Return the policy of one set, whether maintenance is on for it or not."""
        return next((policy for policy in self._registered() if policy.parent == parent), None)

    def _registered(
        self, which: str = "", unreadable: Callable[[str, SchemaKitError], None] | None = None
    ) -> tuple[Partitioning, ...]:
        with observing(self._connection):
            missing = rights.missing_for_reading(self._connection, PART_CONFIG)
        refuse_for("policies cannot be read", missing)
        if not self.exists(PART_CONFIG):
            return ()
        found = [
            row[0] for row in self.asked(f"SELECT to_jsonb(c) FROM {PART_CONFIG.sql} c {which} ORDER BY parent_table")
        ]
        read = list[Partitioning]()
        for row in found:
            try:
                read.append(policies.read(row))
            except SchemaKitError as error:
                if unreadable is None:
                    raise
                unreadable(row["parent_table"], error)
        return tuple(read)

    def config_is_current(self) -> Stored:
        """Return whether part_config exists, with all the columns that this version knows."""
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND NOT attisdropped"
        there = {row[0] for row in self.asked(sql, {"name": PART_CONFIG.sql})}
        return Stored.of(bool(there), there >= KNOWN)

    def maintained(self) -> dict[QualifiedName, datetime | None]:
        """Return when each partitioned table was maintained last; None: never, or unknown."""
        if not self.exists(PART_CONFIG):
            return {}
        found = self.asked(
            "SELECT c.parent_table, (to_jsonb(c) ->> 'maintenance_last_run')::timestamptz "
            f"FROM {PART_CONFIG.sql} c WHERE c.automatic_maintenance = 'on' ORDER BY 1"
        )
        return {QualifiedName.parse(name): at for name, at in found}

    def may_remember_maintenance(self) -> bool:
        """Return whether part_config has a column for it, and the role may write it."""
        sql = (
            "SELECT 1 FROM pg_attribute a WHERE a.attrelid = to_regclass(%(name)s) "
            "AND a.attname = 'maintenance_last_run' AND NOT a.attisdropped "
            "AND has_column_privilege(a.attrelid, a.attnum, 'UPDATE')"
        )
        return bool(self.asked(sql, {"name": PART_CONFIG.sql}))

    def partman_tree(self, parent: QualifiedName, schema: str) -> tuple[PartmanRow, ...]:
        """Read a table and its partitioned partitions, as the part_config of a schema knows them."""
        if not self.exists(QualifiedName(schema, "part_config")):
            return ()
        return other_managers.tree(self._connection, parent, schema)

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        """Return where the current position of a partitioned table lies: at the clock, or at its greatest id."""
        checked = partitioned_table(policy, table)
        lines, default = grid(policy, checked), checked.default_partition
        if not lines.of_ids:
            return lines.here(self.now())
        with observing(self._connection):
            latest = position.latest(self._connection, {0: position.id_set(lines, checked, default)})
        return lines.here(self.now(), latest.get(0))

    def _greatest(self, policy: Partitioning, table: Table) -> str | None:
        control = ident(policy.control)  # uuid has no max() before 18; a bare name would order by the text
        sql = (
            f"SELECT own.{control}::text FROM {table.name.sql} own WHERE own.{control} IS NOT NULL "
            f"ORDER BY own.{control} DESC LIMIT 1"
        )
        found = self.asked(sql)
        return str(found[0][0]) if found else None

    def sets(self, wanted: Sequence[Partitioning]) -> tuple[tuple[Partitioning, Table | None], ...]:
        """Return each table of each policy, with its control column and its partitions only: one query for all."""
        with observing(self._connection):
            return tuple(sets.read(self._connection, wanted))

    def retired(self) -> tuple[Retired, ...]:
        """Return what retired_partition knows as detached."""
        if not self.exists(RETIRED_PARTITION):
            return ()
        with observing(self._connection):
            return retirement.retired(self._connection)

    def retired_from(self) -> frozenset[QualifiedName]:
        """Return the tables of which something was retired, read once: they are what needs a closer look."""
        if self._retired_from is None:
            self._retired_from = frozenset(row.parent for row in self.retired())
        return self._retired_from

    def archive_policies(self) -> tuple[ArchivePolicy, ...]:
        """Return every row of archive_policy, read once: a run looks after many sets."""
        if self._archives is None and not self.exists(ARCHIVE_POLICY):
            self._archives = ()
        if self._archives is None:
            with observing(self._connection):
                self._archives = archives.policies(self._connection)
        return self._archives

    def archive_by_partition(self, table: QualifiedName) -> ArchivePolicy | None:
        """Return the policy by which partitions of a table go to its archive."""
        return next((one for one in self.archive_policies() if one.table == table and one.way == "partition"), None)

    def archive_config_is_there(self) -> Stored:
        """Return whether archive_policy and archived_partition exist, as this version makes them."""
        sql = (
            "SELECT to_regclass(%(moved)s) IS NOT NULL AND to_regclass(%(policy)s) IS NOT NULL, "
            "to_regclass(%(moved)s) IS NOT NULL AND 4 = (SELECT count(*) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%(policy)s) "
            "AND attname IN ('restored', 'max_rows', 'access_method', 'cold_after')) "
            "AND NOT EXISTS (SELECT 1 FROM pg_attribute "
            "WHERE attrelid = to_regclass(%(moved)s) AND attname = 'partition_oid' AND NOT attisdropped)"
        )
        return Stored.of(*self.asked(sql, {"policy": ARCHIVE_POLICY.sql, "moved": ARCHIVED_PARTITION.sql})[0])

    def cluster(self) -> str:
        """Return what distinguishes this database from a clone of it."""
        return str(self.asked(cold.CLUSTER, {})[0][0])

    def moved(self) -> tuple[Moved, ...]:
        """Return what archived_partition knows of partitions that went to an archive or came back."""
        if not self.exists(ARCHIVED_PARTITION):
            return ()
        with observing(self._connection):
            return archives.moved(self._connection)

    def watched(
        self,
        wanted: Sequence[Partitioning],
        sentence: Callable[[DBAPIError, Connection], Exception],
        measured: bool = False,
    ) -> tuple[Watched, ...]:
        """Yield each table of each policy as a look at many sees it; what cannot be read says so, by *sentence*.

        With *measured*, what is read of partitions is how big they are, instead of what they have otherwise.
        """
        return overview.read(self._connection, wanted, self.now(), sentence, measured) if wanted else ()

    def filled_default(self, table: Table | None) -> Table | None:
        """Return the default partition, where there is one and it holds rows."""
        name = table.default_partition if table else None
        return self.table(name) if name and self.has_rows(name) else None

    def strays(self, policy: Partitioning, table: Table | None, until: str | None = None) -> tuple[Range, ...]:
        """Return the ranges ahead that have no partition, and rows in the default one."""
        if table is None or table.default_partition is None or table.partitioned_by != (policy.control,):
            return ()
        lines = grid(policy, table)
        return self.strays_among(policy, table, lines.missing(lines.ahead(self.here(policy, table), until), table))

    def strays_among(self, policy: Partitioning, table: Table, windows: Sequence[Range]) -> tuple[Range, ...]:
        """Return those of the ranges of which the default partition, where there is one, holds rows."""
        default = table.default_partition
        if default is None or not windows:
            return ()
        lines, control, asked = grid(policy, table), ident(policy.control), list[str]()
        for place, window in enumerate(windows):
            found = f"EXISTS (SELECT 1 FROM {default.sql} WHERE {within(control, *lines.bounds(window))})"
            asked.append(f"SELECT {place} WHERE {found}")
        return tuple(windows[place] for (place,) in sorted(self.asked(" UNION ALL ".join(asked))))
