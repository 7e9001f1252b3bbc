# What `from schema_kit import op` offers: Alembic's own operations, and these. A test holds it to the code.

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from alembic.op import *

from schema_kit.model import Cut, Tree

def by_hash(column: str, modulus: int) -> Cut: ...
def by_list(column: str, parts: Mapping[str, Sequence[Any]], *, default: bool = False) -> Cut: ...
def lock_policy(
    *,
    longest: str | int = ...,
    first: str | int = ...,
    statement_timeout: str | int = ...,
    attempts: int = ...,
    look_first: bool = ...,
) -> AbstractContextManager[None]: ...
def create_index_concurrently(
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
) -> None: ...
def replace_index_concurrently(
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
) -> None: ...
def drop_index_concurrently(
    index_name: str,
    table_name: str | None = None,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    postgresql_concurrently: bool | None = None,
    **dialect_kw: Any,
) -> None: ...
def reindex_concurrently(
    index_name: str | None = None, table_name: str | None = None, *, schema: str | None = None
) -> None: ...
def create_partitioned_table(
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
) -> None: ...
def set_partition_policy(
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
) -> None: ...
def drop_retention(table_name: str, *, schema: str | None = None) -> None: ...
def drop_partition_policy(table_name: str, *, schema: str | None = None) -> None: ...
def create_next_partitions(table_name: str, *, schema: str | None = None, until: str | None = None) -> None: ...
def create_part_config() -> None: ...
def drop_part_config() -> None: ...
def convert_to_partitioned(
    table_name: str,
    control: str,
    interval: str,
    *,
    schema: str | None = None,
    timezone: str = "UTC",
    premake: int = 4,
    origin: str | None = None,
    encoding: str = "",
    incoming_foreign_keys: Literal["refuse", "drop", "composite"] = "refuse",
    strategy: Literal["attach", "copy"] | None = None,
    workers: int = 1,
    default_partition: bool = True,
    keep_old: bool | Literal["fed"] = False,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None: ...
def drain_default_concurrently(
    table_name: str,
    *,
    schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None: ...
def split_partition_concurrently(
    table_name: str,
    partition_name: str | None = None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
    workers: int = 1,
    max_replica_lag: float | None = 30.0,
    max_slot_bytes: int | None = 17179869184,
) -> None: ...
def unpartition(table_name: str, *, schema: str | None = None, keep_primary_key: bool = False) -> None: ...
def detach_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None: ...
def drop_partition_concurrently(
    table_name: str, partition_name: str, *, schema: str | None = None, partition_schema: str | None = None
) -> None: ...
def attach_partition_concurrently(
    table_name: str,
    partition_name: str,
    from_: str | int | date | None,
    to: str | int | date | None,
    *,
    schema: str | None = None,
    partition_schema: str | None = None,
) -> None: ...
def create_extension(name: str) -> None: ...
def drop_extension(name: str) -> None: ...
def create_baseline(metadata: sa.MetaData) -> None: ...
def drop_baseline(metadata: sa.MetaData) -> None: ...
def create_foreign_key_concurrently(
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
) -> None: ...
def create_check_constraint_concurrently(
    constraint_name: str | None,
    table_name: str,
    condition: str | sa.TextClause | sa.ColumnElement[Any],
    *,
    schema: str | None = None,
    postgresql_not_valid: bool = False,
    **dialect_kw: Any,
) -> None: ...
def create_unique_constraint_concurrently(
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
) -> None: ...
def create_primary_key_concurrently(
    constraint_name: str | None,
    table_name: str,
    columns: Sequence[str | sa.ColumnElement[Any]],
    *,
    schema: str | None = None,
    postgresql_include: Sequence[str | sa.ColumnElement[Any]] | None = None,
) -> None: ...
def validate_constraint(constraint_name: str, table_name: str, *, schema: str | None = None) -> None: ...
def set_not_null_concurrently(table_name: str, column_name: str, *, schema: str | None = None) -> None: ...
def update_in_batches(
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
) -> None: ...
def refresh_materialized_view_concurrently(view_name: str, *, schema: str | None = None) -> None: ...
def add_enum_value_concurrently(
    enum_name: str, value: str, *, schema: str | None = None, before: str | None = None, after: str | None = None
) -> None: ...
def add_column_concurrently(
    table_name: str,
    column: sa.Column[Any],
    *,
    schema: str | None = None,
    if_not_exists: bool | None = None,
    inline_references: bool | None = None,
    inline_primary_key: bool | None = None,
) -> None: ...
def drop_column_concurrently(
    table_name: str,
    column_name: str,
    *,
    schema: str | None = None,
    if_exists: bool | None = None,
    **dialect_kw: Any,
) -> None: ...
def alter_column_concurrently(
    table_name: str,
    column_name: str,
    *,
    nullable: bool | None = None,
    server_default: str | sa.TextClause | sa.ColumnElement[Any] | Literal[False] | None = False,
    type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_type: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None = None,
    existing_server_default: str | sa.TextClause | sa.ColumnElement[Any] | Literal[False] | None = False,
    existing_nullable: bool | None = None,
    existing_comment: str | None = None,
    existing_autoincrement: bool | None = None,
    schema: str | None = None,
    postgresql_using: str | None = None,
    **dialect_kw: Any,
) -> None: ...
def drop_table_concurrently(
    table_name: str, *, schema: str | None = None, if_exists: bool | None = None, **dialect_kw: Any
) -> None: ...
def create_archive_table(
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
) -> None: ...
def drop_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    view: str | None = None,
) -> None: ...
def set_archive_policy(
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
) -> None: ...
def repair_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
    drop_columns: Sequence[str] = (),
    view: str | None = None,
    access: bool = False,
) -> None: ...
def restore_archive_table(
    table_name: str,
    archive_table_name: str | None = None,
    *,
    schema: str | None = None,
    archive_schema: str | None = None,
) -> None: ...
def drop_archive_policy(table_name: str, *, schema: str | None = None) -> None: ...
def set_ttl_policy(
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
) -> None: ...
def drop_ttl_policy(table_name: str, *, schema: str | None = None) -> None: ...
def install_partman_sql(*, schema: str = "partman") -> None: ...
def remove_partman_sql(*, schema: str = "partman") -> None: ...
def ignore_health_finding(
    code: str,
    table_name: str | None = None,
    object_name: str | None = None,
    *,
    reason: str,
    schema: str | None = None,
) -> None: ...
def heed_health_finding(
    code: str, table_name: str | None = None, object_name: str | None = None, *, schema: str | None = None
) -> None: ...
