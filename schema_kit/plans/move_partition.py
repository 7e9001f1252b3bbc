"""Plan how whole partitions move from one partitioned table to another: no row is copied or scanned.

Concurrently wherever PostgreSQL can: detached, then attached, and in between its rows are in neither. Where a view
reads both tables at once, or PostgreSQL detaches nothing concurrently: both in one commit, behind a validated CHECK.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from schema_kit.errors import PlanError
from schema_kit.model import Attaching, Detaching, Relation, Stored, Table, View
from schema_kit.plans import attachment
from schema_kit.plans.retirement import How, leaving, why_blocking
from schema_kit.steps import Step
from schema_kit.steps.archives import AttachMoved, MovePartitionAcross, RecordMove, Route
from schema_kit.steps.storage import ensure
from schema_kit.storage import RETIRED_PARTITION


@dataclass(frozen=True, slots=True)
class Transfer:
    """A partition that goes from one table to another, as observed.

    Args:
        seen: the partition, with regard to where it is, or was until it was detached.
        wanted: the same, with regard to where it goes.
        tree: it, and its own partitions.
        target: where it goes, before the partitions there.
        printed: how PostgreSQL prints the CHECK for its bounds.
        default: the default partition where it goes, if that holds rows.
        under_way: archived_partition says that it goes there.
    """

    seen: Detaching
    wanted: Attaching
    tree: tuple[Relation, ...]
    target: Relation
    printed: str | None
    default: Table | None = None
    under_way: bool = False


def why_together(seen: Detaching, views: Sequence[View], how: How) -> str:
    """Return why a partition is detached and attached in one commit; empty where it goes concurrently."""
    if seen.pending or seen.attached_to is None:
        return ""  # it is in transit already
    if views:
        return f"view {views[0].name} shows both tables, and would miss its rows in between"
    if how == "concurrently":
        return ""
    return why_blocking(seen) or ("the policy says so" if how == "blocking" else "")


def transfer(route: Route, one: Transfer, views: Sequence[View], how: How, *, has_record: Stored) -> Iterator[Step]:
    """Yield the steps that take one partition from where it is to where it goes.

    Args:
        route: from where to where.
        one: the partition.
        views: the views that show both tables.
        how: how the policy has partitions detached.
        has_record: whether retired_partition exists, or made by an earlier step.

    Raises:
        PlanError: where it goes is of another shape, a range there overlaps its own, or rights are missing.
    """
    seen, wanted = one.seen, one.wanted
    title = f"move {seen.name} from {seen.parent} to {route.goes_to}"
    if seen.attached_to not in (None, seen.parent):
        raise PlanError(f"cannot {title}: it is a partition of {seen.attached_to}.")
    try:
        attachment.refuse(title, wanted, one.tree[0], one.target)
    except PlanError as error:
        raise PlanError(f"{error} {_compare(route)}") from error
    missing = list(_missing_constraints(one))
    if missing:
        raise PlanError(f"cannot {title}: it has not {', '.join(missing)} as {route.goes_to} has. {_compare(route)}")
    yield from attachment.indexes_like(one.target, one.tree)
    default_check, past = attachment.past_default(wanted, one.default)
    yield from past
    why = why_together(seen, views, how)
    if why or seen.attached_to is None:
        yield from attachment.proved(wanted, one.tree[0], one.printed)[1]
    if why:
        yield from leaving_first(seen)
        yield MovePartitionAcross(replace(seen, referred=()), wanted, route, why, default_check)
        return
    if seen.attached_to:
        yield from ensure(RETIRED_PARTITION, has_record)
        if not (one.under_way and seen.recorded):
            yield RecordMove(seen, route)
        yield from leaving(seen, "concurrently")
    yield AttachMoved(wanted, route, default_check)


def leaving_first(seen: Detaching) -> Iterator[Step]:
    """Of a table only one partition may be detach pending, and none while another is detached."""
    for other in seen.blocked_by:
        yield from leaving(other, "auto")


def _compare(route: Route) -> str:
    return (
        f"Compare the two by: schema_kit archive verify {route.table}; op.repair_archive_table gives the archive what "
        "the table has."
    )


def _missing_constraints(one: Transfer) -> Iterator[str]:
    """NOT NULLs and checks of where it goes: PostgreSQL would look through all rows, or refuse."""
    own = one.tree[0]
    for column in one.target.columns:
        mine = own.column(column.name)
        if column.not_null and mine and not mine.not_null:
            yield f"NOT NULL on {column.name}"
    for check in one.target.checks:
        there = own.check(check.name)
        unasked = check.definition.endswith(" NOT ENFORCED")
        same = there is not None and there.definition == check.definition and (there.validated or unasked)
        if not check.not_null and not same:
            yield f"the check {check.name}"


def obstacles(seen: Detaching) -> tuple[str, ...]:
    """Return why a partition cannot leave: rows refer to it, a publication names it, its triggers would be others."""
    if seen.pending or seen.attached_to is None:
        return ()
    forgotten = (f"{text}, and would come back as that of {seen.parent}" for text in seen.triggers)
    return (*seen.referred, *seen.published, *forgotten)
