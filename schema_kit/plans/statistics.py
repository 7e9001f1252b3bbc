"""Plan ANALYZE of partitioned tables, which autovacuum never does."""

from __future__ import annotations

from schema_kit.model import Table
from schema_kit.names import QualifiedName
from schema_kit.server import Server
from schema_kit.steps import Plan
from schema_kit.steps.partitions import Analyze

_LEAST = 100
"""Rows by which a partitioned table may be off, however small it is."""


def stale(table: Table) -> bool:
    """Return whether the known rows of the table differ by more than a tenth from those of its partitions."""
    there, known = table.held, max(table.rows, 0)
    return there >= 0 and abs(there - known) > max(_LEAST, max(there, known) // 10)


def analyze(table: Table | None, parent: QualifiedName, server: Server, *, may: bool) -> Plan:
    """Analyze a partitioned table whose statistics are off: from 18 on itself alone, before with every partition.

    Args:
        table: the partitioned table, with estimates of its rows.
        parent: its name.
        server: what the server can.
        may: whether the current role may, and before 18 it was not analyzed for a day.
    """
    plan = Plan(f"analyze {parent}")
    if table is None or not may or not stale(table):
        return plan
    return Plan(plan.title, (analyzed(table.name, tuple(part.name for part in table.partitions), server),))


def analyzed(parent: QualifiedName, partitions: tuple[QualifiedName, ...], server: Server) -> Analyze:
    """Return what gathers the statistics of a parent, and of its partitions again where it cannot be done without."""
    return Analyze(parent, only=True) if server.analyze_only else Analyze(parent, partitions)
