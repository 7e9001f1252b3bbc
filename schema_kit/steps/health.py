"""What `schema_kit health` keeps: the findings that it leaves out, and snapshots of counters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schema_kit.model import IgnoredFinding
from schema_kit.names import constant, literal
from schema_kit.steps.step import SharedStep, Step
from schema_kit.storage import HEALTH_IGNORED, HEALTH_SNAPSHOT

KEPT = "400 days"
"""How long snapshots are kept, where no policy of time-to-live of their table says otherwise."""


@dataclass(frozen=True)
class IgnoreFinding(SharedStep):
    """A finding's row in health_ignored."""

    says = "ignore {self.finding}"

    finding: IgnoredFinding
    reason: str

    def sql(self) -> tuple[str, ...]:
        """One row; one that exists gets the reason."""
        values = ", ".join(map(literal, (*self.finding.key, self.reason)))
        return (
            f"INSERT INTO {HEALTH_IGNORED.sql} (code, table_name, object_name, reason) VALUES ({values}) "
            "ON CONFLICT (code, table_name, object_name) DO UPDATE "
            "SET reason = excluded.reason, since = pg_catalog.now()",
        )


@dataclass(frozen=True)
class HeedFinding(SharedStep):
    """A finding's row in health_ignored goes."""

    says = "heed {self.finding}"

    finding: IgnoredFinding

    def sql(self) -> tuple[str, ...]:
        """One row."""
        code, table, name = map(literal, self.finding.key)
        where = f"code = {code} AND table_name = {table} AND object_name = {name}"
        return (f"DELETE FROM {HEALTH_IGNORED.sql} WHERE {where}",)


@dataclass(frozen=True)
class RememberCounters(Step):
    """A row in health_snapshot for a server; rows that are kept for long enough go."""

    once = True

    taken_at: datetime
    server: str
    since: datetime | None
    indexes: tuple[str, ...]
    scans: Mapping[str, int]
    sizes: Mapping[str, Sequence[int]] | None = None
    """Bytes, rows and partitions of each table, and of the database; None of another server."""
    activity: Mapping[str, Sequence[int]] | None = None
    """Rows and pages that each table was asked for."""
    statements: Mapping[str, tuple[int, float]] | None = None
    """Calls and seconds of statements, by their names."""
    keep: str = KEPT

    @property
    def summary(self) -> str:
        """Names the server."""
        return f"remember the counters of {self.server or 'this server'}"

    def sql(self) -> tuple[str, ...]:
        """One row, and those past their time."""
        since = constant(self.since.isoformat() if self.since else None)
        values = (self.indexes, dict(self.scans), self.sizes, self.activity, self.statements)
        told = ", ".join(constant(one if one is None else json.dumps(one, ensure_ascii=False)) for one in values)
        at = literal(self.taken_at.isoformat())
        return (
            f"INSERT INTO {HEALTH_SNAPSHOT.sql} (taken_at, server, since, indexes, scans, sizes, activity, statements) "
            f"VALUES ({at}, {literal(self.server)}, {since}, {told}) ON CONFLICT DO NOTHING",
            f"DELETE FROM {HEALTH_SNAPSHOT.sql} WHERE taken_at < {at}::timestamptz - interval {literal(self.keep)}",
        )
