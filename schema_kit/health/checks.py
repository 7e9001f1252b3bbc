"""Every check of health, and what is said of a database: pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from schema_kit.health import bloat, constraints, indexes, server, upkeep, usage
from schema_kit.health.facts import Observed
from schema_kit.health.finding import Finding
from schema_kit.names import QualifiedName
from schema_kit.plans.check import Severity

Check = Callable[[Observed], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    indexes.invalid,
    indexes.twice,
    indexes.redundant,
    indexes.partial,
    indexes.unused,
    indexes.on_partitions,
    indexes.of_little_use,
    bloat.indexes,
    bloat.tables,
    constraints.unindexed,
    constraints.keys_twice,
    constraints.key_types,
    constraints.not_valid,
    constraints.triggers,
    constraints.primary_keys,
    constraints.replica_identities,
    constraints.published_by_leaf,
    upkeep.statistics,
    upkeep.autovacuum,
    upkeep.dead_rows,
    upkeep.frozen,
    upkeep.sequences,
    upkeep.unlogged,
    upkeep.partitions,
    usage.hot_updates,
    usage.cache,
    usage.read_whole,
    usage.growth,
    usage.statements,
    usage.evicted,
    usage.temporary_files,
    server.old_rows,
    server.waiting,
    server.sessions,
    server.prepared,
    server.slots,
    server.settings,
    server.connections,
    server.extensions,
)
"""In this order: what is said of an index first is all that is said of it."""


def examine(seen: Observed, only: Collection[QualifiedName] = ()) -> list[Finding]:
    """Return all that can be said, table by table, the worst of each first.

    Args:
        seen: the database.
        only: the roots to speak of, without what concerns the server; all where it is empty.
    """
    found = [finding for check in CHECKS for finding in check(seen)]
    if only:
        found = [finding for finding in found if finding.table in only]
    kept: dict[object, Finding] = {}
    for finding in found:  # one thing to act on: what goes is not spoken of again for something else
        subject = "index" if finding.code.startswith("index_") else server.HOLDS.get(finding.code, finding.code)
        kept.setdefault((finding.table, finding.object, subject), finding)
    order = list(Severity)
    return sorted(
        kept.values(), key=lambda one: (str(one.table or ""), order.index(one.severity), one.code, one.object)
    )
