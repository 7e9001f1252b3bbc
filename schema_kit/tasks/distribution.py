"""Tables that Citus distributes over its nodes."""

from __future__ import annotations

from schema_kit.model import Distribution
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import distribution
from schema_kit.steps import Plan
from schema_kit.steps.distribution import Distribute, DistributeConcurrently, Undistribute
from schema_kit.tasks import Database


def distribute(
    database: Database,
    name: QualifiedName,
    wanted: Distribution,
    beside: QualifiedName | None,
    shard_count: int | None,
    blocking: bool,
) -> Plan:
    """Have Citus distribute a table; without a database it is taken to be there, and not to be distributed."""
    if isinstance(database, EmptyDatabase):
        concurrently = wanted.kind == "hash" and not blocking
        kind = DistributeConcurrently if concurrently else Distribute
        return Plan(f"distribute {name}", (kind(name, wanted, beside, shard_count),))
    table = database.table(name)
    keys = (*table.foreign_keys, *table.incoming) if table and database.has_citus() else ()
    others = {end for key in keys for end in (key.table, key.referenced)} - {name}
    ends = {end: found.distribution for end in sorted(others) if (found := database.table(end))}
    return distribution.distribute(
        name,
        wanted,
        table,
        (beside, database.table(beside)) if beside else None,
        shard_count,
        ends,
        blocking=blocking,
        citus=database.has_citus(),
    )


def undistribute(database: Database, name: QualifiedName) -> Plan:
    """Take a table back to the coordinator; without a database it is taken to be distributed."""
    if isinstance(database, EmptyDatabase):
        return Plan(f"take {name} back to the coordinator", (Undistribute(name),))
    return distribution.undistribute(name, database.table(name), citus=database.has_citus())
