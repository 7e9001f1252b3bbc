"""The operation that creates a partitioned table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.operations.ops import CreateTableOp

from schema_kit.from_sqlalchemy import baseline_table, create_partitioned_sql, unique_keys, with_options
from schema_kit.model import Cut, Partitioning
from schema_kit.names import ident
from schema_kit.ops import reversing
from schema_kit.ops.keywords import refuse_unknown
from schema_kit.ops.naming import named_as, new, placed, translated
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.creation import DeclaredSet, check_declared
from schema_kit.tasks import creation

_NOT_PARTITIONED = {
    "prefixes": "a partitioned table is neither TEMPORARY nor UNLOGGED",
    "postgresql_partition_by": "control and interval say it",
    "postgresql_inherits": "a partitioned table inherits from none",
    "postgresql_on_commit": "a partitioned table is not TEMPORARY",
    "info": "it is for models; a migration has none",
}


@operation(shared=True, reversed_by=reversing.partitioned_made)
def create_partitioned_table(
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
) -> Task:
    """Create a table that is partitioned by range, its current and next partitions, and its policy.

    It takes columns and constraints like ``op.create_table``. It runs in the migration's transaction. On a busy
    referenced table, create the foreign key in a revision of its own with ``create_foreign_key_concurrently``. The
    reverse is ``drop_table``, which drops the partitions as well, and ``drop_partition_policy``.

    Locks: SHARE ROW EXCLUSIVE on tables that foreign keys reference, until the migration commits.

    Args:
        operations: given by Alembic.
        table_name: the table.
        columns: its columns and constraints. The primary key and every unique constraint contain the partition key.
        control: the partition key; NOT NULL.
        interval: the width of a partition: ``1 month``, ``7 days``, ``15 minutes``; for plain integers a number.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        timezone: an IANA name. Partition bounds follow the wall clock of this time zone.
        premake: number of partitions that are kept ahead of the current one.
        origin: a moment, or an id, at which some partition begins.
        encoding: how a column that holds neither a date nor a time encodes a moment: ``seconds``, ``milliseconds``,
            ``microseconds``, ``nanoseconds``, ``uuidv7``, ``ulid``, ``snowflake``, or ``snowflake:1420070400000``
            (the epoch in milliseconds).
        inherit_privileges: whether new partitions get the grants of their parent.
        retention: how far before the current position a partition must end for ``partitions retire`` to detach it:
            ``18 months``, or a number of ids; None keeps all partitions.
        retention_keep_table: whether a detached partition is kept as a table.
        retention_schema: the schema that detached partitions move to.
        retention_grace: how long a detached partition is kept before it is dropped, if it is not kept for good.
        detach: ``auto``, or only ``concurrently``, or only ``blocking``.
        default_partition: whether a default partition takes the rows outside of all others. It makes attaching and
            detaching more expensive, so the default is False.
        partition_by: ``op.by_list(...)`` or ``op.by_hash(...)``: partition the table that way first, and each part
            by range. One policy covers all parts.
        sub_partitions: the same for each range partition. Later partitions copy the newest.
        comment: the comment of the table.
        postgresql_with: storage parameters of the partitions: ``{"fillfactor": 70}``.
        postgresql_tablespace: the tablespace of the partitions.
        if_not_exists: accepted for compatibility with Alembic; an existing table is compared.
        dialect_kw: keywords of other dialects; ignored.

    Raises:
        DeclarationError: a key lacks the control column, or an interval, time zone or another value is invalid.
        PlanError: the table exists with another definition, or the role lacks a privilege.

    Example:
        op.create_partitioned_table(
            "logins",
            sa.Column("id", sa.BigInteger, sa.Identity()),
            sa.Column("at", sa.DateTime(timezone=True)),
            sa.PrimaryKeyConstraint("id", "at", name="logins_pkey"),
            control="at",
            interval="1 month",
            premake=1,
        )

    See Also:
        https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE
        https://www.postgresql.org/docs/current/sql-createtable.html
    """
    del if_not_exists
    refuse_unknown("create_partitioned_table", dialect_kw, _NOT_PARTITIONED)
    parent = new(operations, table_name, schema)
    key = f"{partition_by.strategy} ({ident(partition_by.column)})" if partition_by else f"RANGE ({ident(control)})"
    as_given = [one._copy() for one in columns if isinstance(one, sa.Column)]
    table = CreateTableOp(
        table_name, columns, schema=parent.schema, comment=comment, postgresql_partition_by=key
    ).to_table(operations.migration_context)
    named_as(table, CreateTableOp(table_name, as_given, schema=schema).to_table(operations.migration_context))
    placed(operations, table)
    policy = Partitioning(
        parent,
        control,
        interval,
        timezone,
        premake,
        origin,
        encoding,
        inherit_privileges,
        retention,
        retention_keep_table,
        translated(operations, retention_schema),
        retention_grace,
        detach,
    )
    noun = replace(
        baseline_table(table).table,
        partition_strategy=key[0].lower(),
        partitioned_by=(partition_by.column if partition_by else control,),
        comment=comment,
    )
    declared = DeclaredSet(
        noun,
        create_partitioned_sql(table),
        replace(policy, interval=policy.cut.text),
        partition_by,
        sub_partitions,
        default_partition,
        with_options(postgresql_with),
        postgresql_tablespace,
    )
    check_declared(declared, unique_keys(table))
    return task(creation.create, declared)
