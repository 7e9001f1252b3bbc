"""Operations on health: findings that are left out, with a reason."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.health.finding import CODES
from schema_kit.model import IgnoredFinding
from schema_kit.ops.naming import existing
from schema_kit.ops.operation import Task, operation, task
from schema_kit.tasks import health


def _finding(
    operations: Operations, code: str, table_name: str | None, object_name: str | None, schema: str | None
) -> IgnoredFinding:
    if code not in CODES:
        raise DeclarationError(f"no finding has the code {code!r}. There are: {', '.join(CODES)}.")
    table = "" if table_name is None else str(existing(operations, table_name, schema))
    return IgnoredFinding(code, table, object_name or "")


@operation(shared=True, reversed_by="heed_health_finding")
def ignore_health_finding(
    operations: Operations,
    code: str,
    table_name: str | None = None,
    object_name: str | None = None,
    *,
    reason: str,
    schema: str | None = None,
) -> Task:
    """Suppress a finding of ``schema_kit health``, and record the reason in ``schema_kit.health_ignored``.

    The arguments are the fields of ``schema_kit health --format json``; ``--ignored`` lists suppressed findings. A
    second call replaces the reason. It runs in the migration's transaction. The reverse is ``heed_health_finding``.

    Locks: the finding's row.

    Args:
        operations: given by Alembic.
        code: the finding's code: ``index_unused``.
        table_name: its table, for a partition the topmost parent; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        reason: why it is suppressed, for people.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: the code is unknown, or the reason is empty.

    Example:
        op.ignore_health_finding("index_unused", "orders", "orders_note_idx", reason="for the audit")

    See Also:
        https://www.postgresql.org/docs/current/monitoring-stats.html
    """
    return task(health.ignore, _finding(operations, code, table_name, object_name, schema), reason)


@operation(shared=True)
def heed_health_finding(
    operations: Operations,
    code: str,
    table_name: str | None = None,
    object_name: str | None = None,
    *,
    schema: str | None = None,
) -> Task:
    """Report a finding of ``schema_kit health`` again that ``ignore_health_finding`` suppresses.

    A finding that is not suppressed is not an error. With the last one, health_ignored is dropped as well. It runs
    in the migration's transaction. The reverse is ``ignore_health_finding``.

    Locks: the finding's row, or health_ignored.

    Args:
        operations: given by Alembic.
        code: the finding's code.
        table_name: its table, which need not exist; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        schema: the table's schema. If left out, ``schema_translate_map`` and then ``search_path`` decide.

    Raises:
        DeclarationError: the code is unknown.

    Example:
        op.heed_health_finding("index_unused", "orders", "orders_note_idx")

    See Also:
        https://www.postgresql.org/docs/current/monitoring-stats.html
    """
    return task(health.heed, _finding(operations, code, table_name, object_name, schema))
