"""Materialized views."""

from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import views
from schema_kit.steps import Plan
from schema_kit.steps.views import RefreshMaterializedView
from schema_kit.tasks import Database


def refresh(database: Database, view: QualifiedName) -> Plan:
    """Fill a materialized view again; without a database in the plain way."""
    if isinstance(database, EmptyDatabase):
        return Plan(f"refresh {view}", (RefreshMaterializedView(view, concurrently=False),))
    return views.refresh(view, database.materialized_view(view))
