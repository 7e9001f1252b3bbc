"""Derive the policy of an existing partitioned table from the bounds of its partitions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from typing import Any

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Months, Point, Span
from schema_kit.keys import NUMBERS, Moments, WallClock, encodings_of
from schema_kit.model import Partition, Partitioning, Stored, Table, Told
from schema_kit.model.grid import Grid, grid
from schema_kit.names import QualifiedName
from schema_kit.plans.policies import obstacles, set_policy
from schema_kit.steps import Plan
from schema_kit.steps.partitions import StopPartman

_PLAUSIBLE = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_SAME_AS_UTC = {"Etc/UTC", "Etc/UCT", "UCT", "GMT", "Etc/GMT", "Zulu", "Universal", "Etc/Universal", "Etc/Zulu"}
_WIDTHS_TRIED = 12
_LISTED = 20
_CLOCKED = 2
Window = tuple[Point, Point, Partition]


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy, and how well the partitions that exist fit its boundaries."""

    policy: Partitioning
    because: tuple[str, ...]
    """Why each part of it is what it is."""
    irregular: tuple[Partition, ...] = ()
    """Partitions with a bound where none of its ranges begins."""
    total: int = 0
    timely: bool = True
    """Its bounds are whole hours of our times, where they are moments: else plain numbers are likelier."""

    @property
    def rank(self) -> tuple[int, int]:
        """Fewest irregular partitions first, then the plainest origin."""
        origin = self.policy.origin
        return len(self.irregular), 0 if origin is None else _CLOCKED if len(origin) > len("2026-11-01") else 1


def read_bounds(
    parent: QualifiedName,
    control: str,
    tables: Sequence[Table],
    given: Mapping[str, Any],
    told: Sequence[Told],
    zones: Sequence[tuple[str, str]],
) -> Reading:
    """Return the policy whose boundaries fit the bounds.

    Args:
        parent: the partitioned table, or one by LIST or HASH whose partitions are.
        control: the column that decides.
        tables: the sets, as observed.
        given: what was said of the policy, by field of Partitioning; None where nothing was.
        told: what other tools have written down about it.
        zones: time zones that it may follow, and whose they are.

    Raises:
        DeclarationError: an interval, time zone, ... is invalid.
        PlanError: the interval cannot be read from the partitions, or divide the column's type.
    """
    base = Partitioning(parent, control, "1 month")
    for hint in told:
        base = replace(hint.policy, parent=parent, control=control)
    base = replace(base, **{name: value for name, value in given.items() if value is not None})
    if given.get("interval"):
        told = ()
    column = next((table.column(control) for table in tables if table.column(control)), None)
    if column is None:
        raise PlanError(f"{parent} has no column {control!r}.")
    readings, failures = list[Reading](), list[PlanError]()
    encodings = (base.encoding,) if base.encoding else encodings_of(column.type)
    for encoding, (zone, whose) in product(encodings, _zones(given, zones)):
        one = replace(base, encoding=encoding, timezone=zone)
        guessed = bool(encoding) and len(encodings) > 1
        try:
            found = [reading for reading in _readings(one, tables, given, told, whose) if not guessed or reading.timely]
        except PlanError as error:
            failures.append(error)
            continue
        readings += found
        if guessed and any(not reading.irregular for reading in found):
            break
    if not readings:
        raise failures[0] if failures else _untold(parent)
    return min(readings, key=lambda reading: reading.rank)


def _untold(parent: QualifiedName) -> PlanError:
    return PlanError(
        f"no partition of {parent} has two ends that tell how wide a partition is. Say it with --interval, and the "
        "time zone with --timezone."
    )


def _zones(given: Mapping[str, Any], zones: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    if given.get("timezone"):
        return [(str(given["timezone"]), "given")]
    found: dict[str, str] = {}
    for name, whose in (*zones, ("UTC", "where no other fits")):
        with suppress(DeclarationError, PlanError):
            usual = "UTC" if name in _SAME_AS_UTC else name
            _ = Partitioning(QualifiedName("", ""), "", "1 day", usual).zone
            found.setdefault(usual, whose)
    return list(found.items())


def _readings(
    base: Partitioning, tables: Sequence[Table], given: Mapping[str, Any], told: Sequence[Told], whose: str
) -> Iterator[Reading]:
    lines = grid(replace(base, interval=_any_interval(base, tables[0]), origin=None), tables[0])
    taken = [
        (lines.range_of(partition), partition)
        for table in tables
        for partition in table.partitions
        if not partition.default and not partition.detach_pending
    ]
    ends = [end for held, _ in taken for end in (held.lower, held.upper) if end is not None]
    whole = [(held.lower, held.upper, p) for held, p in taken if held.lower is not None and held.upper is not None]
    newest = sorted(whole, key=lambda window: window[0], reverse=True)
    timely = not lines.of_ids and all(_PLAUSIBLE[0] <= end < _PLAUSIBLE[1] and _hour(end) for end in ends)
    for interval, origin, why in _intervals(lines, newest, given, told):
        policy = replace(base, interval=interval, origin=origin)
        try:
            own = grid(policy, tables[0])
        except DeclarationError:
            if given.get("interval"):
                raise
            continue
        if _shifted(own) and not (given.get("timezone") or given.get("origin")):
            continue  # days that begin at another hour than midnight are another zone's
        crossing = (p for held, p in taken if not (own.begins_at(held.lower) and own.begins_at(held.upper)))
        reading = Reading(
            replace(policy, interval=own.interval.text),
            tuple(_because(own, why, whose, ends)),
            tuple(crossing),
            len(taken),
        )
        yield replace(reading, timely=timely and reading.rank[1] < _CLOCKED)


def _shifted(own: Grid) -> bool:
    cut = own.interval
    whole = isinstance(cut, Span) and cut.clocked and cut.length % timedelta(days=1) == timedelta()
    return whole and not isinstance(own.key, WallClock)


def _hour(point: datetime) -> bool:
    return not (point.minute or point.second or point.microsecond)


def _any_interval(base: Partitioning, table: Table) -> str:
    column = table.column(base.control)
    numbers = column is not None and column.type.partition("(")[0] in NUMBERS and not base.encoding
    return "1" if numbers else "1 day"


def _intervals(
    lines: Grid, newest: Sequence[Window], given: Mapping[str, Any], told: Sequence[Told]
) -> Iterator[tuple[str, str | None, str]]:
    """Intervals with origins, and where they were seen."""

    def with_origins(interval: str, why: str, begin: Point | None) -> Iterator[tuple[str, str | None, str]]:
        if given.get("origin"):
            yield interval, given["origin"], why
            return
        yield interval, None, why
        if begin is not None:
            yield interval, _origin(lines, begin), why

    last = newest[0][0] if newest else None
    if given.get("interval"):
        yield from with_origins(given["interval"], "given", last)
        return
    for hint in told:
        yield from with_origins(hint.policy.interval, f"as {hint.who} says", last)
    seen: set[str] = set()
    for lower, upper, partition in newest:
        for interval in _widths(lines, lower, upper):
            if interval not in seen and len(seen) < _WIDTHS_TRIED:
                seen.add(interval)
                yield from with_origins(interval, f"as wide as {partition.name}", lower)


def _wall(lines: Grid, point: datetime) -> datetime:
    return point.astimezone(lines.key.calendar).replace(tzinfo=None)


def _widths(lines: Grid, lower: Point, upper: Point) -> Iterator[str]:
    if lines.of_ids:
        yield str(upper - lower)
        return
    first, last = _wall(lines, lower), _wall(lines, upper)
    months = (last.year - first.year) * 12 + last.month - first.month
    if first.time() == last.time() == time() and first.day == last.day <= 28 and months > 0:
        yield Months(months, lines.policy.zone).text
    if last - first >= timedelta(minutes=1):
        yield Span(last - first, lines.policy.zone).text


def _origin(lines: Grid, begin: Point) -> str:
    if lines.of_ids:
        return str(begin)
    return _wall(lines, begin).isoformat(sep=" ").removesuffix(" 00:00:00")


def _because(own: Grid, why: str, whose: str, ends: Sequence[Point]) -> Iterator[str]:
    policy = own.policy
    yield f"interval {own.interval.text}: {why}"
    if policy.origin:
        yield f"origin {policy.origin}: some range begins there"
    if policy.encoding:
        yield f"encoding {policy.encoding}: its bounds hold moments so"
    if policy.retention:
        kept = f"move to schema {policy.retention_schema}" if policy.retention_schema else "stay as tables"
        fate = kept if policy.retention_keep_table or policy.retention_schema else "are dropped"
        yield f"retention {policy.retention}: partitions that end before it are detached, and {fate}"
    if own.of_ids:
        return
    zone = f"time zone {policy.timezone}: {whose}"
    if isinstance(own.key, WallClock):
        yield f"{zone}; bounds of a clock without a zone do not tell it"
    else:
        yield (
            f"{zone}; its bounds are midnights there" if all(_wall(own, end).time() == time() for end in ends) else zone
        )


def adopt(
    reading: Reading,
    registered: Partitioning | None,
    sets: Sequence[tuple[Partitioning, Table, Point]],
    has_config: Stored,
    missing_rights: Collection[str],
    told: Sequence[Told],
    *,
    take_over: bool,
    leave_irregular: bool,
) -> Plan:
    """Register what was read off the bounds.

    Args:
        reading: the policy, and what does not fit its boundaries.
        registered: the policy that it has already.
        sets: each partitioned table that it stands for, as observed, and where its present lies.
        has_config: whether part_config exists, as this version makes it.
        missing_rights: privileges that the current role lacks.
        told: what other tools have written down about it.
        take_over: turn pg_partman's maintenance of it off.
        leave_irregular: past partitions need not fit the boundaries.

    Raises:
        PlanError: partitions do not fit, the policy does not agree with what exists, or pg_partman would stumble
            over the names of new ones.
    """
    policy = reading.policy
    for hint in told:
        if hint.maintained and hint.other_names and not take_over:
            raise PlanError(
                f"{hint.who} maintains {policy.parent} by the dates in its partitions' names, and its maintenance of "
                f"all sets would fail at the first new name. --take-over turns its maintenance of {policy.parent} off."
            )
    if reading.irregular:
        ahead = _regular_ahead(reading, sets)
        if not (ahead and leave_irregular):
            raise _refusal(reading, sets, ahead)
    stop = tuple(StopPartman(hint.config, policy.parent) for hint in told if hint.config and hint.maintained)
    plan = set_policy(policy, registered, sets, has_config, missing_rights)
    return replace(plan, title=f"adopt {policy.parent}", steps=(*plan.steps, *(stop if take_over else ())))


def as_told(registered: Partitioning, told: Partitioning) -> Partitioning:
    """Return the policy of a table that comes back from pg_partman: what it knows as it has it, the rest as it was.

    Args:
        registered: the policy that stayed in schema_kit's part_config.
        told: what pg_partman's says now.
    """
    return replace(
        registered,
        premake=told.premake,
        inherit_privileges=told.inherit_privileges,
        retention=told.retention,
        retention_keep_table=told.retention_keep_table,
        retention_schema=told.retention_schema,
    )


def _regular_ahead(reading: Reading, sets: Sequence[tuple[Partitioning, Table, Point]]) -> bool:
    """Return whether new partitions would go on where the newest one of each partitioned table ends."""
    for one, table, _ in sets:
        lines = grid(one, table)
        ends: dict[Point, Partition] = {lines.range_of(p).upper: p for p in table.partitions if p.upper is not None}
        if ends and ends[max(ends)] in reading.irregular:
            return False
    try:
        return not any(obstacles(grid(one, table), table, here) for one, table, here in sets)
    except PlanError:
        return False


def _refusal(reading: Reading, sets: Sequence[tuple[Partitioning, Table, Point]], regular_ahead: bool) -> PlanError:
    policy, lines = reading.policy, grid(reading.policy, sets[0][1])
    listed = [f"  - {partition.name} from {lines.span(partition)}" for partition in reading.irregular[:_LISTED]]
    if len(reading.irregular) > _LISTED:
        listed.append(f"  - and {len(reading.irregular) - _LISTED} more")
    remedy = "They reach into the current range, so no policy could continue from them" + _offsets(sets)
    if regular_ahead:
        remedy = "All from the current one on are regular: --leave-irregular adopts the table and ignores them"
    return PlanError(
        f"{len(reading.irregular)} of {reading.total} partitions of {policy.parent} lie across the ranges of "
        f"{policy.interval} ({policy.timezone}), which fit best:\n" + "\n".join(listed) + "\n"
        f"{remedy}; --interval, --timezone and --origin say what it is."
    )


def _offsets(sets: Sequence[tuple[Partitioning, Table, Point]]) -> str:
    """Return how far from UTC their midnights are, where that is one distance, or two for summer and winter."""
    found = set()
    for one, table, _ in sets:
        lines = grid(one, table)
        if not isinstance(lines.key, Moments):
            return ""
        held = [lines.range_of(partition) for partition in table.partitions if not partition.default]
        found |= {(24 - end.hour) * 60 - end.minute for each in held for end in (each.lower, each.upper) if end}
    ahead = sorted({(minutes + 600) % 1440 - 600 for minutes in found})
    if not 1 <= len(ahead) <= 2:
        return ""
    return ". Its bounds are midnights of UTC" + " and UTC".join(f"{m // 60:+03}:{m % 60:02}" for m in ahead)
