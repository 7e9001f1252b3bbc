"""The operation on publications."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops import reversing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.steps.publications import SetViaRoot
from schema_kit.tasks import publications


@operation(shared=True, reversed_by=reversing.publication_switched)
def set_publish_via_partition_root(
    operations: Operations, publication_name: str, value: bool = True, *, subscribers_copy: bool = False
) -> Task:
    """Publish rows of partitions as rows of the partitioned table, whatever partitions it has.

    Published under the names of its partitions, a table stops each subscription at the first row of a partition that
    the subscriber does not have. With ``publish_via_partition_root`` the subscriber only needs the partitioned table,
    and may partition it differently or not at all. It runs in the migration's transaction. The reverse is the same
    operation with ``False``.

    Subscribers know which tables they subscribe to. After the change, they ignore the rows of these tables until they
    copy them again: ``TRUNCATE`` of the tables and ``ALTER SUBSCRIPTION ... REFRESH PUBLICATION``, on the subscriber.

    Locks: no table; the publication against other changes of it.

    Args:
        operations: given by Alembic.
        publication_name: the publication.
        value: False: under the names of the partitions, as PostgreSQL does by default.
        subscribers_copy: the subscribers copy these tables again afterwards. Without it, a publication of partitioned
            tables is refused where the database has a logical replication slot.

    Raises:
        PlanError: the publication does not exist, belongs to another role, or may be subscribed to.

    Example:
        op.set_publish_via_partition_root("sales")

    See Also:
        https://www.postgresql.org/docs/current/sql-createpublication.html
    """
    return task(publications.set_via_root, SetViaRoot(publication_name, value), subscribers_copy=subscribers_copy)
