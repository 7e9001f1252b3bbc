"""The figures of sets in Prometheus' text format, as node_exporter's textfile collector reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from schema_kit.intervals import Point
from schema_kit.keys import WallClock
from schema_kit.model.ranges import state
from schema_kit.plans.check import Examined, Finding, Severity

Sample = tuple[Mapping[str, str], float]

HELP = {
    "schema_kit_check_timestamp_seconds": "When the check looked, by the server's clock.",
    "schema_kit_check_sets": "Sets that were looked at.",
    "schema_kit_partitions_present": "Partitions of the table, the default one not counted.",
    "schema_kit_partitions_premade": "Partitions that lie wholly ahead of the current position.",
    "schema_kit_partitions_missing": "Ranges from the current one on that should have a partition and have none.",
    "schema_kit_partitions_gaps": "Gaps without a partition before the newest one or the current position.",
    "schema_kit_partitions_current": "1 where a partition holds the current position, else 0.",
    "schema_kit_partitions_detach_pending": "Partitions whose concurrent detach waits for FINALIZE.",
    "schema_kit_partitions_retention_overdue": "Partitions that have outlived the policy's retention.",
    "schema_kit_partitions_default_has_rows": "1 where the default partition holds rows, else 0.",
    "schema_kit_partitions_default_rows": "Rows in the default partition, as the planner guesses.",
    "schema_kit_partitions_oldest_bound_timestamp_seconds": "Where the oldest partition begins, or ends.",
    "schema_kit_partitions_newest_bound_timestamp_seconds": "Where the newest partition ends, or begins.",
    "schema_kit_partitions_oldest_bound_id": "The same of tables that are partitioned by ids.",
    "schema_kit_partitions_newest_bound_id": "The same of tables that are partitioned by ids.",
    "schema_kit_partitions_work_due": "1 where something is due or broken, else 0.",
    "schema_kit_partitions_findings": "Findings of the check, by code and severity.",
}
"""Every gauge there is, in the order in which they are written."""


def metrics(examined: Sequence[Examined], findings: Sequence[Finding], now: datetime) -> str:
    """Return all gauges of all sets.

    Args:
        examined: the sets.
        findings: theirs, and those of rows of part_config that are no set.
        now: when it was looked.
    """
    found: dict[str, list[Sample]] = {name: [] for name in HELP}
    found["schema_kit_check_timestamp_seconds"].append(({}, now.timestamp()))
    found["schema_kit_check_sets"].append(({}, len(examined)))
    for one in examined:
        for name, value in _figures(one):
            found[f"schema_kit_partitions_{name}"].append(({"set": str(one.seen.policy.parent)}, value))
    counted = Counter((each.set, each.code, str(each.severity)) for each in findings)
    for (set_, code, severity), count in sorted(counted.items()):
        found["schema_kit_partitions_findings"].append(({"set": set_, "code": code, "severity": severity}, count))
    return "".join(_family(name, samples) for name, samples in found.items() if samples)


def _figures(one: Examined) -> Iterator[tuple[str, float]]:
    seen, lines = one.seen, one.lines
    yield "work_due", any(finding.severity is not Severity.NOTICE for finding in one.findings)
    if seen.table is not None:
        pending = [part for part in seen.table.partitions if part.detach_pending]
        yield "detach_pending", len(pending)
        yield "present", sum(not part.default for part in seen.table.partitions)
    if seen.default:
        if seen.default.filled is not None:
            yield "default_has_rows", seen.default.filled
        yield "default_rows", max(seen.default.estimate, 0)
    if lines is None:
        return
    yield "gaps", len(one.gaps)
    if seen.here is not None:
        states = Counter(state(part, taken, seen.here) for taken, part in one.parts)
        yield "premade", states["premade"]
        yield "missing", len(one.missing)
        yield "retention_overdue", len(one.overdue)
        yield "current", min(states["current"], 1)
    if one.parts:
        unit = "id" if lines.of_ids else "timestamp_seconds"
        oldest, newest = one.parts[0][0], one.parts[-1][0]
        first = oldest.upper if oldest.lower is None else oldest.lower
        last = newest.lower if newest.upper is None else newest.upper
        for which, point in (("oldest", first), ("newest", last)):
            if point is not None:
                yield f"{which}_bound_{unit}", _number(one, point)


def _number(one: Examined, point: Point) -> float:
    assert one.lines is not None  # the point lies on them
    if isinstance(point, int):
        return point
    # What the points of a column without a time zone show, the policy's clock shows.
    local = point.replace(tzinfo=one.seen.policy.zone) if isinstance(one.lines.key, WallClock) else point
    return float(local.timestamp())


def _family(name: str, samples: Sequence[Sample]) -> str:
    lines = [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"{name}{{{inside}}} {_value(value)}" if inside else f"{name} {_value(value)}")
    return "\n".join(lines) + "\n"


def _value(value: float) -> str:
    whole = int(value)
    return str(whole) if value == whole else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
