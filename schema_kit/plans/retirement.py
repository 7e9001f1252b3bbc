"""Partitions leave their set: detached, then kept, moved or dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import Detaching
from schema_kit.names import QualifiedName
from schema_kit.plans import publications
from schema_kit.steps import Plan, Step
from schema_kit.steps.retirement import (
    Detach,
    DetachConcurrently,
    DropPartition,
    FinalizeDetach,
    FindRetired,
    RecordRetired,
)
from schema_kit.steps.storage import ensure
from schema_kit.storage import RETIRED_PARTITION

How = Literal["auto", "concurrently", "blocking"]


def detach(parent: QualifiedName, name: QualifiedName, seen: Detaching | None) -> Plan:
    """Take a partition out of its set; what has left it already stays out.

    Args:
        parent: the partitioned table.
        name: the partition.
        seen: the partition, as observed; None where there is none.

    Raises:
        PlanError: no such table, a partition of another table, rows refer to it, or rights are missing.
    """
    title = f"detach {name} from {parent}"
    if seen is None:
        raise PlanError(f"cannot {title}: there is no table {name}.")
    refuse_another_s(title, seen)
    if seen.attached_to is None:
        return Plan(title)
    refuse_for(f"cannot {title}", (*seen.missing_rights, *seen.referred))
    return Plan(title, (*recorded(seen), *leaving(seen, "auto")), publications.kept([seen]))


def drop(parent: QualifiedName, name: QualifiedName, seen: Detaching | None) -> Plan:
    """Detach a partition, then drop it; one that is gone stays gone.

    Args:
        parent: the partitioned table.
        name: the partition.
        seen: the table, as observed; None where there is none.

    Raises:
        PlanError: it never was a partition of *parent*, something depends on it, rows refer to it, or rights are
            missing.
    """
    title = f"drop partition {name} of {parent}"
    if seen is None:
        return Plan(title)
    refuse_another_s(title, seen)
    if seen.attached_to is None and not seen.recorded:
        raise PlanError(
            f"cannot {title}: {name} is a table of its own, and schema_kit.retired_partition does not know it as one "
            f"that was detached from {parent}. If it must go, op.drop_table_concurrently says so."
        )
    refuse_for(f"cannot {title}", (*seen.missing_rights, *seen.referred, *seen.dependents))
    if seen.attached_to is None:
        return Plan(title, (*known_again(seen), DropPartition(seen)))
    steps = (*recorded(seen), *leaving(seen, "auto"), DropPartition(seen))
    return Plan(title, steps, publications.kept([seen]))


def refuse_another_s(title: str, seen: Detaching) -> None:
    """Refuse a partition of another table.

    Raises:
        PlanError: it is.
    """
    if seen.attached_to not in (None, seen.parent):
        raise PlanError(f"cannot {title}: {seen.name} is a partition of {seen.attached_to}.")


def recorded(
    seen: Detaching, *, by_policy: bool = False, by_ttl: bool = False, at: datetime | None = None
) -> Iterator[Step]:
    """The row comes before the detach; of one that was interrupted, it exists."""
    yield from ensure(RETIRED_PARTITION, seen.has_record)
    if not seen.recorded:
        yield RecordRetired(seen, by_policy, by_ttl, at)


def known_again(seen: Detaching) -> Iterator[Step]:
    """Give the row of a table that was found again by its name and bounds its new oid."""
    if seen.found_again:
        yield from ensure(RETIRED_PARTITION, seen.has_record)
        yield FindRetired(seen.name)


def leaving(seen: Detaching, how: How) -> Iterator[Step]:
    """Yield the steps that take a partition out.

    Raises:
        PlanError: it is to be detached concurrently, and PostgreSQL has no such way.
    """
    if seen.pending:
        yield FinalizeDetach(seen)
        return
    yield from map(FinalizeDetach, seen.blocked_by)
    why = why_blocking(seen)
    if how == "concurrently" and why:
        raise PlanError(f"cannot detach {seen.name} from {seen.parent} concurrently: {why}.")
    if how == "blocking" or why:
        yield Detach(seen, why or "the policy says so")
    else:
        yield DetachConcurrently(seen)


def why_blocking(seen: Detaching) -> str:
    """Return why PostgreSQL, or Citus, cannot detach it concurrently; empty where it can."""
    if seen.distribution and seen.distribution.spread:
        return f"{seen.name} is {seen.distribution.text}, and Citus detaches none concurrently"
    if seen.default:
        return f"{seen.default} is a default partition, and PostgreSQL detaches no other one concurrently then"
    if seen.parent in seen.incoming:
        return f"{seen.parent} refers to itself, so that the concurrent way would lock it as well"
    return ""
