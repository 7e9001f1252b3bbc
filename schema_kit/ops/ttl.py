"""Operations on time-to-live: when rows of a table expire."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.model import TimeToLive, Tree
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.plans.ttl import checked
from schema_kit.tasks import ttl


@operation(shared=True, reversed_by="drop_ttl_policy")
def set_ttl_policy(
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
) -> Task:
    """Register in ``schema_kit.ttl_policy`` when rows of a table expire; ``schema_kit ttl run`` deletes them.

    A row whose column is NULL never expires. Rows that reference an expired row are deleted before it, whether they
    have expired or not; *tree* names their tables, nested::

        op.set_ttl_policy("sessions", "expires_at", tree={"conversations": {"messages": {"citations": {}}}})

    If *tree* is left out, the foreign keys with ON DELETE CASCADE define it at the time of deletion. A foreign key
    with SET NULL or SET DEFAULT needs no entry: its rows stay.

    The column and the columns of each foreign key need an index, and no other foreign key may block the deletion. A
    second call replaces the policy as a whole. It runs in the migration's transaction. The reverse is
    ``drop_ttl_policy``, or a call with the former values.

    Locks: the policy's row.

    Args:
        operations: given by Alembic.
        table_name: the table; a partitioned table as a whole.
        column: the column that holds the moment at which a row expires; with *age*, the moment from which it ages.
            A date expires when its day begins.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        age: the age at which a row expires: ``90 days``, ``18 months``.
        timezone: an IANA name. Ages are counted, and columns without a zone are read, on the wall clock of this
            time zone.
        encoding: how a column that holds neither a date nor a time encodes a moment; see
            ``op.create_partitioned_table``.
        tree: the referencing tables whose rows are deleted as well; a name without a schema is in the schema of the
            table that it references.
        archive_first: whether rows move to their tables' archives instead of being deleted; each table of the tree
            then needs an archive, by ``op.set_archive_policy``.
        batch_size: rows of the first batch, from 1 to 100000. Later batches adapt, from 10 to 100000 rows, by a
            factor of 2 at most.
        target_seconds: seconds that a batch should take.
        max_replica_lag: seconds. Batches pause while a physical replica lags further behind; None: never.
        max_dead_share: share of dead rows, 0 to 1. Batches pause while the share is higher and a vacuum of a table
            is running; None: never.

    Raises:
        DeclarationError: a number is out of its range, or an age, time zone or tree is invalid.
        PlanError: the table or column does not exist, an index is missing, the column holds no moments, a table
            that references deleted rows is not in the tree, or the role lacks a privilege.

    Example:
        op.set_ttl_policy("orders", "placed_at", age="18 months")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
        https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
    """
    policy = TimeToLive(
        existing(operations, table_name, schema),
        column,
        age,
        timezone,
        encoding,
        tree,
        archive_first,
        batch_size,
        target_seconds,
        max_replica_lag,
        max_dead_share,
    )
    return task(ttl.set_policy, checked(policy))


@operation(shared=True)
def drop_ttl_policy(operations: Operations, table_name: str, *, schema: str | None = None) -> Task:
    """Delete the time-to-live policy of a table; the rows are kept.

    A table without a policy is not an error. With the last policy, ttl_policy is dropped as well. It runs in the
    migration's transaction. The reverse is ``set_ttl_policy``.

    Locks: the policy's row, or ttl_policy.

    Args:
        operations: given by Alembic.
        table_name: the table; it need not exist.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        PlanError: the role lacks a privilege; the error has the GRANT to run.

    Example:
        op.drop_ttl_policy("orders")

    See Also:
        https://www.postgresql.org/docs/current/sql-delete.html
    """
    return task(ttl.drop_policy, existing(operations, table_name, schema))
