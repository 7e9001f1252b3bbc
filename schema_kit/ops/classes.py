"""What Alembic needs of each operation; written by tools/write_operations.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.model import Cut, Tree
from schema_kit.ops import (
    archives,
    baseline,
    batches,
    cold,
    columns,
    constraints,
    copying,
    creation,
    distribution,
    enums,
    health,
    indexes,
    partitions,
    partman,
    policies,
    publications,
    retirement,
    ttl,
    views,
)
from schema_kit.ops.invoke import register
from schema_kit.ops.operation import PlanOperation
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copied_table import KeepOld, Strategy

__all__ = [
    "AddColumnConcurrentlyOp",
    "AddEnumValueConcurrentlyOp",
    "AlterColumnConcurrentlyOp",
    "AttachPartitionConcurrentlyOp",
    "ConvertToPartitionedOp",
    "CreateArchiveTableOp",
    "CreateBaselineOp",
    "CreateCheckConstraintConcurrentlyOp",
    "CreateColdArchiveOp",
    "CreateExtensionOp",
    "CreateForeignKeyConcurrentlyOp",
    "CreateIndexConcurrentlyOp",
    "CreateNextPartitionsOp",
    "CreatePartConfigOp",
    "CreatePartitionedTableOp",
    "CreatePrimaryKeyConcurrentlyOp",
    "CreateUniqueConstraintConcurrentlyOp",
    "DetachPartitionConcurrentlyOp",
    "DistributeTableConcurrentlyOp",
    "DrainDefaultConcurrentlyOp",
    "DropArchivePolicyOp",
    "DropArchiveTableOp",
    "DropBaselineOp",
    "DropColdArchiveOp",
    "DropColumnConcurrentlyOp",
    "DropConstraintConcurrentlyOp",
    "DropExtensionOp",
    "DropIndexConcurrentlyOp",
    "DropPartConfigOp",
    "DropPartitionConcurrentlyOp",
    "DropPartitionPolicyOp",
    "DropRetentionOp",
    "DropTableConcurrentlyOp",
    "DropTtlPolicyOp",
    "HeedHealthFindingOp",
    "IgnoreHealthFindingOp",
    "InstallPartmanSqlOp",
    "RefreshMaterializedViewConcurrentlyOp",
    "ReindexConcurrentlyOp",
    "RemovePartmanSqlOp",
    "RepairArchiveTableOp",
    "ReplaceIndexConcurrentlyOp",
    "RestoreArchiveTableOp",
    "SetArchivePolicyOp",
    "SetNotNullConcurrentlyOp",
    "SetPartitionPolicyOp",
    "SetPublishViaPartitionRootOp",
    "SetTtlPolicyOp",
    "SplitPartitionConcurrentlyOp",
    "UndistributeTableOp",
    "UnpartitionOp",
    "UpdateInBatchesOp",
    "ValidateConstraintOp",
]


@register
class CreateArchiveTableOp(PlanOperation):
    """Create an empty archive of a table: the same columns, checks, indexes, grants and row security."""

    called = "create_archive_table"
    function = staticmethod(archives.create_archive_table)
    shared = True

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
        operations.invoke(
            cls(
                table_name,
                archive_table_name,
                schema=schema,
                archive_schema=archive_schema,
                control=control,
                interval=interval,
                indexes=indexes,
                archived_at=archived_at,
                tablespace=tablespace,
                compression=compression,
                view=view,
            )
        )


@register
class DropArchiveTableOp(PlanOperation):
    """Drop an archive that holds no rows; an archive that does not exist is not an error."""

    called = "drop_archive_table"
    function = staticmethod(archives.drop_archive_table)
    shared = True

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
        operations.invoke(cls(table_name, archive_table_name, schema=schema, archive_schema=archive_schema, view=view))


@register
class SetArchivePolicyOp(PlanOperation):
    """Register in ``schema_kit.archive_policy`` what ``schema_kit archive run`` archives, and when."""

    called = "set_archive_policy"
    function = staticmethod(archives.set_archive_policy)
    shared = True

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
        max_rows: int | None = None,
        access_method: str | None = None,
        cold_after: str | None = None,
        **former: Any,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                archive_after,
                schema=schema,
                archive_table_name=archive_table_name,
                archive_schema=archive_schema,
                condition=condition,
                way=way,
                control=control,
                archived_at=archived_at,
                tree=tree,
                max_rows=max_rows,
                access_method=access_method,
                cold_after=cold_after,
                **former,
            )
        )


@register
class RepairArchiveTableOp(PlanOperation):
    """Change an archive to match its table again: columns, types, checks and, if asked, privileges."""

    called = "repair_archive_table"
    function = staticmethod(archives.repair_archive_table)
    shared = False

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
        operations.invoke(
            cls(
                table_name,
                archive_table_name,
                schema=schema,
                archive_schema=archive_schema,
                drop_columns=drop_columns,
                view=view,
                access=access,
            )
        )


@register
class DropArchivePolicyOp(PlanOperation):
    """Delete the archive policy of a table; the archive and its rows are kept."""

    called = "drop_archive_policy"
    function = staticmethod(archives.drop_archive_policy)
    shared = True

    @classmethod
    def drop_archive_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        operations.invoke(cls(table_name, schema=schema))


@register
class RestoreArchiveTableOp(PlanOperation):
    """Delete the archive policy, and move everything in the archive back to the table."""

    called = "restore_archive_table"
    function = staticmethod(archives.restore_archive_table)
    shared = False

    @classmethod
    def restore_archive_table(
        cls,
        operations: Operations,
        table_name: str,
        archive_table_name: str | None = None,
        *,
        schema: str | None = None,
        archive_schema: str | None = None,
    ) -> None:
        operations.invoke(cls(table_name, archive_table_name, schema=schema, archive_schema=archive_schema))


@register
class CreateExtensionOp(PlanOperation):
    """Install an extension if it is missing, and record that in ``schema_kit.created_object``."""

    called = "create_extension"
    function = staticmethod(baseline.create_extension)
    shared = True

    @classmethod
    def create_extension(cls, operations: Operations, name: str) -> None:
        operations.invoke(cls(name))


@register
class DropExtensionOp(PlanOperation):
    """Drop an extension that ``create_extension`` installed; keep an extension that existed before."""

    called = "drop_extension"
    function = staticmethod(baseline.drop_extension)
    shared = True

    @classmethod
    def drop_extension(cls, operations: Operations, name: str) -> None:
        operations.invoke(cls(name))


@register
class CreateBaselineOp(PlanOperation):
    """Create each table of *metadata* that is missing; compare, and keep, each table that exists."""

    called = "create_baseline"
    function = staticmethod(baseline.create_baseline)
    shared = False

    @classmethod
    def create_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        operations.invoke(cls(metadata))


@register
class DropBaselineOp(PlanOperation):
    """Drop what ``create_baseline`` created, if all of its tables are empty; keep what existed before."""

    called = "drop_baseline"
    function = staticmethod(baseline.drop_baseline)
    shared = False

    @classmethod
    def drop_baseline(cls, operations: Operations, metadata: sa.MetaData) -> None:
        operations.invoke(cls(metadata))


@register
class UpdateInBatchesOp(PlanOperation):
    """Update the rows of a live table in the order of its primary key, one batch per commit."""

    called = "update_in_batches"
    function = staticmethod(batches.update_in_batches)
    shared = False

    @classmethod
    def update_in_batches(
        cls,
        operations: Operations,
        table_name: str,
        values: Mapping[str, Any],
        *,
        schema: str | None = None,
        where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
        batch_size: int = 1000,
        target_seconds: float = 0.5,
        name: str | None = None,
        max_replica_lag: float | None = 10.0,
        max_dead_share: float | None = 0.2,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                values,
                schema=schema,
                where=where,
                batch_size=batch_size,
                target_seconds=target_seconds,
                name=name,
                max_replica_lag=max_replica_lag,
                max_dead_share=max_dead_share,
            )
        )


@register
class CreateColdArchiveOp(PlanOperation):
    """Create the cold archive of a table: its partitions lie on another server, reached by postgres_fdw."""

    called = "create_cold_archive"
    function = staticmethod(cold.create_cold_archive)
    shared = True

    @classmethod
    def create_cold_archive(
        cls,
        operations: Operations,
        table_name: str,
        server: str,
        *,
        schema: str | None = None,
        archive_table_name: str | None = None,
        archive_schema: str | None = None,
        cold_table_name: str | None = None,
        remote_schema: str | None = None,
        view: str | None = None,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                server,
                schema=schema,
                archive_table_name=archive_table_name,
                archive_schema=archive_schema,
                cold_table_name=cold_table_name,
                remote_schema=remote_schema,
                view=view,
            )
        )


@register
class DropColdArchiveOp(PlanOperation):
    """Drop a cold archive without partitions; one that does not exist is not an error."""

    called = "drop_cold_archive"
    function = staticmethod(cold.drop_cold_archive)
    shared = True

    @classmethod
    def drop_cold_archive(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        cold_table_name: str | None = None,
        archive_schema: str | None = None,
    ) -> None:
        operations.invoke(
            cls(table_name, schema=schema, cold_table_name=cold_table_name, archive_schema=archive_schema)
        )


@register
class AddColumnConcurrentlyOp(PlanOperation):
    """Add a column without rewriting the table."""

    called = "add_column_concurrently"
    function = staticmethod(columns.add_column_concurrently)
    shared = False

    @classmethod
    def add_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column: sa.Column[Any],
        *,
        schema: str | None = None,
        if_not_exists: bool | None = None,
        inline_references: bool | None = None,
        inline_primary_key: bool | None = None,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                column,
                schema=schema,
                if_not_exists=if_not_exists,
                inline_references=inline_references,
                inline_primary_key=inline_primary_key,
            )
        )


@register
class DropColumnConcurrentlyOp(PlanOperation):
    """Drop a column, its indexes first; a column that does not exist is not an error."""

    called = "drop_column_concurrently"
    function = staticmethod(columns.drop_column_concurrently)
    shared = False

    @classmethod
    def drop_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(cls(table_name, column_name, schema=schema, if_exists=if_exists, **dialect_kw))


@register
class AlterColumnConcurrentlyOp(PlanOperation):
    """Change a column's type, default or NOT NULL if PostgreSQL need not rewrite the table; refuse otherwise."""

    called = "alter_column_concurrently"
    function = staticmethod(columns.alter_column_concurrently)
    shared = False

    @classmethod
    def alter_column_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        *,
        nullable: bool | None = None,
        server_default: str | sa.TextClause | sa.ColumnElement[Any] | sa.FetchedValue | Literal[False] | None = False,
        type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
        existing_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
        existing_server_default: str
        | sa.TextClause
        | sa.ColumnElement[Any]
        | sa.FetchedValue
        | Literal[False]
        | None = False,
        existing_nullable: bool | None = None,
        existing_comment: str | None = None,
        existing_autoincrement: bool | None = None,
        schema: str | None = None,
        postgresql_using: str | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                column_name,
                nullable=nullable,
                server_default=server_default,
                type_=type_,
                existing_type=existing_type,
                existing_server_default=existing_server_default,
                existing_nullable=existing_nullable,
                existing_comment=existing_comment,
                existing_autoincrement=existing_autoincrement,
                schema=schema,
                postgresql_using=postgresql_using,
                **dialect_kw,
            )
        )


@register
class DropTableConcurrentlyOp(PlanOperation):
    """Drop a table, its foreign keys first, each in its own commit."""

    called = "drop_table_concurrently"
    function = staticmethod(columns.drop_table_concurrently)
    shared = False

    @classmethod
    def drop_table_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(cls(table_name, schema=schema, if_exists=if_exists, **dialect_kw))


@register
class CreateForeignKeyConcurrentlyOp(PlanOperation):
    """Create a foreign key: enforced for new rows at once, then validated while writes continue."""

    called = "create_foreign_key_concurrently"
    function = staticmethod(constraints.create_foreign_key_concurrently)
    shared = False

    @classmethod
    def create_foreign_key_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        source_table: str,
        referent_table: str,
        local_cols: Sequence[str | sa.ColumnElement[Any]],
        remote_cols: Sequence[str | sa.ColumnElement[Any]],
        *,
        onupdate: str | None = None,
        ondelete: str | None = None,
        deferrable: bool | None = None,
        initially: str | None = None,
        match: str | None = None,
        source_schema: str | None = None,
        referent_schema: str | None = None,
        postgresql_not_valid: bool = False,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                constraint_name,
                source_table,
                referent_table,
                local_cols,
                remote_cols,
                onupdate=onupdate,
                ondelete=ondelete,
                deferrable=deferrable,
                initially=initially,
                match=match,
                source_schema=source_schema,
                referent_schema=referent_schema,
                postgresql_not_valid=postgresql_not_valid,
                **dialect_kw,
            )
        )


@register
class CreateCheckConstraintConcurrentlyOp(PlanOperation):
    """Create a check constraint: enforced for new rows at once, then validated while writes continue."""

    called = "create_check_constraint_concurrently"
    function = staticmethod(constraints.create_check_constraint_concurrently)
    shared = False

    @classmethod
    def create_check_constraint_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        condition: str | sa.TextClause | sa.ColumnElement[Any],
        *,
        schema: str | None = None,
        postgresql_not_valid: bool = False,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                constraint_name,
                table_name,
                condition,
                schema=schema,
                postgresql_not_valid=postgresql_not_valid,
                **dialect_kw,
            )
        )


@register
class CreateUniqueConstraintConcurrentlyOp(PlanOperation):
    """Create a unique constraint from an index that is built while writes continue."""

    called = "create_unique_constraint_concurrently"
    function = staticmethod(constraints.create_unique_constraint_concurrently)
    shared = False

    @classmethod
    def create_unique_constraint_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        columns: Sequence[str | sa.ColumnElement[Any]],
        *,
        schema: str | None = None,
        deferrable: bool | None = None,
        initially: str | None = None,
        postgresql_nulls_not_distinct: bool = False,
        postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                constraint_name,
                table_name,
                columns,
                schema=schema,
                deferrable=deferrable,
                initially=initially,
                postgresql_nulls_not_distinct=postgresql_nulls_not_distinct,
                postgresql_include=postgresql_include,
                **dialect_kw,
            )
        )


@register
class CreatePrimaryKeyConcurrentlyOp(PlanOperation):
    """Create a primary key from an index that is built while writes continue."""

    called = "create_primary_key_concurrently"
    function = staticmethod(constraints.create_primary_key_concurrently)
    shared = False

    @classmethod
    def create_primary_key_concurrently(
        cls,
        operations: Operations,
        constraint_name: str | None,
        table_name: str,
        columns: Sequence[str | sa.ColumnElement[Any]],
        *,
        schema: str | None = None,
        postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
    ) -> None:
        operations.invoke(
            cls(constraint_name, table_name, columns, schema=schema, postgresql_include=postgresql_include)
        )


@register
class ValidateConstraintOp(PlanOperation):
    """Validate a NOT VALID check, foreign key or NOT NULL constraint while writes continue."""

    called = "validate_constraint"
    function = staticmethod(constraints.validate_constraint)
    shared = False

    @classmethod
    def validate_constraint(
        cls, operations: Operations, constraint_name: str, table_name: str, *, schema: str | None = None
    ) -> None:
        operations.invoke(cls(constraint_name, table_name, schema=schema))


@register
class SetNotNullConcurrentlyOp(PlanOperation):
    """Make a column NOT NULL: enforced for new rows at once, then validated while writes continue."""

    called = "set_not_null_concurrently"
    function = staticmethod(constraints.set_not_null_concurrently)
    shared = False

    @classmethod
    def set_not_null_concurrently(
        cls, operations: Operations, table_name: str, column_name: str, *, schema: str | None = None
    ) -> None:
        operations.invoke(cls(table_name, column_name, schema=schema))


@register
class DropConstraintConcurrentlyOp(PlanOperation):
    """Drop a check, foreign key, unique, primary key, exclusion or NOT NULL constraint within the lock budget."""

    called = "drop_constraint_concurrently"
    function = staticmethod(constraints.drop_constraint_concurrently)
    shared = False

    @classmethod
    def drop_constraint_concurrently(
        cls,
        operations: Operations,
        constraint_name: str,
        table_name: str,
        type_: str | None = None,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
    ) -> None:
        operations.invoke(cls(constraint_name, table_name, type_, schema=schema, if_exists=if_exists))


@register
class DrainDefaultConcurrentlyOp(PlanOperation):
    """Move the rows of a default partition into partitions of their own, while they are read and written."""

    called = "drain_default_concurrently"
    function = staticmethod(copying.drain_default_concurrently)
    shared = False

    @classmethod
    def drain_default_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        workers: int = 1,
        max_replica_lag: float | None = 30.0,
        max_slot_bytes: int | None = 17179869184,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                schema=schema,
                workers=workers,
                max_replica_lag=max_replica_lag,
                max_slot_bytes=max_slot_bytes,
            )
        )


@register
class SplitPartitionConcurrentlyOp(PlanOperation):
    """Split a partition into the ranges of the table's policy, while it is read and written."""

    called = "split_partition_concurrently"
    function = staticmethod(copying.split_partition_concurrently)
    shared = False

    @classmethod
    def split_partition_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        partition_name: str | None = None,
        *,
        schema: str | None = None,
        partition_schema: str | None = None,
        workers: int = 1,
        max_replica_lag: float | None = 30.0,
        max_slot_bytes: int | None = 17179869184,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                partition_name,
                schema=schema,
                partition_schema=partition_schema,
                workers=workers,
                max_replica_lag=max_replica_lag,
                max_slot_bytes=max_slot_bytes,
            )
        )


@register
class CreatePartitionedTableOp(PlanOperation):
    """Create a table that is partitioned by range, its current and next partitions, and its policy."""

    called = "create_partitioned_table"
    function = staticmethod(creation.create_partitioned_table)
    shared = True

    @classmethod
    def create_partitioned_table(
        cls,
        operations: Operations,
        table_name: str,
        *columns: sa.schema.SchemaItem,
        control: str,
        interval: str,
        schema: str | None = None,
        timezone: str = "UTC",
        premake: int = 4,
        origin: str | None = None,
        encoding: str = "",
        inherit_privileges: bool = False,
        retention: str | None = None,
        retention_keep_table: bool = True,
        retention_schema: str | None = None,
        retention_grace: str = "7 days",
        detach: str = "auto",
        default_partition: bool = False,
        partition_by: Cut | None = None,
        sub_partitions: Cut | None = None,
        comment: str | None = None,
        postgresql_with: Mapping[str, Any] | None = None,
        postgresql_tablespace: str | None = None,
        if_not_exists: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                *columns,
                control=control,
                interval=interval,
                schema=schema,
                timezone=timezone,
                premake=premake,
                origin=origin,
                encoding=encoding,
                inherit_privileges=inherit_privileges,
                retention=retention,
                retention_keep_table=retention_keep_table,
                retention_schema=retention_schema,
                retention_grace=retention_grace,
                detach=detach,
                default_partition=default_partition,
                partition_by=partition_by,
                sub_partitions=sub_partitions,
                comment=comment,
                postgresql_with=postgresql_with,
                postgresql_tablespace=postgresql_tablespace,
                if_not_exists=if_not_exists,
                **dialect_kw,
            )
        )


@register
class DistributeTableConcurrentlyOp(PlanOperation):
    """Have Citus distribute a table, with its partitions, over the nodes of its cluster."""

    called = "distribute_table_concurrently"
    function = staticmethod(distribution.distribute_table_concurrently)
    shared = False

    @classmethod
    def distribute_table_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        column: str | None = None,
        *,
        colocate_with: str | None = None,
        shard_count: int | None = None,
        reference: bool = False,
        single_shard: bool = False,
        blocking: bool = False,
        schema: str | None = None,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                column,
                colocate_with=colocate_with,
                shard_count=shard_count,
                reference=reference,
                single_shard=single_shard,
                blocking=blocking,
                schema=schema,
            )
        )


@register
class UndistributeTableOp(PlanOperation):
    """Take a table that Citus distributes back to the coordinator, with its partitions."""

    called = "undistribute_table"
    function = staticmethod(distribution.undistribute_table)
    shared = False

    @classmethod
    def undistribute_table(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        operations.invoke(cls(table_name, schema=schema))


@register
class AddEnumValueConcurrentlyOp(PlanOperation):
    """Add a value to an enum type and commit, so that it can be used at once."""

    called = "add_enum_value_concurrently"
    function = staticmethod(enums.add_enum_value_concurrently)
    shared = False

    @classmethod
    def add_enum_value_concurrently(
        cls,
        operations: Operations,
        enum_name: str,
        value: str,
        *,
        schema: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        operations.invoke(cls(enum_name, value, schema=schema, before=before, after=after))


@register
class IgnoreHealthFindingOp(PlanOperation):
    """Suppress a finding of ``schema_kit health``, and record the reason in ``schema_kit.health_ignored``."""

    called = "ignore_health_finding"
    function = staticmethod(health.ignore_health_finding)
    shared = True

    @classmethod
    def ignore_health_finding(
        cls,
        operations: Operations,
        code: str,
        table_name: str | None = None,
        object_name: str | None = None,
        *,
        reason: str,
        schema: str | None = None,
    ) -> None:
        operations.invoke(cls(code, table_name, object_name, reason=reason, schema=schema))


@register
class HeedHealthFindingOp(PlanOperation):
    """Report a finding of ``schema_kit health`` again that ``ignore_health_finding`` suppresses."""

    called = "heed_health_finding"
    function = staticmethod(health.heed_health_finding)
    shared = True

    @classmethod
    def heed_health_finding(
        cls,
        operations: Operations,
        code: str,
        table_name: str | None = None,
        object_name: str | None = None,
        *,
        schema: str | None = None,
    ) -> None:
        operations.invoke(cls(code, table_name, object_name, schema=schema))


@register
class CreateIndexConcurrentlyOp(PlanOperation):
    """Create an index without blocking reads or writes; an INVALID index of that name is replaced."""

    called = "create_index_concurrently"
    function = staticmethod(indexes.create_index_concurrently)
    shared = False

    @classmethod
    def create_index_concurrently(
        cls,
        operations: Operations,
        index_name: str | None,
        table_name: str,
        columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
        *,
        schema: str | None = None,
        unique: bool = False,
        if_not_exists: bool | None = None,
        postgresql_using: str = "btree",
        postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
        postgresql_ops: Mapping[str, str] | None = None,
        postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
        postgresql_with: Mapping[str, Any] | None = None,
        postgresql_tablespace: str | None = None,
        postgresql_nulls_not_distinct: bool = False,
        postgresql_concurrently: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                index_name,
                table_name,
                columns,
                schema=schema,
                unique=unique,
                if_not_exists=if_not_exists,
                postgresql_using=postgresql_using,
                postgresql_where=postgresql_where,
                postgresql_ops=postgresql_ops,
                postgresql_include=postgresql_include,
                postgresql_with=postgresql_with,
                postgresql_tablespace=postgresql_tablespace,
                postgresql_nulls_not_distinct=postgresql_nulls_not_distinct,
                postgresql_concurrently=postgresql_concurrently,
                **dialect_kw,
            )
        )


@register
class ReplaceIndexConcurrentlyOp(PlanOperation):
    """Give an index another definition; queries can use an index at every moment."""

    called = "replace_index_concurrently"
    function = staticmethod(indexes.replace_index_concurrently)
    shared = False

    @classmethod
    def replace_index_concurrently(
        cls,
        operations: Operations,
        index_name: str | None,
        table_name: str,
        columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
        *,
        schema: str | None = None,
        unique: bool = False,
        postgresql_using: str = "btree",
        postgresql_where: str | sa.TextClause | sa.ColumnElement[Any] | None = None,
        postgresql_ops: Mapping[str, str] | None = None,
        postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
        postgresql_with: Mapping[str, Any] | None = None,
        postgresql_tablespace: str | None = None,
        postgresql_nulls_not_distinct: bool = False,
        postgresql_concurrently: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                index_name,
                table_name,
                columns,
                schema=schema,
                unique=unique,
                postgresql_using=postgresql_using,
                postgresql_where=postgresql_where,
                postgresql_ops=postgresql_ops,
                postgresql_include=postgresql_include,
                postgresql_with=postgresql_with,
                postgresql_tablespace=postgresql_tablespace,
                postgresql_nulls_not_distinct=postgresql_nulls_not_distinct,
                postgresql_concurrently=postgresql_concurrently,
                **dialect_kw,
            )
        )


@register
class DropIndexConcurrentlyOp(PlanOperation):
    """Drop an index without blocking reads or writes; an index that does not exist is not an error."""

    called = "drop_index_concurrently"
    function = staticmethod(indexes.drop_index_concurrently)
    shared = False

    @classmethod
    def drop_index_concurrently(
        cls,
        operations: Operations,
        index_name: str,
        table_name: str | None = None,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        postgresql_concurrently: bool | None = None,
        **dialect_kw: Any,
    ) -> None:
        operations.invoke(
            cls(
                index_name,
                table_name,
                schema=schema,
                if_exists=if_exists,
                postgresql_concurrently=postgresql_concurrently,
                **dialect_kw,
            )
        )


@register
class ReindexConcurrentlyOp(PlanOperation):
    """Rebuild an index, or all indexes of a table, without blocking reads or writes."""

    called = "reindex_concurrently"
    function = staticmethod(indexes.reindex_concurrently)
    shared = False

    @classmethod
    def reindex_concurrently(
        cls,
        operations: Operations,
        index_name: str | None = None,
        table_name: str | None = None,
        *,
        schema: str | None = None,
    ) -> None:
        operations.invoke(cls(index_name, table_name, schema=schema))


@register
class CreatePartConfigOp(PlanOperation):
    """Create ``schema_kit.part_config``, the table of partition policies, if it does not exist."""

    called = "create_part_config"
    function = staticmethod(partitions.create_part_config)
    shared = True

    @classmethod
    def create_part_config(cls, operations: Operations) -> None:
        operations.invoke(cls())


@register
class DropPartConfigOp(PlanOperation):
    """Drop ``schema_kit.part_config`` if it holds no policy."""

    called = "drop_part_config"
    function = staticmethod(partitions.drop_part_config)
    shared = True

    @classmethod
    def drop_part_config(cls, operations: Operations) -> None:
        operations.invoke(cls())


@register
class ConvertToPartitionedOp(PlanOperation):
    """Turn a live table into a partitioned one, without copying a row or by a copy while writes continue."""

    called = "convert_to_partitioned"
    function = staticmethod(partitions.convert_to_partitioned)
    shared = False

    @classmethod
    def convert_to_partitioned(
        cls,
        operations: Operations,
        table_name: str,
        control: str,
        interval: str,
        *,
        schema: str | None = None,
        timezone: str = "UTC",
        premake: int = 4,
        origin: str | None = None,
        encoding: str = "",
        inherit_privileges: bool = False,
        retention: str | None = None,
        retention_keep_table: bool = True,
        retention_schema: str | None = None,
        retention_grace: str = "7 days",
        detach: str = "auto",
        incoming_foreign_keys: IncomingForeignKeys = "refuse",
        strategy: Strategy | None = None,
        workers: int = 1,
        default_partition: bool = True,
        keep_old: KeepOld = False,
        max_replica_lag: float | None = 30.0,
        max_slot_bytes: int | None = 17179869184,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                control,
                interval,
                schema=schema,
                timezone=timezone,
                premake=premake,
                origin=origin,
                encoding=encoding,
                inherit_privileges=inherit_privileges,
                retention=retention,
                retention_keep_table=retention_keep_table,
                retention_schema=retention_schema,
                retention_grace=retention_grace,
                detach=detach,
                incoming_foreign_keys=incoming_foreign_keys,
                strategy=strategy,
                workers=workers,
                default_partition=default_partition,
                keep_old=keep_old,
                max_replica_lag=max_replica_lag,
                max_slot_bytes=max_slot_bytes,
            )
        )


@register
class UnpartitionOp(PlanOperation):
    """Turn a partitioned table back into a plain one; its first partition takes the rows of the others."""

    called = "unpartition"
    function = staticmethod(partitions.unpartition)
    shared = False

    @classmethod
    def unpartition(
        cls, operations: Operations, table_name: str, *, schema: str | None = None, keep_primary_key: bool = False
    ) -> None:
        operations.invoke(cls(table_name, schema=schema, keep_primary_key=keep_primary_key))


@register
class InstallPartmanSqlOp(PlanOperation):
    """Install or update pg_partman's functions in SQL: its calls, without the extension."""

    called = "install_partman_sql"
    function = staticmethod(partman.install_partman_sql)
    shared = True

    @classmethod
    def install_partman_sql(cls, operations: Operations, *, schema: str = "partman") -> None:
        operations.invoke(cls(schema=schema))


@register
class RemovePartmanSqlOp(PlanOperation):
    """Drop pg_partman's functions in SQL; policies, partitions and templates are kept."""

    called = "remove_partman_sql"
    function = staticmethod(partman.remove_partman_sql)
    shared = True

    @classmethod
    def remove_partman_sql(cls, operations: Operations, *, schema: str = "partman") -> None:
        operations.invoke(cls(schema=schema))


@register
class SetPartitionPolicyOp(PlanOperation):
    """Register or change the policy of a partitioned table in ``schema_kit.part_config``."""

    called = "set_partition_policy"
    function = staticmethod(policies.set_partition_policy)
    shared = True

    @classmethod
    def set_partition_policy(
        cls,
        operations: Operations,
        table_name: str,
        *,
        schema: str | None = None,
        control: str | None = None,
        interval: str | None = None,
        timezone: str | None = None,
        premake: int | None = None,
        origin: str | None = None,
        encoding: str | None = None,
        inherit_privileges: bool | None = None,
        retention: str | None = None,
        retention_keep_table: bool | None = None,
        retention_schema: str | None = None,
        retention_grace: str | None = None,
        detach: str | None = None,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                schema=schema,
                control=control,
                interval=interval,
                timezone=timezone,
                premake=premake,
                origin=origin,
                encoding=encoding,
                inherit_privileges=inherit_privileges,
                retention=retention,
                retention_keep_table=retention_keep_table,
                retention_schema=retention_schema,
                retention_grace=retention_grace,
                detach=detach,
            )
        )


@register
class DropPartitionPolicyOp(PlanOperation):
    """Delete the policy of a partitioned table; the table and its partitions are kept."""

    called = "drop_partition_policy"
    function = staticmethod(policies.drop_partition_policy)
    shared = True

    @classmethod
    def drop_partition_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        operations.invoke(cls(table_name, schema=schema))


@register
class DropRetentionOp(PlanOperation):
    """Delete the retention of a policy, and attach the partitions that it has retired and not yet dropped."""

    called = "drop_retention"
    function = staticmethod(policies.drop_retention)
    shared = False

    @classmethod
    def drop_retention(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        operations.invoke(cls(table_name, schema=schema))


@register
class CreateNextPartitionsOp(PlanOperation):
    """Create the current partition and those ahead of it, if they are missing."""

    called = "create_next_partitions"
    function = staticmethod(policies.create_next_partitions)
    shared = False

    @classmethod
    def create_next_partitions(
        cls, operations: Operations, table_name: str, *, schema: str | None = None, until: str | None = None
    ) -> None:
        operations.invoke(cls(table_name, schema=schema, until=until))


@register
class SetPublishViaPartitionRootOp(PlanOperation):
    """Publish rows of partitions as rows of the partitioned table, whatever partitions it has."""

    called = "set_publish_via_partition_root"
    function = staticmethod(publications.set_publish_via_partition_root)
    shared = True

    @classmethod
    def set_publish_via_partition_root(
        cls, operations: Operations, publication_name: str, value: bool = True, *, subscribers_copy: bool = False
    ) -> None:
        operations.invoke(cls(publication_name, value, subscribers_copy=subscribers_copy))


@register
class DetachPartitionConcurrentlyOp(PlanOperation):
    """Detach a partition; it remains as a table of its own, with all its rows."""

    called = "detach_partition_concurrently"
    function = staticmethod(retirement.detach_partition_concurrently)
    shared = False

    @classmethod
    def detach_partition_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        partition_name: str,
        *,
        schema: str | None = None,
        partition_schema: str | None = None,
    ) -> None:
        operations.invoke(cls(table_name, partition_name, schema=schema, partition_schema=partition_schema))


@register
class DropPartitionConcurrentlyOp(PlanOperation):
    """Drop a partition and its rows; it is detached first, so the drop never locks the parent."""

    called = "drop_partition_concurrently"
    function = staticmethod(retirement.drop_partition_concurrently)
    shared = False

    @classmethod
    def drop_partition_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        partition_name: str,
        *,
        schema: str | None = None,
        partition_schema: str | None = None,
    ) -> None:
        operations.invoke(cls(table_name, partition_name, schema=schema, partition_schema=partition_schema))


@register
class AttachPartitionConcurrentlyOp(PlanOperation):
    """Attach an existing table as a partition; nothing is scanned or built while others wait."""

    called = "attach_partition_concurrently"
    function = staticmethod(retirement.attach_partition_concurrently)
    shared = False

    @classmethod
    def attach_partition_concurrently(
        cls,
        operations: Operations,
        table_name: str,
        partition_name: str,
        from_: str | int | date | None,
        to: str | int | date | None,
        *,
        schema: str | None = None,
        partition_schema: str | None = None,
    ) -> None:
        operations.invoke(cls(table_name, partition_name, from_, to, schema=schema, partition_schema=partition_schema))


@register
class SetTtlPolicyOp(PlanOperation):
    """Register in ``schema_kit.ttl_policy`` when rows of a table expire; ``schema_kit ttl run`` deletes them."""

    called = "set_ttl_policy"
    function = staticmethod(ttl.set_ttl_policy)
    shared = True

    @classmethod
    def set_ttl_policy(
        cls,
        operations: Operations,
        table_name: str,
        column: str,
        *,
        schema: str | None = None,
        age: str | None = None,
        timezone: str = "UTC",
        encoding: str = "",
        tree: Tree | None = None,
        archive_first: bool = False,
        batch_size: int = 1000,
        target_seconds: float = 0.5,
        max_replica_lag: float | None = 10.0,
        max_dead_share: float | None = 0.2,
    ) -> None:
        operations.invoke(
            cls(
                table_name,
                column,
                schema=schema,
                age=age,
                timezone=timezone,
                encoding=encoding,
                tree=tree,
                archive_first=archive_first,
                batch_size=batch_size,
                target_seconds=target_seconds,
                max_replica_lag=max_replica_lag,
                max_dead_share=max_dead_share,
            )
        )


@register
class DropTtlPolicyOp(PlanOperation):
    """Delete the time-to-live policy of a table; the rows are kept."""

    called = "drop_ttl_policy"
    function = staticmethod(ttl.drop_ttl_policy)
    shared = True

    @classmethod
    def drop_ttl_policy(cls, operations: Operations, table_name: str, *, schema: str | None = None) -> None:
        operations.invoke(cls(table_name, schema=schema))


@register
class RefreshMaterializedViewConcurrentlyOp(PlanOperation):
    """Refresh a materialized view while it is read."""

    called = "refresh_materialized_view_concurrently"
    function = staticmethod(views.refresh_materialized_view_concurrently)
    shared = False

    @classmethod
    def refresh_materialized_view_concurrently(
        cls, operations: Operations, view_name: str, *, schema: str | None = None
    ) -> None:
        operations.invoke(cls(view_name, schema=schema))
