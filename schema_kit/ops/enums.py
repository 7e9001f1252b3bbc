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
    """Add a value to an enum and commit, so that it can be used at once; one that is there already is left.

    Locks: the type against other changes of it, for an instant, under the lock budget; no table. There is no way
    back: PostgreSQL drops no value of an enum.

    Args:
        operations: given by Alembic.
        enum_name: the enum.
        value: the value, of 63 bytes at most.
        schema: the enum's schema; by schema_translate_map or search_path where it is left out.
        before: the value that it comes right before.
        after: the value that it comes right after; with neither it comes last.

    Raises:
        DeclarationError: both before and after, or a value that is too long.
        PlanError: no such enum or neighbour, or the value is there on the other side of it.
        LockNotAvailable: somebody else was changing the type through every try.
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
