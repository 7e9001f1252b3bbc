"""Operations on materialized views."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import views


@operation()
def refresh_materialized_view_concurrently(
    operations: Operations, view_name: str, *, schema: str | None = None
) -> Task:
    """Fill a materialized view anew while it is read; every run does it once.

    Locks: EXCLUSIVE on the view, taken under the lock budget and held for as long as its query and the comparison
    of old and new rows take: readers go on, other refreshes wait; ACCESS SHARE on what it reads from. No
    statement_timeout ends it. A view that was never filled (WITH NO DATA) is filled in the plain way, the only
    one that PostgreSQL has: ACCESS EXCLUSIVE for as long as its query takes, on a view that nobody can read yet.

    With --sql it is a plain REFRESH: such a script is for a database that was empty at base.

    Args:
        operations: given by Alembic.
        view_name: the materialized view.
        schema: its schema; by schema_translate_map or search_path where it is left out.

    Raises:
        PlanError: no such view, or no valid unique index over plain columns, without WHERE.
        LockNotAvailable: somebody held the view through every try, another refresh for instance.
        ExecutionError: its query failed, or two of the new rows are the same.
    """
    return task(views.refresh, existing(operations, view_name, schema))
