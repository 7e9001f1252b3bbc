"""Operations that a migration pack stands on: tables that may be there already, extensions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.ops.clauses import baseline_of
from schema_kit.ops.naming import copied
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import baseline


@operation(shared=True, reversed_by="drop_extension")
def create_extension(operations: Operations, name: str) -> Task:
    """Install an extension where it is missing, and remember that. Joins the migration's transaction.

    Args:
        operations: given by Alembic.
        name: the extension.
    """
    return task(baseline.create_extension, name)


@operation(shared=True)
def drop_extension(operations: Operations, name: str) -> Task:
    """Drop an extension that ``create_extension`` installed; leave one that was there before.

    Args:
        operations: given by Alembic.
        name: the extension.
    """
    return task(baseline.drop_extension, name)


@operation(reversed_by="drop_baseline")
def create_baseline(operations: Operations, metadata: sa.MetaData) -> Task:
    """Make each table of *metadata* where it is missing; compare it, and leave it, where it is there.

    Enums and comments come along; foreign keys in a circle are added when both tables are there. Types are
    compared as PostgreSQL prints them.

    Locks: a new foreign key takes SHARE ROW EXCLUSIVE on the table it refers to, for an instant, under the budget.

    Args:
        operations: given by Alembic.
        metadata: the tables, literally: a revision means tomorrow what it meant yesterday.

    Raises:
        PlanError: a table or an enum is there in another shape; each difference is named.
    """
    return task(baseline.create, *baseline_of(copied(operations, metadata)))


@operation()
def drop_baseline(operations: Operations, metadata: sa.MetaData) -> Task:
    """Drop the tables that ``create_baseline`` made, if all of them are empty; leave all others.

    Args:
        operations: given by Alembic.
        metadata: the same tables.

    Raises:
        PlanError: a table that it made holds rows; nothing was dropped.
    """
    return task(baseline.drop, *baseline_of(copied(operations, metadata)))
