"""Adding a value to an enum."""

from __future__ import annotations

from collections.abc import Sequence

from schema_kit.errors import PlanError
from schema_kit.steps import Plan
from schema_kit.steps.enums import AddEnumValue


def add_value(wanted: AddEnumValue, labels: Sequence[str] | None) -> Plan:
    """Add the value where it is missing.

    One that exists has to stand on the side of its neighbour that is asked for; others may have come between since.

    Args:
        wanted: the value, and where it comes.
        labels: the values of the enum in their order; None where there is no such enum.

    Raises:
        PlanError: no such enum or neighbour, or the value stands on the other side of it.
    """
    title = wanted.summary
    if labels is None:
        raise PlanError(f"cannot {title}: there is no such enum.")
    order = ", ".join(map(repr, labels))
    if wanted.where and wanted.neighbour not in labels:
        raise PlanError(f"cannot {title}: it has no value {wanted.neighbour!r}, only {order}.")
    if wanted.value not in labels:
        return Plan(title, (wanted,))
    if wanted.where:
        value, neighbour = labels.index(wanted.value), labels.index(wanted.neighbour)
        if (value < neighbour) != (wanted.where == "BEFORE"):
            raise PlanError(
                f"cannot {title}: it exists already, in another place, and PostgreSQL moves no value. The order is "
                f"{order}. Ask for it without before and after, or make a new type."
            )
    return Plan(title)
