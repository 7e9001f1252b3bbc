"""Plan REFRESH MATERIALIZED VIEW while the view is read."""

from __future__ import annotations

from schema_kit.errors import PlanError
from schema_kit.model import MaterializedView
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.steps.views import RefreshMaterializedView


def refresh(view: QualifiedName, observed: MaterializedView | None) -> Plan:
    """Fill a view again: concurrently, but for one that was never filled, where PostgreSQL knows no such way.

    Raises:
        PlanError: no such view, or no unique index that PostgreSQL could compare old and new rows by.
    """
    title = f"refresh {view}"
    if observed is None:
        raise PlanError(f"cannot {title}: there is no such materialized view.")
    if not observed.unique:
        raise PlanError(
            f"cannot {title} while it is read: a materialized view needs a valid unique index over plain columns "
            f"that covers all rows, and it has none. Make one first: CREATE UNIQUE INDEX CONCURRENTLY ON {view.sql} "
            "(the columns that tell its rows apart), without WHERE and without expressions."
        )
    return Plan(title, (RefreshMaterializedView(view, concurrently=observed.populated),))
