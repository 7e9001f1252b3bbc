"""What runs when Alembic has compared everything: drift, safe operations, revisions behind one another."""

from __future__ import annotations

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority

from schema_kit.autogenerate import chain, drift, safe, work
from schema_kit.autogenerate.switches import drift_of, safe_of


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST, qualifier="postgresql")
def finish(context: AutogenContext, upgrade: UpgradeOps, schemas: set[str | None]) -> None:
    """Add what Alembic does not see, take away what it sees wrongly, and replace what blocks tables that exist."""
    options = context.migration_context.opts
    kinds, replaced = drift_of(options), safe_of(options)
    if context.connection is None or not (kinds or replaced.kinds):
        return
    begun = work.begin(context, upgrade, schemas, sizes=replaced.rows > 0)
    drift.compare(begun, kinds)
    safe.replace(begun, replaced)
    work.finish(begun, upgrade)
    options.setdefault(work.SENTENCES, []).extend(begun.sentences)
    chain.install(context.migration_context)
