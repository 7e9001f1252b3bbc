"""Ignore findings of health, with a reason, or heed them again."""

from __future__ import annotations

from collections.abc import Mapping

from schema_kit.errors import DeclarationError
from schema_kit.model import IgnoredFinding
from schema_kit.steps import Plan
from schema_kit.steps.health import HeedFinding, IgnoreFinding
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import HEALTH_IGNORED


def ignore(finding: IgnoredFinding, reason: str, ignored: Mapping[IgnoredFinding, str]) -> Plan:
    """Leave a finding out from now on.

    Args:
        finding: which.
        reason: why.
        ignored: those that are left out already, with their reasons.

    Raises:
        DeclarationError: no reason is given.
    """
    if not reason.strip():
        raise DeclarationError(f"ignoring {finding} needs a reason: reason='...'")
    plan = Plan(f"ignore {finding}")
    if ignored.get(finding) == reason:
        return plan
    return plan + Plan("", (EnsureTable(HEALTH_IGNORED), IgnoreFinding(finding, reason)))


def heed(finding: IgnoredFinding, ignored: Mapping[IgnoredFinding, str]) -> Plan:
    """Tell of a finding again; with the last one health_ignored goes."""
    plan = Plan(f"heed {finding}")
    if finding not in ignored:
        return plan
    last = f"heed {finding}, and drop {HEALTH_IGNORED}, which is empty then"
    return plan + Plan("", (HeedFinding(finding) if len(ignored) > 1 else DropTables((HEALTH_IGNORED,), last),))
