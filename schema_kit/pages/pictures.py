"""The pictures of a report: partitions over time, and how the database grows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from schema_kit.intervals import Point
from schema_kit.pages import axes, svg
from schema_kit.pages.facts import Seen
from schema_kit.pages.growth import DAYS
from schema_kit.pages.html import Html
from schema_kit.pages.outlook import Outlook
from schema_kit.pages.svg import Bar, Mark
from schema_kit.plans.timeline import Segment, Timeline, together
from schema_kit.sizes import pretty

MOST_BARS = 120
"""Bars of one picture; of more partitions neighbours of one state are drawn as one."""

_TOP, _HEIGHT = 22, 96
_KINDS = {
    "past": "past-bar",
    "several": "past-bar",
    "current": "current-bar",
    "premade": "ahead-bar",
    "due": "due-bar",
    "to archive": "due-bar",
    "detach pending": "due-bar",
    "gap": "missing-bar",
    "missing": "missing-bar",
    "unknown": "odd-bar",
}
_LEAST = {"premade": 0.1, "missing": 1.0, "gap": 1.0}
"""How high a bar is at least, where what it stands for is not its size."""


def partitions(key: str, one: Timeline, now: datetime, said: str) -> Html:
    """Return the partitions of a table as bars, as high as each is big.

    Args:
        key: an id of its own.
        one: the partitioned table.
        now: the server's clock.
        said: what it shows, for those who do not see it.
    """
    segments = [each for each in one.segments if each.range.lower is not None or each.range.upper is not None]
    ends = [end for each in segments for end in (each.range.lower, each.range.upper) if end is not None]
    if len(ends) < 2 or one.lines is None:
        return Html("")
    begin, end = min(ends), max(ends)
    here = None if one.lines.of_ids else one.lines.key.point(now)
    begin = begin if here is None else min(begin, here)
    if any(each.range.lower is None for each in segments):
        with suppress(OverflowError):  # the calendar begins there
            begin -= (end - begin) / 4 if isinstance(begin, datetime) else (end - begin) // 4
    wide = (end - begin) / MOST_BARS
    if len(segments) > MOST_BARS:
        segments = _folded(segments, begin, wide)
    length = median(
        [_number(each.range.upper) - _number(each.range.lower) for each in segments if _ends(each)] or [1.0]
    )

    def at(point: Point) -> float:
        return float(min(max((point - begin) / (end - begin), 0.0), 1.0))

    def dense(each: Segment) -> float:
        """Bytes in a usual range: a wide partition is not drawn as if all of it had come at once."""
        own = _number(each.range.upper) - _number(each.range.lower) if _ends(each) else length
        return each.bytes * min(length / own, 1.0) if own > 0 else 0.0

    most = max(map(dense, segments), default=0.0) or 1.0
    bars = defaultdict[str, list[Bar]](list)
    for each in segments:
        left = 0.0 if each.range.lower is None else at(each.range.lower)
        right = 1.0 if each.range.upper is None else at(each.range.upper)
        gap = min(0.002, (right - left) / 5)
        height = max(dense(each) / most, _LEAST.get(each.state, 0.012 if each.bytes else 0.0))
        bars[_KINDS.get(each.state, "past-bar")].append(Bar(left + gap, right - gap, height))
    drawn = [
        svg.bars(kind, found, f"url(#{key}-s)" if kind == "due-bar" else None) for kind, found in sorted(bars.items())
    ]
    marks = axes.sizes(most, 2)
    shapes = [svg.stripes(f"{key}-s"), *(svg.across("grid", size / most) for size, _ in marks), *drawn]
    shapes += [svg.across("axis", 0.0), *([] if here is None else [svg.upright("now", at(here))])]
    return svg.picture(
        key,
        f"Partitions of {one.policy.parent}",
        said,
        _TOP + _HEIGHT + 20,
        svg.area(f"{key}-a", _TOP, _HEIGHT, *shapes),
        *(_size_label(size / most, label) for size, label in marks),
        [] if here is None else svg.label("now", at(here), _TOP - 8, "here"),
        svg.below(_axis(one, begin, end, at), _TOP + _HEIGHT + 15),
    )


def _size_label(at: float, label: str) -> Html:
    return svg.label(label, 0.0, _TOP + _HEIGHT * (1 - at) - 3)


def _ends(each: Segment) -> bool:
    return each.range.lower is not None and each.range.upper is not None


def _number(point: Any) -> float:
    return point.timestamp() if isinstance(point, datetime) else float(point)


def _folded(segments: Sequence[Segment], begin: Any, wide: Any) -> list[Segment]:
    """Neighbours of one state in one place of the picture, as one."""
    groups = dict[tuple[str, int], list[Segment]]()
    for each in segments:
        lower = begin if each.range.lower is None else each.range.lower
        groups.setdefault((each.state, int((lower - begin) / wide)), []).append(each)
    return [replace(together(group), state=group[0].state) for group in groups.values()]


def _axis(one: Timeline, begin: Any, end: Any, at: Any) -> list[Mark]:
    assert one.lines is not None  # there are segments
    if one.lines.of_ids:
        return [Mark(at(number), label) for number, label in axes.numbers(begin, end)]
    return [Mark(at(moment), label) for moment, label in axes.dates(begin, end, one.policy.zone)]


def forecast(key: str, seen: Seen, found: Outlook, said: str) -> Html:
    """Return the size of the database: what is known of it, and what is likely.

    Args:
        key: an id of its own.
        seen: what was read.
        found: what was worked out of it.
        said: what it shows, for those who do not see it.
    """
    reach = timedelta(days=seen.period.ahead)
    begin, end = seen.at - reach, seen.at + reach
    past = [(one.at, float(one.bytes)) for one in seen.samples.get("", ()) if one.at >= begin]
    past = [*past, (seen.at, float(seen.bytes))]
    begin = max(begin, past[0][0]) if len(past) > 1 else seen.at - reach / 10
    days = [n for n, day in enumerate(DAYS) if day <= seen.period.ahead]
    times = [seen.at, *(seen.at + timedelta(days=DAYS[n]) for n in days)]

    def ahead(curve: Sequence[float]) -> list[float]:
        return [float(seen.bytes), *(max(seen.bytes + curve[n], 0.0) for n in days)]

    likely, low, high = map(ahead, (found.likely, found.low, found.high))
    limit = seen.bytes + seen.disk.room if seen.disk else None
    shown = limit is not None and limit < 3 * max(high)
    most = 1.12 * max([*high, *(size for _, size in past), *([limit] if shown and limit else [])]) or 1.0

    def points(moments: Sequence[datetime], sizes: Sequence[float]) -> list[svg.Point]:
        return [((moment - begin) / (end - begin), size / most) for moment, size in zip(moments, sizes, strict=True)]

    marks, here, height = axes.sizes(most, 4), (seen.at - begin) / (end - begin), 190
    shapes = [
        svg.band("band", points(times, low), points(times, high)),
        *(svg.across("grid", size / most) for size, _ in marks),
        svg.line("past", points([at for at, _ in past], [size for _, size in past])),
        svg.line("ahead", points(times, likely)),
        svg.across("axis", 0.0),
        svg.upright("now", here),
    ]
    labels = [svg.label(label, 0.0, _TOP + height * (1 - size / most) - 3) for size, label in marks]
    if shown and limit is not None:
        shapes.append(svg.across("limit", limit / most))
        labels.append(
            svg.label(f"disk full: {pretty(limit)}", 1.0, _TOP + height * (1 - limit / most) - 5, "here", "end")
        )
    labels.append(svg.label("now", here, _TOP - 8, "here"))
    axis = [Mark((moment - begin) / (end - begin), label) for moment, label in axes.dates(begin, end, UTC)]
    title = f"Size of {seen.database}, and its forecast"
    return svg.picture(
        key,
        title,
        said,
        _TOP + height + 20,
        svg.area(f"{key}-a", _TOP, height, *shapes),
        labels,
        svg.below(axis, _TOP + height + 15),
    )
