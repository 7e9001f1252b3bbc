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
    """Leave a finding of ``schema_kit health`` out from now on, and say why in ``schema_kit.health_ignored``.

    ::

        op.ignore_health_finding("index_unused", "orders", "orders_note_idx", reason="for the yearly audit")

    The words are those of ``schema_kit health --format json``; ``--ignored`` shows what is left out. A reason that
    is there is replaced. Joins the migration's transaction; locks nothing but the row. The way back is
    ``heed_health_finding``.

    Args:
        operations: given by Alembic.
        code: the finding's code: ``index_unused``.
        table_name: its table, of partitions the one above all of them; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        reason: why it is left out, for people.
        schema: the table's; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: no finding has that code, or the reason is empty.
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
    """Tell of a finding again that ``ignore_health_finding`` has left out. Nothing to do where it is not.

    With the last one health_ignored goes as well. Joins the migration's transaction; locks nothing but the row, or
    health_ignored. The way back is ``ignore_health_finding``.

    Args:
        operations: given by Alembic.
        code: the finding's code.
        table_name: its table, whether it is there or not; None: the server.
        object_name: its index, constraint, trigger, slot, ...; None: the table itself.
        schema: the table's; by schema_translate_map or search_path where it is left out.

    Raises:
        DeclarationError: no finding has that code.
    """
    return task(health.heed, _finding(operations, code, table_name, object_name, schema))
