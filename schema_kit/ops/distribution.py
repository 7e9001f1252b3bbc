"""Operations that have Citus distribute a table, and take it back."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.model import Distribution
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import distribution


@operation(reversed_by="undistribute_table")
def distribute_table_concurrently(
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
) -> Task:
    """Have Citus distribute a table, with its partitions, over the nodes of its cluster.

    It needs the extension citus and a connection to the coordinator. Convert, split and drain a table before it is
    distributed: Citus has no triggers on distributed tables, which a copy needs. A table that is distributed as
    declared stays as it is. The reverse is ``op.undistribute_table``.

    Locks: by a column, rows are copied while writes continue, and writes wait briefly at the end, for as long as the
    last changes take (the lock budget does not hold there, since Citus allows no transaction). With *blocking*,
    *reference* or *single_shard*, writes wait until all rows are copied.

    Args:
        operations: given by Alembic.
        table_name: the table: plain, or partitioned with its partitions.
        column: the distribution column; each unique and primary key contains it.
        colocate_with: a distributed table of the same schema: rows with one value of the two distribution columns lie
            on one node. If left out, Citus decides by type and shard count.
        shard_count: the number of shards, 1 or more; by default ``citus.shard_count``.
        reference: whether each node gets all rows, so that any table can join and reference it.
        single_shard: whether all rows lie in one shard, on one node.
        blocking: whether writes may wait while rows are copied: needed without a primary key.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: not exactly one of *column*, *reference* and *single_shard*, or an invalid shard count.
        PlanError: Citus is missing, the connection is one to a worker, the table does not exist or is distributed in
            another way, a key lacks the distribution column, a foreign key would join tables that are not colocated,
            or there is a trigger. The error names every problem.
        ExecutionError: Citus refused it; the table is as it was.

    Example:
        op.distribute_table_concurrently("visits", "id")

    See Also:
        https://www.postgresql.org/docs/current/logical-replication.html
    """
    if sum((column is not None, reference, single_shard)) != 1:
        raise DeclarationError(
            f"cannot distribute {table_name}: say one of column='...', reference=True and single_shard=True."
        )
    table = existing(operations, table_name, schema)
    wanted = Distribution("reference" if reference else "single" if single_shard else "hash", column)
    beside = existing(operations, colocate_with, schema) if colocate_with else None
    return task(distribution.distribute, table, wanted, beside, shard_count, blocking)


@operation()
def undistribute_table(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Take a table that Citus distributes back to the coordinator, with its partitions.

    A table that lies there stays as it is. Drop foreign keys from and to other tables first: they would take those
    along. To reverse it, call ``op.distribute_table_concurrently``.

    Locks: ACCESS EXCLUSIVE on the table, until all rows are copied.

    Args:
        operations: given by Alembic.
        table_name: the table.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: Citus is missing, the connection is one to a worker, the table does not exist, it is a partition,
            or a foreign key joins it to another table.
        ExecutionError: Citus refused it; the table is as it was.

    Example:
        op.undistribute_table("visits")

    See Also:
        https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """
    return task(distribution.undistribute, existing(operations, table_name, schema))
