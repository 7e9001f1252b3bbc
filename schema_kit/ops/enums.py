"""Operations on enums."""

from __future__ import annotations

from typing import Literal

from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.names import MAX_BYTES
from schema_kit.ops.naming import existing_type
from schema_kit.ops.operation import Task, operation, task
from schema_kit.steps.enums import AddEnumValue
from schema_kit.tasks import enums


@operation()
def add_enum_value_concurrently(
    operations: Operations,
    enum_name: str,
    value: str,
    *,
    schema: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> Task:
    """Add a value to an enum type and commit, so that it can be used at once.

    A value that exists is kept. It cannot be reversed: PostgreSQL cannot drop a value of an enum.

    Locks: no table; the type against other changes of it, briefly, within the lock budget.

    Args:
        operations: given by Alembic.
        enum_name: the enum.
        value: the value, 63 bytes at most.
        schema: the enum's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.
        before: the value that follows the new one.
        after: the value that precedes the new one. With neither, the new value is the last.

    Raises:
        DeclarationError: both *before* and *after* are given, or the value is too long.
        PlanError: the enum or the neighbour does not exist, or the value exists on the other side of the neighbour.
        LockNotAvailable: another session was changing the type through every try.

    Example:
        op.add_enum_value_concurrently("order_state", "refunded", after="paid")

    See Also:
        https://www.postgresql.org/docs/current/sql-altertype.html
    """
    if before is not None and after is not None:
        raise DeclarationError(f"add {value!r} to {enum_name}: both before and after are given. Give one of them.")
    if len(value.encode()) > MAX_BYTES:
        raise DeclarationError(
            f"add {value!r} to {enum_name}: it has {len(value.encode())} bytes, and PostgreSQL takes {MAX_BYTES} "
            "at most. Give a shorter one."
        )
    neighbour = before if before is not None else after
    if value == neighbour:
        raise DeclarationError(f"add {value!r} to {enum_name}: it cannot come before or after itself.")
    where: Literal["BEFORE", "AFTER"] = "AFTER" if before is None else "BEFORE"
    enum = existing_type(operations, enum_name, schema)
    wanted = AddEnumValue(enum, value) if neighbour is None else AddEnumValue(enum, value, where, neighbour)
    return task(enums.add_value, wanted)
