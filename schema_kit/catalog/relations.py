"""Questions about relations, their parts and what PostgreSQL makes of declarations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog import (
    batches,
    citus,
    dependents,
    kinds,
    other_managers,
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
    MaterializedView,
    Publishing,
    Relation,
    ShardDifference,
    Table,
)
from schema_kit.names import QualifiedName, ident, literal
from schema_kit.server import Server
from schema_kit.storage import (
    CONFIG_SCHEMA,
    CREATED_OBJECT,
)


class Relations:
    """The relations of a database.

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
        """Return what the server can."""
        with self._look() as ask:
            return Server(int(ask("SELECT current_setting('server_version_num')")[0][0]))

    def relation(self, text: str) -> QualifiedName:
        """Return the table that a person means: without a schema, as the session's search_path finds it."""
        return QualifiedName.parse(text, partial(schema_of, self._connection))

    def now(self) -> datetime:
        """Return the server's clock, or the moment that stands for it."""
        if self._now is None:
            with self._look() as ask:
                self._now = ask("SELECT now()")[0][0]
        return self._now

    def table(self, name: QualifiedName) -> Table | None:
        """Return the table of that name, with all that belongs to it."""
        with observing(self._connection):
            return tables.read(self._connection, name)

    def has_citus(self) -> bool:
        """Return whether the last look has seen the extension citus; no query is sent."""
        return has_citus(self._connection)

    def shards_that_differ(self, names: Sequence[QualifiedName]) -> tuple[ShardDifference, ...]:
        """The placements of shards of those tables, and of their partitions, that are otherwise than the table."""
        with observing(self._connection):
            return citus.differing(self._connection, names)

    def stops_drop(
        self, table: QualifiedName, column: str | None = None, constraint: str | None = None
    ) -> tuple[str, ...]:
        """Return why PostgreSQL would refuse to drop the column, constraint or whole table; empty if it would not."""
        with observing(self._connection):
            return dependents.read(self._connection, table, column, constraint)

    def exists(self, name: QualifiedName) -> bool:
        """Return whether there is any relation of that name."""
        with self._look() as ask:
            return bool(ask("SELECT to_regclass(%(name)s) IS NOT NULL", {"name": name.sql})[0][0])

    def has_rows(self, name: QualifiedName) -> bool:
        """Return whether the table holds a row."""
        with self._look() as ask:
            return bool(ask(f"SELECT EXISTS (SELECT 1 FROM {name.sql})")[0][0])

    def tree(self, name: QualifiedName, views: bool = False) -> tuple[Relation, ...]:
        """Return the table and its partitions with their indexes, parents first; empty where there is none.

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
        """Return what the relation of that name is: a table, a view, ...; empty where there is none."""
        with observing(self._connection):
            return kinds.kind(self._connection, name)

    def index_owner(self, index: QualifiedName) -> QualifiedName | None:
        """Return the table that an index belongs to; None where there is no such index."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.indexrelid = to_regclass(%(name)s)"
        )
        with self._look() as ask:
            found = ask(sql, {"name": index.sql})
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
        with self._look() as ask:
            found = ask(sql, {"tables": [table.sql for table in tables]})
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
        with self._look() as ask:
            found = ask(sql, {"name": name, "method": method})
        if not found:
            raise PlanError(
                f"there is no operator class {name!r} for {method} in this database. Create the extension that brings "
                "it first (gin_trgm_ops is pg_trgm's)."
            )
        return f"{ident(found[0][0])}.{ident(name)}"

    def letters_have_trigrams(self, operator_class: str) -> bool:
        """Return whether pg_trgm finds trigrams in text that is not ASCII: under an LC_CTYPE of C it finds none."""
        schema = operator_class.rpartition(".")[0]
        with self._look() as ask:
            return bool(ask(f"SELECT cardinality({schema}.show_trgm({literal('สวัสดีครับ')})) > 0")[0][0])

    def partitioned(self, names: Sequence[QualifiedName] | None = None) -> list[tuple[QualifiedName, str]]:
        """Return the tables, of those names or all, that are partitioned by range, or whose partitions are."""
        with observing(self._connection):
            return other_managers.partitioned(self._connection, names)

    def time_zones(self) -> list[tuple[str, str]]:
        """Return names of time zones that may be a partitioned table's, and whose they are."""
        with observing(self._connection):
            return other_managers.time_zones(self._connection)

    def access_methods(self) -> frozenset[str]:
        """Return the access methods that tables can have here."""
        with self._look() as ask:
            return frozenset(row[0] for row in ask("SELECT amname FROM pg_am WHERE amtype = 't'"))

    def view_lacks(self, view: QualifiedName, columns: Collection[str]) -> bool:
        """Return whether a view has not all of these columns."""
        sql = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%(name)s) AND attnum > 0"
        with self._look() as ask:
            return not set(columns) <= {row[0] for row in ask(sql, {"name": view.sql})}

    def asked(self, sql: str) -> list[Any]:
        """Return the rows of a SELECT that the caller has composed."""
        with self._look() as ask:
            return list(ask(sql))

    def measured(self, table: Table) -> Table:
        """Return a partitioned table with sizes, rows and tablespaces of its partitions."""
        with observing(self._connection):
            return sets.measured(self._connection, [table])[0]

    def checksum(self, table: QualifiedName) -> tuple[int, str]:
        """Return how many rows a table holds, and a checksum of them in whatever order; it reads all of them."""
        sql = f"SELECT count(*), coalesce(sum(hashtextextended(own::text, 0)), 0)::text FROM {table.sql} own"
        with self._look() as ask:
            count, text = ask(sql)[0]
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
        with self._look() as ask:
            return any(row[0] for row in ask(sql, values))

    def taken(self, names: Sequence[QualifiedName]) -> tuple[QualifiedName, ...]:
        """Return those of the names that some table has."""
        sql = (
            "SELECT n.nspname, c.relname FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema, name) "
            "JOIN pg_namespace n ON n.nspname = wanted.schema "
            "JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'p', 'f')"
        )
        values = {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
        with self._look() as ask:
            return tuple(QualifiedName(*row) for row in ask(sql, values))

    def created(self) -> Mapping[str, frozenset[str]]:
        """Return what migrations made because it was missing: names by kind (schema, table, type, extension)."""
        kinds: dict[str, set[str]] = {"schema": set(), "table": set(), "type": set(), "extension": set()}
        if self.exists(CREATED_OBJECT):
            with self._look() as ask:
                for kind, name in ask(f"SELECT kind, name FROM {CREATED_OBJECT.sql}"):
                    kinds[kind].add(name)
        return {kind: frozenset(names) for kind, names in kinds.items()}

    def has_extension(self, name: str) -> bool:
        """Return whether the extension is installed in this database."""
        with self._look() as ask:
            return bool(
                ask("SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = %(name)s)", {"name": name})[0][0]
            )

    def has_schema(self, name: str) -> bool:
        """Return whether there is such a schema."""
        with self._look() as ask:
            return bool(
                ask("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = %(name)s)", {"name": name})[0][0]
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
        with self._look() as ask:
            return {row[0] for row in ask(sql, {"schema": schema})}

    def check_definition(self, table: QualifiedName, expression: str) -> str:
        """Return how PostgreSQL prints a check of that table."""
        return scratch.check_definition(self._connection, table, expression)

    def several(
        self,
        table: QualifiedName,
        indexes: Sequence[IndexDeclaration],
        checks: Sequence[str],
        known: Collection[str] = (),
    ) -> dict[IndexDeclaration | str, tuple[str, ...] | PlanError]:
        """Return how PostgreSQL prints declared indexes and checks of that table; a PlanError where it refuses one."""
        return scratch.several(self._connection, table, indexes, checks, known)

    def partition_key(self, table: QualifiedName, declared: str) -> str:
        """Return how PostgreSQL prints a partition key of that table."""
        return scratch.partition_key(self._connection, table, declared)

    def column(self, table: QualifiedName, type_: str, default: str | None) -> tuple[str, str | None]:
        """Return how PostgreSQL prints a column's type and default."""
        return scratch.column(self._connection, table, type_, default)

    def rewrites(self, table: QualifiedName, action: str, first: str = "") -> tuple[bool, bool]:
        """Whether ALTER TABLE would rewrite the table, and whether it would build an index again; after *first*."""
        return scratch.rewrites(self._connection, table, action, first)

    def parent_of(self, partition: QualifiedName) -> QualifiedName | None:
        """Return what a table is a partition of, or None."""
        sql = (
            "SELECT n.nspname, c.relname FROM pg_inherits h JOIN pg_class p ON p.oid = h.inhrelid AND p.relispartition "
            "JOIN pg_class c ON c.oid = h.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE h.inhrelid = to_regclass(%(name)s)"
        )
        with self._look() as ask:
            found = ask(sql, {"name": partition.sql})
        return QualifiedName(*found[0]) if found else None

    def has_row_where(self, table: QualifiedName, where: str) -> bool:
        """Return whether a row of the table meets a condition in SQL; without an index for it, all of them are read."""
        with self._look() as ask:
            return bool(ask(f"SELECT EXISTS (SELECT 1 FROM {table.sql} WHERE ({where}\n))")[0][0])

    def materialized_view(self, view: QualifiedName) -> MaterializedView | None:
        """Return the materialized view of that name."""
        with observing(self._connection):
            return batches.read_view(self._connection, view)

    def publication(self, name: str) -> Publishing | None:
        """Return a publication by itself; None where there is none of the name."""
        with observing(self._connection):
            return publications.by_itself(self._connection, name)

    def published_leaves(self, table: QualifiedName) -> tuple[tuple[str, QualifiedName, bool], ...]:
        """Publications that hold partitions under their own names, each with one, and whether it lists that by name."""
        with observing(self._connection):
            return publications.listed(self._connection, table)

    def enum_labels(self, enum: QualifiedName) -> tuple[str, ...] | None:
        """Return the values of an enum in their order; None where there is no such enum."""
        with observing(self._connection):
            return batches.read_labels(self._connection, enum)
