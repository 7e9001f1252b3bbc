"""Findings as text, for JSON and as Prometheus gauges: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schema_kit.health.finding import CODES, Finding
from schema_kit.model import IgnoredFinding
from schema_kit.plans.check import Severity


def text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding, under its table."""
    lines, last = [], object()
    for one in findings:
        if one.table != last:
            lines.append(str(one.table) if one.table else "the server")
        last = one.table
        lines.append(f"  {one.severity}: {one.evidence} {one.repair} [{one.code}]")
    return "".join(f"{line}\n" for line in lines)


def reasons(ignored: Mapping[Finding, str]) -> str:
    """Return a line for each finding that is left out, with the reason."""
    lines = [f"  ignored: {IgnoredFinding(*one.key)}: {reason}" for one, reason in ignored.items()]
    return "".join(f"{line}\n" for line in lines)


def document(
    findings: Sequence[Finding], ignored: Mapping[Finding, str], notes: Sequence[str], now: datetime, since: str
) -> dict[str, Any]:
    """Return all of it, for programs."""
    told = [_told(one) for one in findings]
    left = [_told(one) | {"reason": reason} for one, reason in ignored.items()]
    return {"at": now.isoformat(), "since": since, "findings": told, "ignored": left, "not_seen": list(notes)}


def _told(one: Finding) -> dict[str, str]:
    repair = one.repair
    return {
        "severity": str(one.severity),
        "code": one.code,
        "table": str(one.table) if one.table else "",
        "object": one.object,
        "evidence": one.evidence,
        "operation": repair.call,
        "sql": repair.sql,
        "command": repair.command,
        "advice": repair.why,
    }


def metrics(findings: Sequence[Finding], ignored: int, now: datetime) -> str:
    """Gauges in Prometheus' text format: a sample for each code, whatever the database holds."""
    counted = Counter(one.code for one in findings)
    lines = [
        "# HELP schema_kit_health_timestamp_seconds When health looked, by the server's clock.",
        "# TYPE schema_kit_health_timestamp_seconds gauge",
        f"schema_kit_health_timestamp_seconds {int(now.timestamp())}",
        "# HELP schema_kit_health_findings Findings, by code and severity.",
        "# TYPE schema_kit_health_findings gauge",
    ]
    for code, severity in CODES.items():
        lines.append(f'schema_kit_health_findings{{code="{code}",severity="{severity}"}} {counted[code]}')
    lines += [
        "# HELP schema_kit_health_ignored Findings that are ignored.",
        "# TYPE schema_kit_health_ignored gauge",
        f"schema_kit_health_ignored {ignored}",
    ]
    return "".join(f"{line}\n" for line in lines)


def summary(findings: Sequence[Finding], tables: int, ignored: int) -> str:
    """Return one line: how much was looked at, and how much was found."""
    looked = "1 table" if tables == 1 else f"{tables:,} tables"
    counted = Counter(one.severity for one in findings)
    found = ", ".join(f"{counted[severity]} {severity}" for severity in Severity if counted[severity])
    left = f"; {ignored} ignored" if ignored else ""
    return f"{looked} looked at: {found or 'nothing to do'}{left}"
