"""Rows that are updated a batch a commit."""

from schema_kit.offline import EmptyDatabase
from schema_kit.plans import batches
from schema_kit.steps import Plan
from schema_kit.steps.batches import UpdateAtOnce, UpdateBatch
from schema_kit.tasks import Database


def update(database: Database, batch: UpdateBatch, batch_size: int) -> Plan:
    """Return the batches that are left; without a database one plain UPDATE."""
    change = batch.change
    if isinstance(database, EmptyDatabase):
        return Plan(f"update {change.table}", (UpdateAtOnce(change),))
    observed = database.batch_target(change.table, batch.name)
    plan = batches.update_in_batches(batch, batch_size, observed)
    if plan and observed and observed.run is None and observed.distribution and observed.distribution.spread:
        database.planned(change.table, f"UPDATE {change.table.sql} {change}")  # Citus takes no volatile function, say
    return plan
