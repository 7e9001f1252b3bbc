"""What takes an operation back, from its arguments, where it is not an operation that takes the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic.operations import MigrateOperation
from alembic.operations.ops import AlterColumnOp, DropTableOp

from schema_kit.ops.operation import Several, class_of


def column_added(table_name: str, column: sa.Column[Any], *, schema: str | None = None, **_: Any) -> MigrateOperation:
    """Drop it."""
    return class_of("drop_column_concurrently")(table_name, column.name, **_in(schema))


def column_altered(
    table_name: str,
    column_name: str,
    *,
    nullable: bool | None = None,
    server_default: Any = False,
    type_: Any = None,
    existing_type: Any = None,
    existing_server_default: Any = False,
    existing_nullable: bool | None = None,
    schema: str | None = None,
    **_: Any,
) -> MigrateOperation:
    """Change it back; its type by Alembic's own operation, since PostgreSQL has to look at each row.

    Raises:
        NotImplementedError: it was called without what existed before.
    """
    if (type_ is not None and existing_type is None) or (
        server_default is not False and existing_server_default is False
    ):
        lacks = "existing_type" if type_ is not None and existing_type is None else "existing_server_default"
        raise NotImplementedError(f"op.alter_column_concurrently cannot be reversed: it was called without {lacks}")
    before = not nullable if existing_nullable is None else existing_nullable
    if type_ is None:
        changed = {"nullable": before if nullable is not None else None, "server_default": existing_server_default}
        former = {"existing_nullable": nullable, "existing_server_default": server_default}
        kept = {name: value for name, value in (changed | former).items() if value is not None or "default" in name}
        return class_of("alter_column_concurrently")(table_name, column_name, **kept, **_in(schema))
    return AlterColumnOp(
        table_name,
        column_name,
        schema=schema,
        existing_type=_instance(type_),
        existing_server_default=_written(server_default),
        existing_nullable=existing_nullable if nullable is None else nullable,
        modify_nullable=before if nullable is not None else None,
        modify_server_default=_written(existing_server_default) if server_default is not False else False,
        modify_type=_instance(existing_type),
    )


def _written(default: Any) -> Any:
    """Return a default as Alembic writes it: of an expression by itself it would write SQL as Python."""
    return sa.DefaultClause(default) if isinstance(default, sa.ClauseElement) else default


def null_forbidden(table_name: str, column_name: str, *, schema: str | None = None) -> MigrateOperation:
    """Drop NOT NULL."""
    return class_of("alter_column_concurrently")(table_name, column_name, nullable=True, **_in(schema))


def constraint_made(kind: str) -> Callable[..., MigrateOperation]:
    """Drop a constraint: ``foreignkey``, ``check``, ``unique`` or ``primary``."""

    def dropped(
        constraint_name: str | None,
        table_name: str | None = None,
        *_: Any,
        source_table: str | None = None,
        schema: str | None = None,
        source_schema: str | None = None,
        **__: Any,
    ) -> MigrateOperation:
        table = table_name or source_table
        if constraint_name is None or table is None:
            raise NotImplementedError("a constraint that was created without a name cannot be dropped by its name")
        drop = class_of("drop_constraint_concurrently")
        return drop(constraint_name, table, kind, **_in(schema or source_schema))

    return dropped


def partitioned_made(table_name: str, *_: Any, schema: str | None = None, **__: Any) -> MigrateOperation:
    """Drop the table, with its partitions, and its policy."""
    policy = class_of("drop_partition_policy")(table_name, **_in(schema))
    return Several(DropTableOp(table_name, schema=schema), policy)


def publication_switched(publication_name: str, value: bool = True, **keywords: Any) -> MigrateOperation:
    """Switch it back."""
    return class_of("set_publish_via_partition_root")(publication_name, not value, **keywords)


def _in(schema: str | None) -> dict[str, str]:
    return {} if schema is None else {"schema": schema}


def _instance(type_: Any) -> Any:
    return type_() if isinstance(type_, type) else type_
