"""The picture of a table, from models alone: honest sums, stable lines, any width, any name."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from schema_kit.cli.partitions.timeline import _ASCII, _BLOCKS, _lines, _short, bar
from schema_kit.model import Column, Partition, Partitioning, Range, Table, Watched
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans.timeline import Segment, folded, timeline, together
from tests.support.shapes import AWARE

pytestmark = [pytest.mark.partitions, pytest.mark.cli]

PARENT = QualifiedName("app", "ข้อความ [b]")
POLICY = Partitioning(PARENT, "k", "1 day", "Asia/Bangkok", premake=3, retention="2000 days")
TABLE = Table(PARENT, (Column("k", AWARE, True),), ("k",), "r")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


@cache
def days(count: int, holes: tuple[int, ...] = (), ahead: int = 3) -> Watched:
    """So many days up to today and *ahead* of it, but for *holes*; in no order."""
    lines = grid(POLICY, TABLE)
    start = lines.interval.shift(lines.interval.floor(NOW), ahead + 1 - count)
    parts = []
    for place in range(count):
        following = lines.interval.shift(start, 1)
        if place not in holes:
            own = QualifiedName("app", f"ข้อความ [b]_p{place}")
            past = place < count - ahead
            parts.append(
                Partition(
                    own,
                    lines.key.encode(start),
                    lines.key.encode(following),
                    rows=place * 10 if past else 0,
                    bytes=place * 8192 if past else 8192,
                )
            )
        start = following
    random.Random(count).shuffle(parts)
    return Watched(POLICY, PARENT, replace(TABLE, partitions=tuple(parts)), NOW, now=NOW)


def states(seen: Watched) -> list[str]:
    return [segment.state for segment in timeline(seen).segments]


def test_what_is_past_current_premade_missing_and_a_gap() -> None:
    assert states(days(6)) == ["past", "past", "current", "premade", "premade", "premade"]
    assert states(days(6, (0,))) == states(days(5)) == ["past", "current", "premade", "premade", "premade"]
    assert states(days(6, (1,))) == ["past", "gap", "current", "premade", "premade", "premade"]
    assert states(days(6, (2, 4))) == ["past", "past", "missing", "premade", "missing", "premade"]
    assert states(days(6, (1, 2))) == ["past", "gap", "missing", "premade", "premade", "premade"]
    default = Partition(QualifiedName("app", "rest"), None, None, default=True, rows=-1)
    healthy = days(4)
    assert healthy.table
    table = replace(healthy.table, partitions=(default, *healthy.table.partitions))
    assert states(replace(healthy, table=table))[-1] == "default"
    assert states(replace(healthy, table=table))[0] == "current"


def test_what_retention_takes_and_what_it_takes_next() -> None:
    drawn = timeline(replace(days(40), policy=replace(POLICY, retention="30 days")))
    assert [one.state for one in drawn.segments][:7] == ["due"] * 6 + ["past"]
    assert drawn.next_to_go is not None
    assert drawn.lines is not None
    name, at = drawn.next_to_go
    assert (name.name, drawn.lines.shown(at)) == ("ข้อความ [b]_p6", "2026-11-23")
    months = timeline(replace(days(40), policy=replace(POLICY, retention="1 month")))
    assert months.next_to_go is not None
    assert [one.state for one in months.segments].count("due") == 5
    assert timeline(replace(days(40), policy=replace(POLICY, retention=None))).next_to_go is None


def test_three_thousand_partitions_are_folded_and_nothing_is_lost() -> None:
    drawn = timeline(days(3000, holes=(2500, 2501)))
    shown = folded(drawn.segments)
    assert len(shown) < 60
    assert sum(one.partitions for one in shown) == sum(one.partitions for one in drawn.segments) == 2998
    assert sum(one.bytes for one in shown) == sum(one.bytes for one in drawn.segments)
    assert sum(one.rows or 0 for one in shown) == sum(one.rows or 0 for one in drawn.segments)
    assert [one.windows for one in shown if one.state == "gap"] == [2]
    assert any(text.endswith("… 986 partitions, due") for text, _ in _lines(drawn, 100, _BLOCKS)), shown
    assert [one.name for one in shown if one.name][-1] == QualifiedName("app", "ข้อความ [b]_p2999")


def test_every_other_day_missing_is_folded_too() -> None:
    drawn = timeline(days(1000, holes=tuple(range(1, 990, 2))))
    shown = folded(drawn.segments)
    assert len(shown) == 60
    assert shown[0].state == "several"
    assert sum(one.partitions for one in shown) == 1000 - len(range(1, 990, 2))
    assert sum(one.windows for one in shown) == len(range(1, 990, 2))


def test_five_partitions_are_not_folded() -> None:
    assert folded(timeline(days(5)).segments) == list(timeline(days(5)).segments)


@pytest.mark.parametrize("width", [60, 61, 79, 80, 100, 133, 200])
@pytest.mark.parametrize("blocks", [_BLOCKS, _ASCII])
@pytest.mark.parametrize("count", [4, 5, 40, 400])
def test_lines_are_never_wider_than_they_may_be(width: int, blocks: str, count: int) -> None:
    drawn = timeline(days(count, holes=(1,) if count > 5 else ()))
    lines = [text for text, _ in _lines(drawn, width, blocks)]
    assert max(map(cell_len, lines)) <= width
    assert lines == [text for text, _ in _lines(drawn, width, blocks)], "stable"
    if blocks == _ASCII:
        assert not set("".join(lines)) & set(_BLOCKS + "…")
    assert any(text.startswith(">") for text in lines)


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(6, 60), st.sampled_from([_BLOCKS, _ASCII]))
def test_bars_are_true_to_their_scale(value: int, most: int, width: int, blocks: str) -> None:
    value = min(value, most)
    drawn = bar(value, most, width, blocks)
    assert len(drawn) <= width
    assert bool(drawn) is (value > 0)
    if value == most > 0:
        assert drawn == blocks[-1] * width
    assert len(bar(value // 2, most, width, blocks)) <= len(drawn)


def test_unknown_rows_stay_unknown() -> None:
    one, other = Segment("past", Range(1, 2), None, 1, 0, None, 5), Segment("past", Range(2, 3), None, 1, 0, 7, 6)
    both = together([one, other])
    assert (both.rows, both.bytes, both.partitions, both.range) == (None, 11, 2, Range(1, 3))
    assert [_short(count) for count in (None, 0, 9999, 10_000, 1_234_567, 5 * 10**9, 123 * 10**6)] == [
        "?",
        "0",
        "9,999",
        "10.0 k",
        "1.2 M",
        "5.0 G",
        "123 M",
    ]


def test_ids_and_ends_that_are_none() -> None:
    policy = Partitioning(PARENT, "k", "1000", premake=1, retention="2000")
    parts = (
        Partition(QualifiedName("other", "a"), "1000", "2000"),
        Partition(QualifiedName("app", "b"), None, "1000"),
        Partition(QualifiedName("app", "c"), "2000", "3000"),
        Partition(QualifiedName("app", "d"), "10000", "11000"),
    )
    table = replace(TABLE, columns=(Column("k", "bigint", True),), partitions=parts)
    drawn = timeline(Watched(policy, PARENT, table, 3900, now=NOW))
    assert [one.state for one in drawn.segments] == ["due", "past", "past", "missing", "missing", "premade"]
    assert drawn.next_to_go == (QualifiedName("other", "a"), 4000)
    lines = [text for text, _ in _lines(drawn, 80, _BLOCKS)]
    assert lines[0].split()[1] == "MINVALUE"
    assert lines[1].endswith("other.a"), "the schema, where it is another one"


def test_without_a_picture_there_is_a_sentence() -> None:
    assert timeline(Watched(POLICY, PARENT)).trouble == ('there is no table app."ข้อความ [b]"',)
    assert "is not an interval" in timeline(replace(days(4), policy=replace(POLICY, interval="soon"))).trouble[0]
    blind = timeline(replace(days(4), here=None, unseen=("no right",)))
    assert ([one.state for one in blind.segments], blind.trouble) == (["unknown"] * 4, ("no right",))
