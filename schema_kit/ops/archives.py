"""Operations that make archives and say what goes there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alembic.operations import Operations

from schema_kit.errors import PlanError
from schema_kit.model import ArchivePolicy, CheckDeclaration, ColumnDeclaration, DeclaredArchive, Moved, Table
from schema_kit.names import QualifiedName, fit
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.columns import AddColumnConcurrentlyOp, AlterColumnConcurrentlyOp, DropColumnConcurrentlyOp
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.keywords import columns_of
from schema_kit.ops.naming import existing, translated
from schema_kit.ops.policies import missing_config
from schema_kit.plans import archives, constraints
from schema_kit.plans.archives import Difference
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.archives import CreateArchiveView, GiveArchiveAccess

ARCHIVE_SCRIPT = "tables/archive_policy.sql"
_OF_PARTITIONS = {"column missing", "type", "default", "not null", "check missing"}
"""What is mended of a partition that is on its way; the check that says what its bounds were is its own."""


def archive_name(table: QualifiedName, name: str | None, schema: str | None) -> QualifiedName:
    """What an archive is called: the table's name and _archive, in its schema, unless something else is said."""
    return QualifiedName(schema or table.schema, name or fit(table.name, "_archive"))


def _table(catalog: AnyCatalog, name: QualifiedName) -> Table | None:
    found = catalog.table(name)
    if found is None and isinstance(catalog, EmptyDatabase):
        raise PlanError(
            f"--sql cannot know {name}: it follows a database that was empty at base. Write the script from base, or "
            "run this revision online."
        )
    return found


@register("create_archive_table")
class CreateArchiveTableOp(PlanOperation):
    """Make an archive of the shape of its table."""

    shared = True

    def __init__(self, declared: DeclaredArchive) -> None:
        self.declared = declared

    @classmethod
    def create_archive_table(
        cls,
        operations: Operations,
        table_name: str,
        archive_table_name: str | None = None,
        *,
        schema: str | None = None,
        archive_schema: str | None = None,
        control: str | None = None,
        interval: str | None = None,
        indexes: bool | Sequence[str] = True,
        archived_at: bool = False,
        tablespace: str | None = None,
        compression: str | None = None,
        view: str | None = None,
    ) -> None:
        """Make an archive from a table: the same columns, checks, grants and row security, and no rows yet.

        The archive of a partitioned table is partitioned by the same column; its partitions are those of the table,
        which ``schema_kit archive run`` detaches and attaches, without copying a row. They bring their foreign keys
        along; the archive itself has none, so that nothing locks the tables that they refer to. Nor has it an identity.
        Joins the migration's transaction; the table is only read. The way back is ``drop_archive_table``.

        Args:
            operations: given by Alembic.
            table_name: the table; partitioned by RANGE with a policy, or plain.
            archive_table_name: the archive; the table's name and ``_archive`` where it is left out. One that is there
                in the same shape stays as it is.
            schema: the table's schema; by schema_translate_map or search_path where it is left out.
            archive_schema: the archive's; the table's where it is left out.
            control: of a plain table, the column that the archive is partitioned by; none, and it is plain, too.
            interval: the width of partitions that are made in the archive (by rows); the table's where it is left
                out. Partitions that are brought keep theirs.
            indexes: the table's indexes, or the names of those that the archive gets; the primary key it always gets.
                Others of its own it gets as every table does: ``create_index_concurrently``.
            archived_at: whether it has a column ``archived_at``, DEFAULT now(), more than the table: for rows that are
                moved one by one. A partition cannot bring a column that it has not:
                ``schema_kit.archived_partition`` says when each one came.
            tablespace: where partitions lie that are made in the archive; those that are brought stay where they are,
                since their files would have to be copied under lock.
            compression: ``pglz`` or ``lz4``, for values that are written into it; those that are brought stay as they
                are.
            view: a view over both: ``table`` or ``schema.table``; in the table's schema where it names none. It reads
                with the rights of whoever reads it (PostgreSQL 15 and later).

        Raises:
            DeclarationError: an unknown compression or interval, or a control without an interval.
            PlanError: no such table, an archive of another shape (what differs is named), a key that the archive could
                not keep unique, or rights are missing.
        """
        table = existing(operations, table_name, schema)
        declared = DeclaredArchive(
            table,
            archive_name(table, archive_table_name, translated(operations, archive_schema)),
            control,
            interval,
            indexes if isinstance(indexes, bool) else columns_of("create_archive_table", "indexes", indexes),
            archived_at,
            tablespace,
            compression,
            QualifiedName.parse(view, table.schema) if view else None,
        )
        operations.invoke(cls(declared))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        declared = self.declared
        schemas = {declared.archive.schema, *((declared.view.schema,) if declared.view else ())}
        invoker = isinstance(catalog, EmptyDatabase) or catalog.server_version() >= 150000
        return archives.create(
            declared,
            _table(catalog, declared.table),
            catalog.table(declared.archive),
            catalog.policy(declared.table),
            missing_config(catalog),
            catalog.lacking(create_in=schemas, register=True),
            invoker=invoker,
        )


@register("drop_archive_table")
class DropArchiveTableOp(PlanOperation):
    """Drop an archive that holds no row."""

    shared = True

    def __init__(self, archive: QualifiedName, view: QualifiedName | None) -> None:
        self.archive = archive
        self.view = view

    @classmethod
    def drop_archive_table(
        cls,
        operations: Operations,
        table_name: str,
        archive_table_name: str | None = None,
        *,
        schema: str | None = None,
        archive_schema: str | None = None,
        view: str | None = None,
    ) -> None:
        """Drop an archive, while it holds no row; one that is gone is fine. ``restore_archive_table`` empties one.

        With the last of archives and policies archive_policy and archived_partition go as well. Joins the migration's
        transaction, which holds the locks until it commits: ACCESS EXCLUSIVE on the archive, its partitions, the tables
        that these refer to and the view. Whether it holds a row is looked at under the lock.

        Args:
            operations: given by Alembic.
            table_name: the table whose archive it is.
            archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
            schema: the table's schema; by schema_translate_map or search_path where it is left out.
            archive_schema: the archive's; the table's where it is left out.
            view: the view over both that goes along.

        Raises:
            PlanError: it holds rows, a policy sends rows there, or something depends on it.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        table = existing(operations, table_name, schema)
        archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
        operations.invoke(cls(archive, QualifiedName.parse(view, table.schema) if view else None))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        found = catalog.table(self.archive)
        moved = _moved(catalog)
        known = {row.archive for row in moved}
        last = _config_may_go(catalog) and not catalog.archive_policies() and known <= {self.archive}
        if found is None:
            return archives.drop(self.archive, None, (), (), False, (), None, last=last)
        view = next((view for view in found.views if view.name == self.view), None)
        others = [f"view {other.name} shows it" for other in found.views if other != view]
        retired = () if isinstance(catalog, EmptyDatabase) else catalog.retired()
        out = [str(row.name) for row in retired if row.parent == self.archive and not row.gone]
        others += [f"{', '.join(out)} left it and can come back (op.drop_retention)"] if out else []
        parts = [catalog.detaching(self.archive, part.name) for part in found.partitions]
        return archives.drop(
            self.archive,
            found,
            catalog.tree(self.archive),
            (table for part in parts if part for table in part.referenced),
            catalog.has_rows(self.archive),
            [policy for policy in catalog.archive_policies() if policy.archive == self.archive],
            view,
            (*others, *catalog.archive_rights_missing((self.archive,))),
            registered=catalog.policy(self.archive) is not None,
            remembered=self.archive in known,
            gone=tuple(row.name for row in moved if row.since is None and not row.there),
            last=last,
        )


def _moved(catalog: AnyCatalog) -> tuple[Moved, ...]:
    return () if isinstance(catalog, EmptyDatabase) else catalog.moved()


def _config_may_go(catalog: AnyCatalog) -> bool:
    """Whether the tables of policies are there, and it can be told what they hold."""
    return catalog.archive_config_is_there() and not isinstance(catalog, EmptyDatabase)


@register("set_archive_policy")
class SetArchivePolicyOp(PlanOperation):
    """Say which rows of a table go to its archive, and when."""

    shared = True

    def __init__(self, policy: ArchivePolicy) -> None:
        self.policy = policy

    @classmethod
    def set_archive_policy(
        cls,
        operations: Operations,
        table_name: str,
        archive_after: str | None = None,
        *,
        schema: str | None = None,
        archive_table_name: str | None = None,
        archive_schema: str | None = None,
        condition: str | None = None,
        way: str = "partition",
        control: str | None = None,
        archived_at: str | None = None,
        tree: Mapping[str, Any] | None = None,
        destination: str | None = None,
        compression: str | None = None,
    ) -> None:
        """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` takes to the archive, and when.

        Called again, it replaces what was said before. Joins the migration's transaction; locks nothing but the
        policy's row. The way back is ``drop_archive_policy``, or the same with the values of before.

        Args:
            operations: given by Alembic.
            table_name: the table.
            archive_after: how far behind the present a partition has to end, or a row has to be: ``90 days``; of plain
                ids how many.
            schema: the table's schema; by schema_translate_map or search_path where it is left out.
            archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
            archive_schema: the archive's; the table's where it is left out.
            condition: by rows, SQL over the table's columns that has to hold as well: ``status = 'closed'``.
            way: ``partition``, whole ones, without copying a row; or ``rows``, in batches.
            control: by rows, the column that the age is counted from; of a partitioned table its key.
            archived_at: by rows, the archive's column that takes the moment.
            tree: by rows, the tables that go along.
            destination: where files go, if rows go on from the archive to files.
            compression: theirs.

        Raises:
            DeclarationError: an unknown way, a length that cannot be read, neither a length nor a condition.
            PlanError: no such table or archive, an archive of another shape (what differs is named), a length shorter
                than a partition, or rights are missing.
        """
        table = existing(operations, table_name, schema)
        policy = ArchivePolicy(
            table,
            archive_name(table, archive_table_name, translated(operations, archive_schema)),
            archive_after,
            way,
            control,
            condition,
            archived_at,
            None if tree is None else json.dumps(tree, sort_keys=True),
            destination,
            compression,
        )
        operations.invoke(cls(policy))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        policy = self.policy
        table, partitioning = _table(catalog, policy.table), catalog.policy(policy.table)
        whole = policy.way == "partition" and table and partitioning
        plan = archives.set_policy(
            policy,
            next((one for one in catalog.archive_policies() if one.table == policy.table), None),
            table,
            _table(catalog, policy.archive),
            partitioning,
            catalog.here(partitioning, table) if whole and partitioning else None,
            () if catalog.archive_config_is_there() else load(ARCHIVE_SCRIPT),
            catalog.archive_rights_missing((policy.table, policy.archive)),
        )
        if isinstance(catalog, EmptyDatabase) or not policy.condition:
            return plan
        if said := catalog.misunderstood(policy.table, policy.condition):
            raise PlanError(
                f"cannot {plan.title}: its condition is none: {said}. Names of types and functions need their schema, "
                "since no search_path holds for it."
            )
        return plan


@register("repair_archive_table")
class RepairArchiveTableOp(PlanOperation):
    """Give an archive what its table has."""

    def __init__(
        self,
        table: QualifiedName,
        archive: QualifiedName,
        drop_columns: tuple[str, ...],
        view: QualifiedName | None,
        access: bool = False,
    ) -> None:
        self.table = table
        self.archive = archive
        self.drop_columns = drop_columns
        self.view = view
        self.access = access

    @classmethod
    def repair_archive_table(
        cls,
        operations: Operations,
        table_name: str,
        archive_table_name: str | None = None,
        *,
        schema: str | None = None,
        archive_schema: str | None = None,
        drop_columns: Sequence[str] = (),
        view: str | None = None,
        access: bool = False,
    ) -> None:
        """Mend what ``schema_kit archive verify`` names: after each change of the table, its archive follows.

        Columns that the archive lacks are added, with their default for the rows that are there; types, defaults and
        NOT NULL are changed, checks added and proved, each as the operation for it does it (``add_column_concurrently``
        and so on), on the archive and its partitions. Indexes are no hindrance, and stay as they are. A check that only
        the archive has is named and left alone; so is a NOT NULL column without a default, where rows are archived.
        Partitions that are detached and on their way follow as well. The way back is to change the table back, and this
        again.

        Args:
            operations: given by Alembic.
            table_name: the table.
            archive_table_name: the archive; the table's name and ``_archive`` where it is left out.
            schema: the table's schema; by schema_translate_map or search_path where it is left out.
            archive_schema: the archive's; the table's where it is left out.
            drop_columns: columns that the table has no more and whose archived values may go; others are named.
            view: the view over both, which gets the new columns at its end; it is made where it is not there.
            access: it gets the table's owner, grants, policies and row security, instead of what it has.

        Raises:
            PlanError: no such table, or something that no operation mends without harm; it is named.
            ExecutionError: archived rows fail a check or a NOT NULL of the table's.
            LockNotAvailable: the locks were not to be had; who holds them is named.
        """
        table = existing(operations, table_name, schema)
        archive = archive_name(table, archive_table_name, translated(operations, archive_schema))
        named = QualifiedName.parse(view, table.schema) if view else None
        dropped = columns_of("repair_archive_table", "drop_columns", drop_columns) if drop_columns else ()
        operations.invoke(cls(table, archive, dropped, named, access))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide."""
        plan = Plan(f"repair archive {self.archive}")
        table, archive = _table(catalog, self.table), _table(catalog, self.archive)
        if table is None or archive is None:
            gone = self.table if table is None else self.archive
            raise PlanError(f"cannot {plan.title}: there is no table {gone}.")
        unlike = [one for one in archives.differences(table, archive) if not one.kind.startswith("index")]
        differences = [one for one in unlike if one.kind not in archives.OF_ACCESS]
        own = {policy.archived_at for policy in catalog.archive_policies() if policy.archive == self.archive}
        stays = [
            one.sentence
            for one in differences
            if one.kind in ("check extra", "generated")
            or (one.kind == "column extra" and one.object not in {*self.drop_columns, *own})
        ]
        for column in (c for c in table.columns if archive.column(c.name) is None):
            if column.generated:
                stays.append(f"{column.name} is generated")
            elif column.not_null and column.default is None and catalog.has_rows(self.archive):
                stays.append(
                    f"{column.name} is NOT NULL and has no default, and nobody says what it is in rows that are there "
                    f"(op.add_column_concurrently({self.archive.name!r}, ...) with one does)"
                )
        if stays:
            raise PlanError(
                f"cannot {plan.title}: {'; '.join(stays)}. drop_columns names columns that may go, and a check goes by "
                "op.drop_constraint."
            )
        for one in differences:
            if one.object not in own:
                plan += self._mended(catalog, table, self.archive, one)
        for name in self._on_their_way(catalog):
            if found := catalog.table(name):
                mendable = (one for one in archives.differences(table, found) if one.kind in _OF_PARTITIONS)
                for one in mendable:
                    plan += self._mended(catalog, table, name, one)
        plan += Plan("", (GiveArchiveAccess(table, archive),) if self.access and differences != unlike else ())
        if not plan and self.view:
            plan += self._shown(catalog, table, archive)
        return plan

    def _on_their_way(self, catalog: AnyCatalog) -> list[QualifiedName]:
        """What was detached from the table, and could not be attached to an archive that has changed with it since."""
        if isinstance(catalog, EmptyDatabase):
            return []
        moved = (row for row in catalog.moved() if row.goes_to == self.archive and row.table == self.table)
        return [row.name for row in moved if row.since is None and row.there and row.attached_to is None]

    def _mended(self, catalog: AnyCatalog, table: Table, name: QualifiedName, one: Difference) -> Plan:
        column = table.column(one.object)
        if one.kind == "column missing" and column:
            declared = ColumnDeclaration(column.name, column.type, not column.not_null, column.default)
            return AddColumnConcurrentlyOp(name, declared).plan(catalog)
        if one.kind == "column extra":
            return DropColumnConcurrentlyOp(name, one.object).plan(catalog)
        if one.kind == "check missing":
            definition = next(check[1] for check in table.checks if check[0] == one.object).removesuffix(" NOT VALID")
            expression = definition.removeprefix("CHECK (").removesuffix(")")
            check = CheckDeclaration(one.object, name, expression)
            return constraints.create_check(check, catalog.tree(name), definition)
        assert column is not None  # the other kinds are of columns that both have
        type_ = column.type if one.kind == "type" else None
        default = (column.default,) if one.kind == "default" else None
        nullable = not column.not_null if one.kind == "not null" else None
        return AlterColumnConcurrentlyOp(name, column.name, type_, default, nullable).plan(catalog)

    def _shown(self, catalog: AnyCatalog, table: Table, archive: Table) -> Plan:
        assert self.view is not None  # it was asked for
        there = next((view for view in archives.spanning(table, archive) if view.name == self.view), None)
        if there and not catalog.view_lacks(self.view, [column.name for column in table.columns]):
            return Plan("")
        invoker = isinstance(catalog, EmptyDatabase) or catalog.server_version() >= 150000
        step = CreateArchiveView(self.view, table, self.archive, invoker, replaces=there is not None)
        return Plan("", (step,))


@register("drop_archive_policy")
class DropArchivePolicyOp(PlanOperation):
    """Forget what goes to a table's archive."""

    shared = True

    def __init__(self, table: QualifiedName) -> None:
        self.table = table

    @classmethod
    def drop_archive_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        """Forget a table's archive policy; the archive and its rows stay. Nothing to do where there is none.

        With the last policy archive_policy and archived_partition go, unless that knows partitions. Joins the
        migration's transaction; locks nothing but the policy's row, or those tables. The way back is
        ``set_archive_policy``.

        Args:
            operations: given by Alembic.
            table_name: the table, whether it is there or not.
            schema: its schema; by schema_translate_map or search_path where it is left out.
        """
        operations.invoke(cls(existing(operations, table_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database nothing is taken to be done already."""
        policies = [policy.table for policy in catalog.archive_policies()]
        last = _config_may_go(catalog) and not {*policies} - {self.table} and not _moved(catalog)
        return archives.drop_policy(self.table, self.table in policies or isinstance(catalog, EmptyDatabase), last=last)
