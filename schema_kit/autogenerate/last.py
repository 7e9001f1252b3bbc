"""What runs when Alembic has compared everything: drift, safe operations, revisions behind one another."""

from __future__ import annotations

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import UpgradeOps
from alembic.util import DispatchPriority

from schema_kit.autogenerate import (
    archives,
    chain,
    comments,
    completed,
    computed,
    drift,
    enums,
    keys,
    removed,
    safe,
    work,
)
from schema_kit.autogenerate.switches import drift_of, safe_of

_BEGUN = (
    "env.py begins a transaction before Alembic does, in which nothing can commit on its own: Alembic's operations are "
    "written as they are. Without that transaction, or with schema_kit.environment.run, they are replaced by those "
    "that keep no session waiting."
)


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST, qualifier="postgresql")
def finish(context: AutogenContext, upgrade: UpgradeOps, schemas: set[str | None]) -> None:
    """Add what Alembic does not see, take away what it sees wrongly, and replace what blocks tables that exist."""
    options = context.migration_context.opts
    kinds, replaced = drift_of(options), safe_of(options)
    if context.connection is None or not (kinds or replaced.kinds):
        return
    migration = context.migration_context
    begun_outside = migration.environment_context is not None and migration._in_external_transaction
    begun = work.begin(context, upgrade, schemas, sizes=replaced.rows > 0)
    _compare(begun, kinds)
    if not begun_outside:
        safe.replace(begun, replaced)
        if "archive" in kinds:
            archives.follow(begun)
    else:
        safe.plainly(begun)
        if replaced.kinds and begun.operations:
            begun.say(_BEGUN, difference=False)
    if "comment" in kinds:
        comments.compare(begun, renames="primary_key" in kinds)
    work.finish(begun, upgrade)
    options.setdefault(work.SENTENCES, []).extend(begun.sentences)
    chain.install(context.migration_context)


def _compare(begun: work.Work, kinds: frozenset[str]) -> None:
    if "new" in kinds:
        completed.compare(begun)
        completed.write_expressions_as_they_are(begun.context.migration_context)
    if "check" in kinds:
        completed.without_checks(begun)
    if "enum" in kinds:
        enums.compare(begun)
    drift.compare(begun, kinds)
    more = {
        "removed_check": removed.checks,
        "unique": keys.unique,
        "primary_key": keys.primary,
        "foreign_key": keys.foreign,
        "computed": computed.compare,
        "collation": computed.collations,
        "inherits": completed.parents,
        "exclude": completed.exclusions,
    }
    for kind in (kind for kind in more if kind in kinds):
        more[kind](begun)
    if kinds & {"check", "foreign_key"}:
        keys.not_enforced(begun)
    if "enum" in kinds:
        enums.alter(begun)
