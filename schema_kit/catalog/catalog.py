"""The questions that plans ask of a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import (
    batches,
    copying,
    obstacles,
    publications,
    statements,
)
from schema_kit.catalog import rows as leaving
from schema_kit.catalog import table as tables
from schema_kit.catalog.managed import Managed
from schema_kit.catalog.relations import looked
from schema_kit.catalog.session import observing
from schema_kit.errors import PlanError
from schema_kit.keys import BeyondCalendar
from schema_kit.marks import BOUND_CHECK, being_built, composite_column, fill_function, fill_index_name
from schema_kit.model import (
    Conversion,
    Copying,
    ForeignKey,
    LeavingTable,
    Partitioning,
    Referring,
    Table,
    ranges,
)
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName, ended, ident, literal
from schema_kit.storage import (
    ARCHIVE_POLICY,
    ARCHIVED_PARTITION,
    COPY_CHUNK,
    COPY_RUN,
    COPY_TARGET,
    PART_CONFIG,
    PART_CONFIG_SUB,
    RETIRED_PARTITION,
)


class Catalog(Managed):
    """A database, as plans see it.

    Args:
        connection: where to look.
        now: a moment to take for the server's clock.
    """

    batch_target = looked(batches.read_target)
    copy_runs = looked(copying.read_runs)
    copy_run = looked(copying.read_run)
    copy_source = looked(copying.read_source)
    _emptied = looked(copying.emptied)

    def conversion(self, policy: Partitioning, composite: bool) -> Conversion | None:
        """Return what a conversion of `policy.parent` has to know."""
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

    def _unseen(self, table: Table) -> str:
        """Return why not all rows of a table can be looked at; empty where they can."""
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
        beyond = keyless = 0
        if text and bound and (latest is None or latest >= farthest):
            beyond = self.asked(f"SELECT count(*) FROM {table} WHERE {control} >= {literal(bound)}")[0][0]
        if any(column.name == policy.control and not column.not_null for column in seen.table.columns):
            keyless = self.asked(f"SELECT count(*) FROM {table} WHERE {control} IS NULL")[0][0]
        return replace(seen, latest=latest, greatest=text or "", beyond=beyond, keyless=keyless)

    def _referring(self, key: ForeignKey, control: str) -> Referring:
        table = self.table(key.table)
        assert table is not None  # a foreign key of it was just seen
        column = composite_column(key.columns[0], control)
        filled = any(trigger.name == fill_function(key, column).name for trigger in table.triggers)
        provisional = being_built(key.name)
        with observing(self._connection):
            unfilled = filled and tables.unfilled(self._connection, key.table, key.columns[0], column)
            update_triggers = obstacles.fired_by_update(self._connection, key.table, key.columns[0])
        may_create = self.asked("SELECT has_schema_privilege(%(schema)s, 'CREATE')", {"schema": key.table.schema})[0][0]
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

    def finished_records(self) -> tuple[QualifiedName, ...]:
        """Our own tables that remember what was done to sets, and nothing that is still to be done."""
        retired = self.exists(RETIRED_PARTITION) and all(row.gone for row in self.retired())
        copies = (COPY_RUN, COPY_TARGET, COPY_CHUNK) if not self.copy_runs() else ()
        archives = (ARCHIVE_POLICY, ARCHIVED_PARTITION)
        unused = archives if not any(self.exists(name) and self.has_rows(name) for name in archives) else ()
        empty = (name for name in (PART_CONFIG_SUB, *unused, *copies) if self.exists(name))
        return (*((RETIRED_PARTITION,) if retired else ()), *empty)

    def copying(
        self,
        source: QualifiedName,
        parent: Table | None,
        policy: Partitioning | None,
        purpose: str,
        until: str | None = None,
    ) -> Copying:
        """Return what a copy of *source* into partitions of *parent* has to know.

        *until* is up to where rows get partitions, a date or time on the policy's wall clock, or an id; where it is
        left out, as far as is kept ahead.
        """
        lines, end = grid(policy, parent) if policy and parent else None, None
        if lines and parent and policy and until is not None:
            end = lines.read(until)
        elif lines and parent and policy and parent.partitioned_by == (policy.control,):
            end = ranges.reach(lines, parent, self.here(policy, parent))
        elif lines and parent and not lines.of_ids and not parent.partition_strategy:
            end = ranges.reach(lines, parent, lines.here(self.now()))
        with observing(self._connection):
            return copying.observe(self._connection, source, parent, lines, purpose, end)

    def leaving(
        self, table: QualifiedName, archives: Collection[QualifiedName] = (), *, back: bool = False
    ) -> Mapping[QualifiedName, LeavingTable]:
        """Return a table whose rows are to leave, what refers to it, and the tables that they go to or come from."""
        more = ("UPDATE", "DELETE") if back else ()
        with observing(self._connection):
            found = dict(leaving.read_tree(self._connection, table))
            for name in archives:
                if archive := leaving.read(self._connection, name, "SELECT", "INSERT", *more):
                    found[name] = archive
        return found

    def misunderstood(self, table: QualifiedName, where: str) -> str:
        """What PostgreSQL has against a condition on a table's columns; empty where it is one. No row is read."""
        try:
            self.has_row_where(table, f"false AND ({ended(where)})")
        except DBAPIError as error:
            return str(getattr(getattr(error.orig, "diag", None), "message_primary", None) or error.orig)
        return ""

    def waiting(self, table: QualifiedName, column: str, where: str, most: int) -> tuple[int, str | None]:
        """Return how many rows meet a condition, counted up to *most*, and the least value of a column among them."""
        own = f"SELECT own.{ident(column)} AS at FROM {table.sql} own WHERE {where} ORDER BY own.{ident(column)}"
        count = self.asked(f"SELECT count(*) FROM ({own} LIMIT {most}) AS expired")[0][0]
        oldest = self.asked(f"SELECT expired.at::text FROM ({own} LIMIT 1) AS expired")
        return count, oldest[0][0] if oldest else None
