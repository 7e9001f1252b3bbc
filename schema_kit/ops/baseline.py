"""Operations that a migration pack stands on: tables that may be there already, extensions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic.operations import Operations

from schema_kit.from_sqlalchemy import baseline_of
from schema_kit.ops.naming import copied
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import baseline


@operation(shared=True, reversed_by="drop_extension")
def create_extension(operations: Operations, name: str) -> Task:
    """Install an extension if it is missing, and record that in ``schema_kit.created_object``.

    It runs in the migration's transaction. The reverse is ``drop_extension``.

    Locks: none on existing tables.

    Args:
        operations: given by Alembic.
        name: the extension.

    Raises:
        ExecutionError: PostgreSQL refused it, for example because its files are not on the server.

    Example:
        op.create_extension("pg_trgm")

    See Also:
        https://www.postgresql.org/docs/current/sql-createextension.html
    """
    return task(baseline.create_extension, name)


@operation(shared=True, reversed_by="create_extension")
def drop_extension(operations: Operations, name: str) -> Task:
    """Drop an extension that ``create_extension`` installed; keep an extension that existed before.

    It runs in the migration's transaction.

    Locks: none on existing tables.

    Args:
        operations: given by Alembic.
        name: the extension.

    Raises:
        ExecutionError: an object depends on the extension.

    Example:
        op.drop_extension("pg_trgm")

    See Also:
        https://www.postgresql.org/docs/current/sql-dropextension.html
    """
    return task(baseline.drop_extension, name)


@operation(reversed_by="drop_baseline")
def create_baseline(operations: Operations, metadata: sa.MetaData) -> Task:
    """Create each table of *metadata* that is missing; compare, and keep, each table that exists.

    Enums, domains, sequences and comments are created as well: domains with their checks, before the domains and
    columns that need them, sequences before the defaults that call them. Composite types and ranges of your own must
    exist, for SQLAlchemy has no words for them. Foreign keys in a circle are added once both tables exist. What exists
    is compared as PostgreSQL prints it. The reverse is ``drop_baseline``.

    Locks: SHARE ROW EXCLUSIVE on a table that a new foreign key references, briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        metadata: the tables, written out in the revision, so that the revision keeps its meaning.

    Raises:
        DeclarationError: a table is partitioned; ``create_partitioned_table`` creates those.
        PlanError: a table, a type or a sequence exists with another definition, and the error names each difference; or
            the type of a column does not exist.

    Example:
        op.create_baseline(metadata)

    See Also:
        https://www.postgresql.org/docs/current/sql-createtable.html
    """
    return task(baseline.create, *baseline_of(copied(operations, metadata)))


@operation(reversed_by="create_baseline")
def drop_baseline(operations: Operations, metadata: sa.MetaData) -> Task:
    """Drop what ``create_baseline`` created, if all of its tables are empty; keep what existed before.

    Locks: ACCESS EXCLUSIVE on the dropped tables, which are empty, and on the tables that their foreign keys
    reference.

    Args:
        operations: given by Alembic.
        metadata: the same tables.

    Raises:
        PlanError: a table that it created holds rows; nothing was dropped.

    Example:
        op.drop_baseline(metadata)

    See Also:
        https://www.postgresql.org/docs/current/sql-droptable.html
    """
    return task(baseline.drop, *baseline_of(copied(operations, metadata)))
