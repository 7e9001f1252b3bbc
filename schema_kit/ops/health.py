"""Operations on health: findings that are left out, with a reason."""

from __future__ import annotations

from alembic.operations import Operations

from schema_kit.errors import DeclarationError
from schema_kit.health.finding import CODES
from schema_kit.model import IgnoredFinding
from schema_kit.offline import EmptyDatabase
from schema_kit.ops.door import AnyCatalog, PlanOperation, register
from schema_kit.ops.naming import existing
from schema_kit.plans import health
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.health import HeedFinding

HEALTH_IGNORED_SCRIPT = "tables/health_ignored.sql"


def _finding(
    operations: Operations, code: str, table_name: str | None, object_name: str | None, schema: str | None
) -> IgnoredFinding:
    if code not in CODES:
        raise DeclarationError(f"no finding has the code {code!r}. There are: {', '.join(CODES)}.")
    table = "" if table_name is None else str(existing(operations, table_name, schema))
    return IgnoredFinding(code, table, object_name or "")


@register("ignore_health_finding")
class IgnoreHealthFindingOp(PlanOperation):
    """Leave a finding of health out."""

    shared = True

    def __init__(self, finding: IgnoredFinding, reason: str) -> None:
        self.finding, self.reason = finding, reason

    @classmethod
    def ignore_health_finding(
        cls,
        operations: Operations,
        code: str,
        table_name: str | None = None,
        object_name: str | None = None,
        *,
        reason: str,
        schema: str | None = None,
    ) -> None:
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
        operations.invoke(cls(_finding(operations, code, table_name, object_name, schema), reason))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database nothing is taken to be ignored."""
        ignored = {} if isinstance(catalog, EmptyDatabase) else catalog.ignored_findings()
        return health.ignore(self.finding, self.reason, ignored, load(HEALTH_IGNORED_SCRIPT))


@register("heed_health_finding")
class HeedHealthFindingOp(PlanOperation):
    """Tell of a finding of health again."""

    shared = True

    def __init__(self, finding: IgnoredFinding) -> None:
        self.finding = finding

    @classmethod
    def heed_health_finding(
        cls,
        operations: Operations,
        code: str,
        table_name: str | None = None,
        object_name: str | None = None,
        *,
        schema: str | None = None,
    ) -> None:
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
        operations.invoke(cls(_finding(operations, code, table_name, object_name, schema)))

    def plan(self, catalog: AnyCatalog) -> Plan:
        """Observe and decide; without a database it is taken to be ignored, with others."""
        if isinstance(catalog, EmptyDatabase):
            return Plan(f"heed {self.finding}", (HeedFinding(self.finding),))
        return health.heed(self.finding, catalog.ignored_findings())
