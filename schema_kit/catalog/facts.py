"""The questions that plans ask of a database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import (
    archives,
    batches,
    citus,
    copying,
    dependents,
    health,
    kinds,
    leftovers,
    obstacles,
    policies,
    present,
    publications,
    retirement,
    rights,
    scratch,
    sets,
    sqlschema,
    statements,
    strangers,
    watch,
)
from schema_kit.catalog import rows as leaving
from schema_kit.catalog import table as tables
from schema_kit.catalog.search_path import schema_of
from schema_kit.catalog.session import has_citus, observing, rows
from schema_kit.errors import PlanError, SchemaKitError
from schema_kit.intervals import Point
from schema_kit.keys import BeyondCalendar
from schema_kit.marks import BOUND_CHECK, being_built, composite_column, fill_function, fill_index_name
from schema_kit.model import (
    ArchivePolicy,
    Attaching,
    BatchTarget,
    Conversion,
    Copying,
    CopyRun,
    Detaching,
    Emptied,
    ForeignKey,
    IgnoredFinding,
    IndexDeclaration,
    LeavingTable,
    Leftover,
    MaterializedView,
    Moved,
    Partitioning,
    Publishing,
    Range,
    Referring,
    Relation,
    Retired,
    ShardDifference,
    Stored,
    Table,
    TimeToLive,
    Told,
    Watched,
    layout,
)
from schema_kit.model.grid import grid, partitioned_table
from schema_kit.model.scripts import PartmanConfig, SqlSchema
from schema_kit.names import QualifiedName, ended, ident, literal, within
from schema_kit.server import Server
from schema_kit.storage import (
    ARCHIVE_POLICY,
    ARCHIVED_PARTITION,
    CONFIG_SCHEMA,
    COPY_CHUNK,
    COPY_RUN,
    COPY_TARGET,
    CREATED_OBJECT,
    PART_CONFIG,
    PART_CONFIG_SUB,
    RETIRED_PARTITION,
)

_SUB_PARTITIONED = f"""(EXISTS (SELECT 1 FROM {PART_CONFIG_SUB.sql} o WHERE o.sub_parent = c.parent_table) OR EXISTS (
  SELECT 1 FROM pg_inherits i JOIN pg_class x ON x.oid = i.inhrelid JOIN pg_namespace xn ON xn.oid = x.relnamespace
  JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
  JOIN {PART_CONFIG_SUB.sql} b ON replace(b.sub_parent, '"', '') = replace(pn.nspname || '.' || p.relname, '"', '')
  WHERE x.relkind = 'p' AND replace(c.parent_table, '"', '') = replace(xn.nspname || '.' || x.relname, '"', '')))"""


class Catalog:
    """A database, as plans see it.

    Args:
        connection: where to look.
        now: a moment to take for the server's clock.
    """

    def __init__(self, connection: Connection, now: datetime | None = None) -> None:
        self._connection = connection
        self._now = now
        self.given_now = now
        """The moment that stands for the server's clock, if one does."""
        self._archives: tuple[ArchivePolicy, ...] | None = None
        self._retired_from: frozenset[QualifiedName] | None = None

    @contextmanager
    def _look(self) -> Iterator[Callable[..., Any]]:
        with observing(self._connection):
            yield lambda sql, values=None: rows(self._connection, sql, values)

    def server(self) -> Server:
        """What the server can."""
        with self._look() as ask:
            return Server(int(ask("SELECT current_setting('server_version_num')")[0][0]))

    def relation(self, text: str) -> QualifiedName:
        """The table that a person means: without a schema, as the session's search_path finds it."""
        return QualifiedName.parse(text, partial(schema_of, self._connection))

    def now(self) -> datetime:
        """The server's clock, or the moment that stands for it."""
        if self._now is None:
            with self._look() as ask:
                self._now = ask("SELECT now()")[0][0]
        return self._now

    def table(self, name: QualifiedName) -> Table | None:
        """The table of that name, with all that belongs to it."""
        with observing(self._connection):
            return tables.read(self._connection, name)

    def has_citus(self) -> bool:
        """Whether the last look has seen the extension citus; no query is sent."""
        return has_citus(self._connection)

    def shards_that_differ(self, names: Sequence[QualifiedName]) -> tuple[ShardDifference, ...]:
        """The placements of shards of those tables, and of their partitions, that are otherwise than the table."""
        with observing(self._connection):
            return citus.differing(self._connection, names)

    def stops_drop(self, table: QualifiedName, column: str | None = None) -> tuple[str, ...]:
        """Why PostgreSQL would refuse to drop the column, or the whole table; empty where it would not."""
        with observing(self._connection):
            return dependents.read(self._connection, table, column)

    def exists(self, name: QualifiedName) -> bool:
        """Whether there is any relation of that name."""
        with self._look() as ask:
            return bool(ask("SELECT to_regclass(%(name)s) IS NOT NULL", {"name": name.sql})[0][0])

    def has_rows(self, name: QualifiedName) -> bool:
        """Whether the table holds a row."""
        with self._look() as ask:
            return bool(ask(f"SELECT EXISTS (SELECT 1 FROM {name.sql})")[0][0])

    def tree(self, name: QualifiedName, views: bool = False) -> tuple[Relation, ...]:
        """The table and its partitions with their indexes, parents first; empty where there is none.

        Raises:
            PlanError: something else has the name; with *views*, a materialized view may.
        """
        with observing(self._connection):
            return tables.read_tree(self._connection, name, views)

    def refuse_others(self, name: QualifiedName) -> None:
        """Refuse a name that something else than a table has.

        Raises:
            PlanError: a view, say, has it.
        """
        with observing(self._connection):
            kinds.refuse_others(self._connection, name)

    def kind(self, name: QualifiedName) -> str:
        """What the relation of that name is: a table, a view, ...; empty where there is none."""
        with observing(self._connection):
            return kinds.kind(self._connection, name)

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        """The table that an index belongs to; None where there is no such index."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.indexrelid = to_regclass(%(name)s)"
        )
        with self._look() as ask:
            found = ask(sql, {"name": index.sql})
        return QualifiedName(*found[0]) if found else None

    def index_tail(self, declared: IndexDeclaration) -> str:
        """What PostgreSQL prints of a declared index after USING; its tablespace is not printed.

        Raises:
            PlanError: PostgreSQL refuses the declaration.
        """
        return scratch.index_tail(self._connection, replace(declared, tablespace=None))

    def reindex_leftovers(self, tables: Sequence[QualifiedName]) -> tuple[tuple[QualifiedName, QualifiedName], ...]:
        """INVALID indexes that REINDEX CONCURRENTLY has left on the TOAST tables of *tables*; each with its table."""
        sql = (
            "SELECT n.nspname, i.relname, t.relname FROM unnest(%(tables)s::text[]) AS own (name) "
            "JOIN pg_class c ON c.oid = to_regclass(own.name) JOIN pg_class t ON t.oid = c.reltoastrelid "
            "JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_index x ON x.indrelid = t.oid "
            "JOIN pg_class i ON i.oid = x.indexrelid "
            "WHERE NOT x.indisvalid AND i.relname ~ '_cc(new|old)[0-9]*$' ORDER BY i.relname"
        )
        with self._look() as ask:
            found = ask(sql, {"tables": [table.sql for table in tables]})
        return tuple((QualifiedName(schema, index), QualifiedName(schema, table)) for schema, index, table in found)

    def operator_class(self, name: str, method: str) -> str:
        """An operator class by bare name, found wherever its extension lives, and qualified.

        Raises:
            PlanError: there is none.
        """
        sql = (
            "SELECT n.nspname FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod "
            "JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.opcname = %(name)s AND m.amname = %(method)s "
            "ORDER BY n.nspname = 'pg_catalog' DESC, n.nspname LIMIT 1"
        )
        with self._look() as ask:
            found = ask(sql, {"name": name, "method": method})
        if not found:
            raise PlanError(
                f"there is no operator class {name!r} for {method} in this database. Create the extension that brings "
                "it first (gin_trgm_ops is pg_trgm's)."
            )
        return f"{ident(found[0][0])}.{ident(name)}"

    def letters_have_trigrams(self, operator_class: str) -> bool:
        """Whether pg_trgm finds trigrams in text that is not ASCII: under an LC_CTYPE of C it finds none."""
        schema = operator_class.rpartition(".")[0]
        with self._look() as ask:
            return bool(ask(f"SELECT cardinality({schema}.show_trgm({literal('สวัสดีครับ')})) > 0")[0][0])

    def policies(self, unreadable: Callable[[str, SchemaKitError], None] | None = None) -> tuple[Partitioning, ...]:
        """Every set that part_config holds and that maintenance is on for.

        Not sets that pg_partman's functions in SQL have sub-partitioned, nor their partitions: those look after them.

        Args:
            unreadable: is told of rows that are no policies: the table that they name, and why.

        Raises:
            DeclarationError: a row is no policy, and *unreadable* is not there to be told.
        """
        of_sql = f" AND NOT {_SUB_PARTITIONED}" if self.exists(PART_CONFIG_SUB) else ""
        return self._registered(f"WHERE automatic_maintenance = 'on'{of_sql}", unreadable)

    def policies_of(self, parents: Sequence[QualifiedName]) -> tuple[Partitioning, ...]:
        """Those of the tables that are named, whether maintenance is on for them or not.

        Raises:
            DeclarationError: the row of one of them is no policy.
        """
        wanted, names = {str(parent) for parent in parents}, set(parents)

        def unreadable(table: str, error: SchemaKitError) -> None:
            if table in wanted:
                raise error

        return tuple(policy for policy in self._registered(unreadable=unreadable) if policy.parent in names)

    def policy(self, parent: QualifiedName) -> Partitioning | None:
        """The policy of one set, whether maintenance is on for it or not."""
        return next((policy for policy in self._registered() if policy.parent == parent), None)

    def _registered(
        self, which: str = "", unreadable: Callable[[str, SchemaKitError], None] | None = None
    ) -> tuple[Partitioning, ...]:
        with observing(self._connection):
            missing = rights.missing_for_reading(self._connection, PART_CONFIG)
        if missing:
            raise PlanError(f"policies cannot be read: {'; '.join(missing)}.")
        if not self.exists(PART_CONFIG):
            return ()
        with self._look() as ask:
            found = [
                row[0] for row in ask(f"SELECT to_jsonb(c) FROM {PART_CONFIG.sql} c {which} ORDER BY parent_table")
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

    def rights_missing(self, table: QualifiedName) -> tuple[str, ...]:
        """The rights that making partitions of *table* needs and whoever runs this has not."""
        with observing(self._connection):
            return rights.missing_for_partitions(self._connection, table)

    def config_is_current(self) -> Stored:
        """Whether part_config is there, with all the columns that this version knows."""
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND NOT attisdropped"
        with self._look() as ask:
            there = {row[0] for row in ask(sql, {"name": PART_CONFIG.sql})}
        return Stored.of(bool(there), there >= policies.OURS)

    def lacking(
        self, create_in: Collection[str] = (), refer_to: Collection[QualifiedName] = (), *, register: bool = False
    ) -> tuple[str, ...]:
        """Privileges the current role lacks; empty where it has all of them.

        Args:
            create_in: schemas in which tables shall be made.
            refer_to: tables that foreign keys shall refer to.
            register: whether a policy shall be written.
        """
        with observing(self._connection):
            return rights.missing_for_sets(self._connection, create_in, refer_to, register)

    def partitioned(self, names: Sequence[QualifiedName] | None = None) -> list[tuple[QualifiedName, str]]:
        """The tables of those names, or all, that are sets or are cut into sets: each with its control column."""
        with observing(self._connection):
            return strangers.partitioned(self._connection, names)

    def told(self, parent: QualifiedName) -> tuple[Told, ...]:
        """What other tools have written down about a set."""
        return strangers.told(self._connection, parent)

    def sql_schema(self, schema: str, names: Sequence[str]) -> SqlSchema:
        """What a schema holds of the functions in SQL, *names* being theirs."""
        return sqlschema.read(self._connection, schema, names)

    def partman_configs(self) -> list[PartmanConfig]:
        """The tables of each real pg_partman that there is."""
        with observing(self._connection):
            return strangers.configs(self._connection)

    def policy_row(self, parent: QualifiedName) -> dict[str, Any]:
        """A set's row of part_config, as it stands there; empty where it has none."""
        if not self.exists(PART_CONFIG):
            return {}
        with observing(self._connection):
            return strangers.row_of(self._connection, parent)

    def partman_manages(self, parent: QualifiedName) -> bool:
        """Whether a pg_partman looks after the set, too."""
        with observing(self._connection):
            return strangers.partman_manages(self._connection, parent)

    def time_zones(self) -> list[tuple[str, str]]:
        """Names of time zones that may be a set's, and whose they are."""
        with observing(self._connection):
            return strangers.time_zones(self._connection)

    def here(self, policy: Partitioning, table: Table | None) -> Point:
        """Where the present of a set lies: at the clock, or at its greatest id."""
        checked = partitioned_table(policy, table)
        lines, default = grid(policy, checked), next((p.name for p in checked.partitions if p.default), None)
        if not lines.of_ids:
            return lines.here(self.now())
        with observing(self._connection):
            latest = present.latest(self._connection, {0: present.id_set(lines, checked, default)})
        return lines.here(self.now(), latest.get(0))

    def _greatest(self, policy: Partitioning, table: Table) -> str | None:
        control = ident(policy.control)  # uuid has no max() before 18; a bare name would order by the text
        sql = (
            f"SELECT own.{control}::text FROM {table.name.sql} own WHERE own.{control} IS NOT NULL "
            f"ORDER BY own.{control} DESC LIMIT 1"
        )
        with self._look() as ask:
            found = ask(sql)
        return str(found[0][0]) if found else None

    def sets(self, wanted: Sequence[Partitioning]) -> tuple[tuple[Partitioning, Table | None], ...]:
        """Each set of each policy, with its control column and its partitions alone: one query for all of them."""
        with observing(self._connection):
            return tuple(sets.read(self._connection, wanted))

    def detaching(self, parent: QualifiedName, name: QualifiedName) -> Detaching | None:
        """A table that is a partition of *parent*, or was; None where there is no such table."""
        with observing(self._connection):
            return retirement.read(self._connection, parent, name)

    def retired(self) -> tuple[Retired, ...]:
        """What retired_partition knows as detached."""
        if not self.exists(RETIRED_PARTITION):
            return ()
        with observing(self._connection):
            return retirement.retired(self._connection)

    def retired_from(self) -> frozenset[QualifiedName]:
        """The sets of which something was retired, read once: it tells of many sets which need a closer look."""
        if self._retired_from is None:
            self._retired_from = frozenset(row.parent for row in self.retired())
        return self._retired_from

    def archive_policies(self) -> tuple[ArchivePolicy, ...]:
        """Every row of archive_policy, read once: a run looks after many sets."""
        if self._archives is None and not self.exists(ARCHIVE_POLICY):
            self._archives = ()
        if self._archives is None:
            with observing(self._connection):
                self._archives = archives.policies(self._connection)
        return self._archives

    def archive_config_is_there(self) -> Stored:
        """Whether archive_policy and archived_partition are there, as this version makes them."""
        sql = (
            "SELECT to_regclass(%(moved)s) IS NOT NULL AND to_regclass(%(policy)s) IS NOT NULL, "
            "to_regclass(%(moved)s) IS NOT NULL AND 3 = (SELECT count(*) FROM pg_attribute "
            "WHERE attrelid = to_regclass(%(policy)s) AND attname IN ('restored', 'max_rows', 'access_method')) "
            "AND NOT EXISTS (SELECT 1 FROM pg_attribute "
            "WHERE attrelid = to_regclass(%(moved)s) AND attname = 'partition_oid' AND NOT attisdropped)"
        )
        with self._look() as ask:
            return Stored.of(*ask(sql, {"policy": ARCHIVE_POLICY.sql, "moved": ARCHIVED_PARTITION.sql})[0])

    def access_methods(self) -> frozenset[str]:
        """The access methods that tables can have here."""
        with self._look() as ask:
            return frozenset(row[0] for row in ask("SELECT amname FROM pg_am WHERE amtype = 't'"))

    def moved(self) -> tuple[Moved, ...]:
        """What archived_partition knows of partitions that went to an archive or came back."""
        if not self.exists(ARCHIVED_PARTITION):
            return ()
        with observing(self._connection):
            return archives.moved(self._connection)

    def archive_rights_missing(self, owned: Collection[QualifiedName]) -> tuple[str, ...]:
        """What stands in the way of whoever would write policies of archives and change these tables."""
        with observing(self._connection):
            return archives.lacking(self._connection, owned)

    def view_lacks(self, view: QualifiedName, columns: Collection[str]) -> bool:
        """Whether a view has not all of these columns."""
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0"
        with self._look() as ask:
            return not set(columns) <= {row[0] for row in ask(sql, {"name": view.sql})}

    def asked(self, sql: str) -> list[Any]:
        """The rows of a SELECT that somebody else has composed."""
        with self._look() as ask:
            return list(ask(sql))

    def measured(self, table: Table) -> Table:
        """A partitioned table with sizes, rows and tablespaces of its partitions."""
        with observing(self._connection):
            return sets.measured(self._connection, [table])[0]

    def checksum(self, table: QualifiedName) -> tuple[int, str]:
        """How many rows a table holds, and a checksum of them in whatever order; it reads all of them."""
        sql = f"SELECT count(*), coalesce(sum(hashtextextended(own::text, 0)), 0)::text FROM {table.sql} own"
        with self._look() as ask:
            count, text = ask(sql)[0]
        return int(count), str(text)

    def may_not_create_in(self, schema: str) -> tuple[str, ...]:
        """Why the role cannot put a table into that schema, with what mends it."""
        return self.lacking(create_in=(schema,))

    def attaching(self, parent: QualifiedName, name: QualifiedName, lower: str | None, upper: str | None) -> Attaching:
        """A table that shall become a partition of *parent*.

        Raises:
            PlanError: no such parent or table, or a bound that is none of the key's type.
        """
        with observing(self._connection):
            return retirement.read_attaching(self._connection, parent, name, lower, upper)

    def watched(
        self,
        wanted: Sequence[Partitioning],
        sentence: Callable[[DBAPIError], Exception],
        measured: bool = False,
    ) -> tuple[Watched, ...]:
        """Each set of each policy as a look at many sees it; what cannot be looked at says so, by *sentence*.

        With *measured*, what is read of partitions is how big they are, instead of what they have otherwise.
        """
        return watch.read(self._connection, wanted, self.now(), sentence, measured) if wanted else ()

    def leftovers(self) -> tuple[Leftover, ...]:
        """What unfinished work, kept tables, lost archives and publications leave."""
        with observing(self._connection):
            return leftovers.read(self._connection)

    def may_analyze(self, table: QualifiedName) -> bool:
        """Whether the current role may analyze the table; before 18, where it costs, once a day."""
        sql = (
            "SELECT (pg_has_role(c.relowner, 'USAGE') OR CASE WHEN %(maintain)s "
            "THEN has_table_privilege(c.oid, 'MAINTAIN') END IS TRUE) "
            "AND (%(only)s OR s.last_analyze IS NULL OR s.last_analyze < now() - interval '1 day') "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid WHERE n.nspname = %(schema)s AND c.relname = %(name)s"
        )
        server = self.server()
        can = {"maintain": server.maintain_privilege, "only": server.analyze_only}
        values = {**can, "schema": table.schema, "name": table.name}
        with self._look() as ask:
            return any(row[0] for row in ask(sql, values))

    def filled_default(self, table: Table | None) -> Table | None:
        """The default partition, where there is one and it holds rows."""
        name = next((p.name for p in table.partitions if p.default), None) if table else None
        return self.table(name) if name and self.has_rows(name) else None

    def strays(self, policy: Partitioning, table: Table | None, until: str | None = None) -> tuple[Range, ...]:
        """The windows ahead that have no partition, and rows in the default one."""
        default = next((p.name for p in table.partitions if p.default), None) if table else None
        if table is None or default is None or table.partitioned_by != (policy.control,):
            return ()
        lines = grid(policy, table)
        return self.strays_among(policy, table, lines.missing(lines.ahead(self.here(policy, table), until), table))

    def strays_among(self, policy: Partitioning, table: Table, windows: Sequence[Range]) -> tuple[Range, ...]:
        """Those of the windows of which the default partition, where there is one, holds rows."""
        default = next((p.name for p in table.partitions if p.default), None)
        if default is None or not windows:
            return ()
        lines, control, asked = grid(policy, table), ident(policy.control), list[str]()
        for place, window in enumerate(windows):
            found = f"EXISTS (SELECT 1 FROM {default.sql} WHERE {within(control, *lines.bounds(window))})"
            asked.append(f"SELECT {place} WHERE {found}")
        with self._look() as ask:
            return tuple(windows[place] for (place,) in sorted(ask(" UNION ALL ".join(asked))))

    def taken(self, names: Sequence[QualifiedName]) -> tuple[QualifiedName, ...]:
        """Those of the names that some table has."""
        sql = (
            "SELECT n.nspname, c.relname FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema, name) "
            "JOIN pg_namespace n ON n.nspname = wanted.schema "
            "JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'p', 'f')"
        )
        values = {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
        with self._look() as ask:
            return tuple(QualifiedName(*row) for row in ask(sql, values))

    def conversion(self, policy: Partitioning, composite: bool) -> Conversion | None:
        """What a conversion of `policy.parent` has to know."""
        table = self.table(policy.parent)
        if table is None:
            return None
        names = {(key.table, key.name) for key in table.incoming}
        provisional = {(other, being_built(name)) for other, name in names} & names
        incoming = tuple(key for key in table.incoming if (key.table, key.name) not in provisional)
        table = replace(table, incoming=incoming)
        registered = self.policy(policy.parent)

        def lengthened(key: ForeignKey) -> bool:
            return bool(table.partition_strategy) or policy.control not in key.referenced_columns

        with observing(self._connection):
            unfit = obstacles.unconvertible(self._connection, policy.parent, PART_CONFIG)
            size = copying.size(self._connection, policy.parent)
            listed = publications.listed(self._connection, table.name) if table.partition_strategy else ()
        plain = not table.partition_strategy and policy.control and policy.control not in table.primary_key
        resting = statements.that_rest_on_the_key(self._connection, table) if plain else ()
        tree = self.tree(table.name) if table.partition_strategy else ()
        seen = Conversion(
            table,
            self.now(),
            statements=resting,
            obstacles=unfit,
            built=self.table(policy.parent.sibling(being_built(policy.parent.name))),
            referring=tuple(self._referring(key, policy.control) for key in table.incoming if lengthened(key))
            if composite
            else (),
            registered=replace(registered, interval=policy.interval)
            if registered and registered.cut == policy.cut
            else registered,
            bytes=size,
            has_config=self.config_is_current(),
            server=self.server(),
            leaves=tuple((own.name, own.parent) for own in tree if own.parent and not own.partitioned),
            foreign=tuple(name for own in tree for name in own.foreign),
            listed=listed,
            emptied=None if table.partition_strategy else self._emptied(table.name),
        )
        proved = any(name == BOUND_CHECK and validated for name, _, validated in table.checks)
        if table.partition_strategy or table.column(policy.control) is None or proved or unfit:
            return seen
        return self._with_reach(seen, policy)

    def _emptied(self, table: QualifiedName) -> Emptied | None:
        with observing(self._connection):
            return copying.emptied(self._connection, table)

    def _unseen(self, table: Table) -> str:
        """Why not all rows of a table can be looked at; empty where they can."""
        try:
            self.has_rows(table.name)
        except PlanError as error:
            return str(error).removesuffix(".")
        return ""

    def _with_reach(self, seen: Conversion, policy: Partitioning) -> Conversion:
        lines = grid(policy, seen.table)
        if not lines.of_ids and seen.table.row_security and (unseen := self._unseen(seen.table)):
            return replace(seen, unseen=unseen)  # of ids, the greatest has to be known
        control, table, text = ident(policy.control), seen.table.name.sql, self._greatest(policy, seen.table)
        latest = None
        with suppress(BeyondCalendar):
            latest = lines.key.locate(text) if text else None
        farthest = [window.upper for window in lines.ahead(lines.here(seen.now, latest))][-1]
        bound = lines.upper(farthest)
        with self._look() as ask:
            beyond = keyless = 0
            if text and bound and (latest is None or latest >= farthest):
                beyond = ask(f"SELECT count(*) FROM {table} WHERE {control} >= {literal(bound)}")[0][0]
            if any(column.name == policy.control and not column.not_null for column in seen.table.columns):
                keyless = ask(f"SELECT count(*) FROM {table} WHERE {control} IS NULL")[0][0]
        return replace(seen, latest=latest, beyond=beyond, keyless=keyless)

    def _referring(self, key: ForeignKey, control: str) -> Referring:
        table = self.table(key.table)
        assert table is not None  # a foreign key of it was just seen
        column = composite_column(key.columns[0], control)
        filled = any(trigger.name == fill_function(key, column).name for trigger in table.triggers)
        provisional = being_built(key.name)
        with observing(self._connection):
            unfilled = filled and tables.unfilled(self._connection, key.table, key.columns[0], column)
            update_triggers = obstacles.fired_by_update(self._connection, key.table, key.columns[0])
        with self._look() as ask:
            may_create = ask("SELECT has_schema_privilege(%(schema)s, 'CREATE')", {"schema": key.table.schema})[0][0]
        return Referring(
            key,
            column,
            has_column=filled,
            provisional=next((own.name for own in table.foreign_keys if own.name == provisional), None),
            fill_index=table.index(fill_index_name(key.table, column)),
            unfilled=unfilled,
            partitioned=bool(table.partition_strategy),
            update_triggers=update_triggers,
            may_create=may_create,
        )

    def created(self) -> Mapping[str, frozenset[str]]:
        """What migrations made because it was missing: names by kind (schema, table, type, extension)."""
        kinds: dict[str, set[str]] = {"schema": set(), "table": set(), "type": set(), "extension": set()}
        if self.exists(CREATED_OBJECT):
            with self._look() as ask:
                for kind, name in ask(f"SELECT kind, name FROM {CREATED_OBJECT.sql}"):
                    kinds[kind].add(name)
        return {kind: frozenset(names) for kind, names in kinds.items()}

    def has_extension(self, name: str) -> bool:
        """Whether the extension is installed in this database."""
        with self._look() as ask:
            return bool(
                ask("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = %(name)s)", {"name": name})[0][0]
            )

    def has_schema(self, name: str) -> bool:
        """Whether there is such a schema."""
        with self._look() as ask:
            return bool(
                ask("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = %(name)s)", {"name": name})[0][0]
            )

    def alone_in_config_schema(self, *names: QualifiedName) -> bool:
        """Whether the schema of our own tables holds nothing besides those."""
        return self.relations_in(CONFIG_SCHEMA) <= {name.name for name in names}

    def finished_records(self) -> tuple[QualifiedName, ...]:
        """Our own tables that remember what was done to sets, and nothing that is still to be done."""
        retired = self.exists(RETIRED_PARTITION) and all(row.gone for row in self.retired())
        copies = (COPY_RUN, COPY_TARGET, COPY_CHUNK) if not self.copy_runs() else ()
        archives = (ARCHIVE_POLICY, ARCHIVED_PARTITION)
        unused = archives if not any(self.exists(name) and self.has_rows(name) for name in archives) else ()
        empty = (name for name in (PART_CONFIG_SUB, *unused, *copies) if self.exists(name))
        return (*((RETIRED_PARTITION,) if retired else ()), *empty)

    def relations_in(self, schema: str) -> set[str]:
        """The tables, views, sequences, functions and types of a schema, by name."""
        sql = (
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = %(schema)s AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') UNION ALL "
            "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = %(schema)s "
            "UNION ALL SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace "
            "WHERE nspname = %(schema)s AND typrelid = 0 AND typelem = 0"
        )
        with self._look() as ask:
            return {row[0] for row in ask(sql, {"schema": schema})}

    def check_definition(self, table: QualifiedName, expression: str) -> str:
        """How PostgreSQL prints a check of that table."""
        return scratch.check_definition(self._connection, table, expression)

    def several(
        self,
        table: QualifiedName,
        indexes: Sequence[IndexDeclaration],
        checks: Sequence[str],
        known: Collection[str] = (),
    ) -> dict[IndexDeclaration | str, tuple[str, ...] | PlanError]:
        """How PostgreSQL prints declared indexes and checks of that table; a PlanError where it refuses one."""
        return scratch.several(self._connection, table, indexes, checks, known)

    def partition_key(self, table: QualifiedName, declared: str) -> str:
        """How PostgreSQL prints a partition key of that table."""
        return scratch.partition_key(self._connection, table, declared)

    def column(self, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
        """How PostgreSQL prints a column's type and default."""
        return scratch.column(self._connection, table, type_, default)

    def rewrites(self, table: QualifiedName, action: str, first: str = "") -> tuple[bool, bool]:
        """Whether ALTER TABLE would rewrite the table, and whether it would build an index again; after *first*."""
        return scratch.rewrites(self._connection, table, action, first)

    def batch_target(self, table: QualifiedName, run: str) -> BatchTarget | None:
        """A table, and how far the update in batches of that name has come; None where there is no such table."""
        with observing(self._connection):
            return batches.read_target(self._connection, table, run)

    def copying(
        self,
        source: QualifiedName,
        parent: Table | None,
        policy: Partitioning | None,
        purpose: str,
        until: str | None = None,
    ) -> Copying:
        """What a copy of *source* into partitions of *parent* has to know.

        *until* is up to where rows get partitions, a date or time on the policy's wall clock, or an id; where it is
        left out, as far as is kept ahead.
        """
        lines, end = grid(policy, parent) if policy and parent else None, None
        if lines and parent and policy and until is not None:
            end = lines.read(until)
        elif lines and parent and policy and parent.partitioned_by == (policy.control,):
            end = layout.reach(lines, parent, self.here(policy, parent))
        elif lines and parent and not lines.of_ids and not parent.partition_strategy:
            end = layout.reach(lines, parent, lines.here(self.now()))
        with observing(self._connection):
            return copying.observe(self._connection, source, parent, lines, purpose, end)

    def copy_runs(self) -> tuple[tuple[QualifiedName, CopyRun], ...]:
        """The copies that are under way."""
        with observing(self._connection):
            return copying.read_runs(self._connection)

    def copy_run(self, source: QualifiedName) -> CopyRun | None:
        """How far the last copy of a table has come; None where there was none."""
        with observing(self._connection):
            return copying.read_run(self._connection, source)

    def parent_of(self, partition: QualifiedName) -> QualifiedName | None:
        """What a table is a partition of; None where it is none."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid AND p.relispartition "
            "JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE h.inhrelid = to_regclass(%(name)s)"
        )
        with self._look() as ask:
            found = ask(sql, {"name": partition.sql})
        return QualifiedName(*found[0]) if found else None

    def leaving(
        self, table: QualifiedName, archives: Collection[QualifiedName] = (), *, back: bool = False
    ) -> Mapping[QualifiedName, LeavingTable]:
        """A table whose rows shall leave, all that refers to it, and the tables that they go to, or come back from."""
        more = ("UPDATE", "DELETE") if back else ()
        with observing(self._connection):
            found = dict(leaving.read_tree(self._connection, table))
            for name in archives:
                if archive := leaving.read(self._connection, name, "SELECT", "INSERT", *more):
                    found[name] = archive
        return found

    def has_row_where(self, table: QualifiedName, where: str) -> bool:
        """Whether a row of the table meets a condition in SQL; without an index for it, all of them are read."""
        with self._look() as ask:
            return bool(ask(f"SELECT EXISTS (SELECT 1 FROM {table.sql} WHERE ({where}\n))")[0][0])

    def misunderstood(self, table: QualifiedName, where: str) -> str:
        """What PostgreSQL has against a condition on a table's columns; empty where it is one. No row is read."""
        try:
            self.has_row_where(table, f"false AND ({ended(where)})")
        except DBAPIError as error:
            return str(getattr(getattr(error.orig, "diag", None), "message_primary", None) or error.orig)
        return ""

    def waiting(self, table: QualifiedName, column: str, where: str, most: int) -> tuple[int, str | None]:
        """How many rows meet a condition, counted up to *most*, and the least value of a column among them."""
        own = f"SELECT own.{ident(column)} AS at FROM {table.sql} own WHERE {where} ORDER BY own.{ident(column)}"
        with self._look() as ask:
            count = ask(f"SELECT count(*) FROM ({own} LIMIT {most}) AS expired")[0][0]
            oldest = ask(f"SELECT expired.at::text FROM ({own} LIMIT 1) AS expired")
        return count, oldest[0][0] if oldest else None

    def ttl_policies(self) -> tuple[TimeToLive, ...]:
        """All policies of time-to-live."""
        with observing(self._connection):
            return leaving.policies(self._connection)

    def ignored_findings(self) -> dict[IgnoredFinding, str]:
        """Findings of health that are left out, with the reasons."""
        with observing(self._connection):
            return health.ignored(self._connection)

    def materialized_view(self, view: QualifiedName) -> MaterializedView | None:
        """The materialized view of that name."""
        with observing(self._connection):
            return batches.read_view(self._connection, view)

    def publication(self, name: str) -> Publishing | None:
        """A publication by itself; None where there is none of the name."""
        with observing(self._connection):
            return publications.by_itself(self._connection, name)

    def published_leaves(self, table: QualifiedName) -> tuple[tuple[str, QualifiedName, bool], ...]:
        """Publications that hold partitions under their own names, each with one, and whether it lists that by name."""
        with observing(self._connection):
            return publications.listed(self._connection, table)

    def enum_labels(self, enum: QualifiedName) -> tuple[str, ...] | None:
        """The values of an enum in their order; None where there is no such enum."""
        with observing(self._connection):
            return batches.read_labels(self._connection, enum)
