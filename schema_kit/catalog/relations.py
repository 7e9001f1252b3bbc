"""Questions about relations, their parts and what PostgreSQL makes of declarations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from schema_kit.catalog import (
    batches,
    citus,
    dependents,
    kinds,
    needed,
    other_managers,
    present,
    publications,
    scratch,
    sets,
)
from schema_kit.catalog import table as tables
from schema_kit.catalog.search_path import schema_of
from schema_kit.catalog.session import has_citus, observing, rows
from schema_kit.errors import PlanError
from schema_kit.model import (
    ArchivePolicy,
    IndexDeclaration,
    Table,
)
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.server import Server
from schema_kit.storage import (
    CONFIG_SCHEMA,
    CREATED_OBJECT,
)

Asked = ParamSpec("Asked")
Found = TypeVar("Found")


def handed(read: Callable[Concatenate[Connection, Asked], Found]) -> Callable[Concatenate[Relations, Asked], Found]:
    """Make a question to a connection a method of the catalog that has one."""

    @wraps(read)
    def ask(catalog: Relations, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        return read(catalog._connection, *args, **kwargs)

    return ask


def looked(read: Callable[Concatenate[Connection, Asked], Found]) -> Callable[Concatenate[Relations, Asked], Found]:
    """Make one that is put while observing a method of the catalog, which observes for it."""

    @wraps(read)
    def look(catalog: Relations, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Found:
        with observing(catalog._connection):
            return read(catalog._connection, *args, **kwargs)

    return look


class Relations:
    """The relations of a database.

    Args:
        connection: where to look.
        now: a moment to take for the server's clock.
    """

    table = looked(tables.read)
    shards_that_differ = looked(citus.differing)
    stops_drop = looked(dependents.read)
    tree = looked(tables.read_tree)
    view = looked(tables.read_view)
    refuse_others = looked(kinds.refuse_others)
    kind = looked(kinds.kind)
    partitioned = looked(other_managers.partitioned)
    time_zones = looked(other_managers.time_zones)
    materialized_view = looked(batches.read_view)
    publication = looked(publications.by_itself)
    published_leaves = looked(publications.listed)
    enum_labels = looked(batches.read_labels)
    unlike = handed(needed.unlike)
    unknown_types = handed(needed.unknown_types)
    check_definition = handed(scratch.check_definition)
    check_forms = handed(scratch.check_forms)
    several = handed(scratch.several)
    partition_key = handed(scratch.partition_key)
    column = handed(scratch.column)
    generated = handed(scratch.generated)
    rewrites = handed(scratch.rewrites)

    def __init__(self, connection: Connection, now: datetime | None = None) -> None:
        self._connection = connection
        self._now = now
        self.given_now = now
        """The moment that stands for the server's clock, if one does."""
        self._archives: tuple[ArchivePolicy, ...] | None = None
        self._retired_from: frozenset[QualifiedName] | None = None

    def asked(self, sql: str, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the rows of one SELECT."""
        with observing(self._connection):
            return rows(self._connection, sql, values)

    def server(self) -> Server:
        """Return what the server can."""
        return Server(int(self.asked("SELECT current_setting('server_version_num')")[0][0]))

    def relation(self, text: str) -> QualifiedName:
        """Return the table that a person means: without a schema, as the session's search_path finds it."""
        return QualifiedName.parse(text, partial(schema_of, self._connection))

    def now(self) -> datetime:
        """Return the server's clock, or the moment that stands for it."""
        if self._now is None:
            self._now = self.asked("SELECT now()")[0][0]
        return self._now

    def has_citus(self) -> bool:
        """Return whether the last look has seen the extension citus; no query is sent."""
        return has_citus(self._connection)

    def exists(self, name: QualifiedName) -> bool:
        """Return whether there is any relation of that name."""
        return bool(self.asked("SELECT to_regclass(%(name)s) IS NOT NULL", {"name": name.sql})[0][0])

    def has_rows(self, name: QualifiedName) -> bool:
        """Return whether the table holds a row."""
        return bool(self.asked(f"SELECT EXISTS (SELECT 1 FROM {name.sql})")[0][0])

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        """Return the table that an index belongs to; None where there is no such index."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.indexrelid = to_regclass(%(name)s)"
        )
        found = self.asked(sql, {"name": index.sql})
        return QualifiedName(*found[0]) if found else None

    def index_tail(self, declared: IndexDeclaration) -> str:
        """Return what PostgreSQL prints of a declared index after USING; its tablespace is not printed.

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
        found = self.asked(sql, {"tables": [table.sql for table in tables]})
        return tuple((QualifiedName(schema, index), QualifiedName(schema, table)) for schema, index, table in found)

    def operator_class(self, name: str, method: str) -> str:
        """Return an operator class by bare name, found wherever its extension lives, and qualified.

        Raises:
            PlanError: there is none.
        """
        sql = (
            "SELECT n.nspname FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod "
            "JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.opcname = %(name)s AND m.amname = %(method)s "
            "ORDER BY n.nspname = 'pg_catalog' DESC, n.nspname LIMIT 1"
        )
        found = self.asked(sql, {"name": name, "method": method})
        if not found:
            raise PlanError(
                f"there is no operator class {name!r} for {method} in this database. Create the extension that brings "
                "it first (gin_trgm_ops is pg_trgm's)."
            )
        return f"{ident(found[0][0])}.{ident(name)}"

    def letters_have_trigrams(self, operator_class: str) -> bool:
        """Return whether pg_trgm finds trigrams in text that is not ASCII: under an LC_CTYPE of C it finds none."""
        schema = operator_class.rpartition(".")[0]
        return bool(self.asked(f"SELECT cardinality({schema}.show_trgm({literal('สวัสดีครับ')})) > 0")[0][0])

    def access_methods(self) -> frozenset[str]:
        """Return the access methods that tables can have here."""
        return frozenset(row[0] for row in self.asked("SELECT amname FROM pg_am WHERE amtype = 't'"))

    def view_lacks(self, view: QualifiedName, columns: Collection[str]) -> bool:
        """Return whether a view has not all of these columns."""
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0"
        return not set(columns) <= {row[0] for row in self.asked(sql, {"name": view.sql})}

    def measured(self, table: Table) -> Table:
        """Return a partitioned table with sizes, rows and tablespaces of its partitions."""
        with observing(self._connection):
            return sets.measured(self._connection, [table])[0]

    def checksum(self, table: QualifiedName, columns: Collection[str] = ()) -> tuple[int, str]:
        """Return how many rows a table holds, and a checksum of them in whatever order; it reads all of them.

        Args:
            table: the table.
            columns: those that are summed up, where they are not all.
        """
        row = f"ROW({', '.join(f'own.{ident(name)}' for name in columns)})" if columns else "own"
        sql = f"SELECT count(*), coalesce(sum(hashtextextended({row}::text, 0)), 0)::text FROM {table.sql} own"
        count, text = self.asked(sql)[0]
        return int(count), str(text)

    def may_analyze(self, table: QualifiedName) -> bool:
        """Return whether the current role may analyze the table; before 18, where it costs, once a day."""
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
        return any(row[0] for row in self.asked(sql, values))

    def taken(self, names: Sequence[QualifiedName]) -> tuple[QualifiedName, ...]:
        """Return those of the names that some table has."""
        with observing(self._connection):
            return tuple(present.read(self._connection, names))

    def created(self) -> Mapping[str, frozenset[str]]:
        """Return what migrations made because it was missing: names by kind (schema, table, type, ...)."""
        kinds: dict[str, set[str]] = {kind: set() for kind in ("schema", "table", "type", "sequence", "extension")}
        if self.exists(CREATED_OBJECT):
            for kind, name in self.asked(f"SELECT kind, name FROM {CREATED_OBJECT.sql}"):
                kinds[kind].add(name)
        return {kind: frozenset(names) for kind, names in kinds.items()}

    def has_extension(self, name: str) -> bool:
        """Return whether the extension is installed in this database."""
        return bool(
            self.asked("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = %(name)s)", {"name": name})[0][0]
        )

    def has_schema(self, name: str) -> bool:
        """Return whether there is such a schema."""
        return bool(
            self.asked("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = %(name)s)", {"name": name})[0][0]
        )

    def alone_in_config_schema(self, *names: QualifiedName) -> bool:
        """Return whether the schema of our own tables holds nothing besides those."""
        return self.relations_in(CONFIG_SCHEMA) <= {name.name for name in names}

    def relations_in(self, schema: str) -> set[str]:
        """Return the tables, views, sequences, functions and types of a schema, by name."""
        sql = (
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname = %(schema)s AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S') UNION ALL "
            "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = %(schema)s "
            "UNION ALL SELECT typname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace "
            "WHERE nspname = %(schema)s AND typrelid = 0 AND typelem = 0"
        )
        return {row[0] for row in self.asked(sql, {"schema": schema})}

    def parent_of(self, partition: QualifiedName) -> QualifiedName | None:
        """Return what a table is a partition of, or None."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid AND p.relispartition "
            "JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE h.inhrelid = to_regclass(%(name)s)"
        )
        found = self.asked(sql, {"name": partition.sql})
        return QualifiedName(*found[0]) if found else None

    def planned(self, table: QualifiedName, statement: str) -> None:
        """Have a statement on a table planned, which says what the server, or Citus, refuses of it."""
        scratch.planned(self._connection, table, statement)

    def has_row_where(self, table: QualifiedName, where: str) -> bool:
        """Return whether a row of the table meets a condition in SQL; without an index for it, all of them are read."""
        return bool(self.asked(f"SELECT EXISTS (SELECT 1 FROM {table.sql} WHERE ({where}\n))")[0][0])
