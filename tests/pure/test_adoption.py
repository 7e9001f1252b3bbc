"""Policies read off bounds, of each kind of key."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.errors import PlanError
from schema_kit.intervals import parse
from schema_kit.keys import key_for
from schema_kit.model import Column, Partition, Partitioning, Stored, Table, Told
from schema_kit.model.grid import grid
from schema_kit.plans.adoption import adopt, read_bounds
from tests.support.shapes import AWARE, NOW, name

pytestmark = pytest.mark.partitions

T = name("public.t")
NAIVE = "timestamp without time zone"
ZONES = (("America/New_York", "the database's"), ("Asia/Bangkok", "the session's"), ("Mars/Base", "nobody's"))


def table(kind: str, *bounds: str | None) -> Table:
    parts = (Partition(name(f"public.t{n}"), *ends) for n, ends in enumerate(pairwise(bounds)))
    return Table(T, (Column("k", kind, not_null=True),), ("k",), "r", partitions=tuple(parts))


def at(zone: str, *moments: str) -> tuple[str, ...]:
    """Bounds as the catalog prints them, of what a clock of that zone shows."""
    key = key_for(AWARE, ZoneInfo("UTC"), "k")
    return tuple(key.encode(datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))) for moment in moments)


def snowflake(milliseconds: int) -> str:
    return str((milliseconds - 1288834974657) << 22)


def ulid(moment: str) -> str:
    return key_for("text", ZoneInfo("UTC"), "k", "ulid").encode(
        datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo("UTC"))
    )


MONTHS = ("2026-09-01", "2026-10-01", "2026-11-01", "2026-12-01", "2027-01-01")


@pytest.mark.parametrize(
    ("kind", "bounds", "expected"),
    [
        (AWARE, at("UTC", *MONTHS), ("1 mon", "UTC", None, "")),
        (AWARE, at("Asia/Bangkok", *MONTHS), ("1 mon", "Asia/Bangkok", None, "")),
        (AWARE, at("America/New_York", *MONTHS), ("1 mon", "America/New_York", None, "")),
        (AWARE, (None, *at("UTC", *MONTHS), None), ("1 mon", "UTC", None, "")),
        (AWARE, at("Asia/Bangkok", "2026-10-31", "2026-11-01", "2026-11-02"), ("1 day", "Asia/Bangkok", None, "")),
        (AWARE, at("UTC", "2026-11-01", "2027-02-01", "2027-05-01"), ("3 mons", "UTC", "2027-02-01", "")),
        (AWARE, at("UTC", "2026-10-01", "2027-01-01", "2027-04-01"), ("3 mons", "UTC", None, "")),
        (AWARE, at("UTC", "2026-11-05", "2026-12-05"), ("1 mon", "UTC", "2026-11-05", "")),
        (AWARE, at("UTC", "2027-02-01", "2027-03-01"), ("1 mon", "UTC", None, "")),
        (AWARE, at("UTC", "2027-01-04", "2027-02-01", "2027-03-01"), ("28 days", "UTC", "2027-02-01", "")),
        (AWARE, at("UTC", "2026-11-15", "2026-11-22", "2026-11-29"), ("7 days", "UTC", "2026-11-22", "")),
        (AWARE, at("UTC", "2026-11-16", "2026-11-23", "2026-11-30"), ("7 days", "UTC", None, "")),
        (
            AWARE,
            at("America/New_York", "2026-11-21 05:00", "2026-11-21 17:00", "2026-11-22 05:00"),
            ("12:00:00", "America/New_York", "2026-11-21 17:00:00", ""),
        ),
        (AWARE, at("UTC", "2026-11-21 11:15", "2026-11-21 11:30"), ("00:15:00", "America/New_York", None, "")),
        (AWARE, at("UTC", "2020-01-01", "2025-01-01", "2026-01-01", "2026-02-01"), ("1 mon", "UTC", None, "")),
        (NAIVE, tuple(f"{month} 00:00:00" for month in MONTHS), ("1 mon", "America/New_York", None, "")),
        ("date", ("2025-01-01", "2026-01-01", "2027-01-01"), ("1 year", "America/New_York", None, "")),
        ("bigint", ("0", "100000", "200000"), ("100000", "America/New_York", None, "")),
        ("bigint", ("1", "1001", "2001"), ("1000", "America/New_York", "1001", "")),
        ("bigint", ("1200000000", "1260000000"), ("60000000", "America/New_York", None, "")),
        ("numeric(20,0)", ("0", "500", "1000"), ("500", "America/New_York", None, "")),
        ("integer", ("1790812800", "1793491200", "1796083200"), ("1 mon", "UTC", None, "seconds")),
        ("bigint", ("1793491200000", "1793577600000"), ("1 day", "UTC", None, "milliseconds")),
        ("bigint", ("1793491200000000", "1793494800000000"), ("01:00:00", "America/New_York", None, "microseconds")),
        ("bigint", ("1793491200000000000", "1796083200000000000"), ("1 mon", "UTC", None, "nanoseconds")),
        ("bigint", (snowflake(1793491200000), snowflake(1796083200000)), ("1 mon", "UTC", None, "snowflake")),
        ("text", (ulid("2026-11-01"), ulid("2026-12-01")), ("1 mon", "UTC", None, "ulid")),
    ],
)  # fmt: skip
def test_the_smallest_policy_on_whose_boundaries_all_bounds_lie(
    kind: str, bounds: tuple[str | None, ...], expected: tuple[Any, ...]
) -> None:
    reading = read_bounds(T, "k", [table(kind, *bounds)], {}, (), ZONES)
    policy = reading.policy
    assert (policy.interval, policy.timezone, policy.origin, policy.encoding) == expected
    assert reading.irregular == ()
    assert reading.because[0].startswith(f"interval {expected[0]}: as wide as public.t")


def test_what_is_given_goes_before_what_was_recorded_and_that_before_what_is_seen() -> None:
    one = table("date", "2026-01-01", "2026-02-01", "2026-03-01")
    told = Told(Partitioning(T, "k", "7 days", premake=9, inherit_privileges=True), "pg_partman's x.part_config")
    seen = read_bounds(T, "k", [one], {}, (told,), ZONES)
    assert (seen.policy.interval, seen.policy.premake, seen.policy.inherit_privileges) == ("1 mon", 9, True)
    right = Told(Partitioning(T, "k", "1 day"), "pg_partman's x.part_config")
    assert (
        "interval 1 day: as pg_partman's x.part_config says" in read_bounds(T, "k", [one], {}, (right,), ZONES).because
    )
    said = read_bounds(T, "k", [one], {"interval": "1 day", "timezone": "UTC", "premake": 2}, (told,), ZONES)
    assert (said.policy.interval, said.policy.timezone, said.policy.premake) == ("1 day", "UTC", 2)
    assert "interval 1 day: given" in said.because


def test_days_that_begin_at_another_hour_are_another_zone_s() -> None:
    one = table(AWARE, *at("Asia/Kathmandu", "2026-11-20", "2026-11-21", "2026-11-22"))
    reading = read_bounds(T, "k", [one], {}, (), ZONES)
    assert len(reading.irregular) == 2
    with pytest.raises(PlanError, match=r"Its bounds are midnights of UTC\+05:45"):
        adopt(
            reading, None, [(reading.policy, one, NOW)], Stored.CURRENT, (), (), take_over=False, leave_irregular=True
        )
    said = read_bounds(T, "k", [one], {"timezone": "UTC"}, (), ZONES)
    assert (said.policy.origin, said.irregular) == ("2026-11-20 18:15:00", ())


def test_irregular_ones_are_named_and_left_only_where_the_current_range_is_regular() -> None:
    ends = ("2026-01-01", "2026-03-10", "2026-10-01", "2026-11-01", "2026-12-01")
    for bounds, ahead in ((ends, True), ((*ends, "2027-01-09"), False)):
        one = table("date", *bounds)
        reading = read_bounds(T, "k", [one], {"timezone": "UTC"}, (), ZONES)
        sets = [(reading.policy, one, grid(reading.policy, one).here(NOW))]
        with pytest.raises(PlanError) as caught:
            adopt(reading, None, sets, Stored.CURRENT, (), (), take_over=False, leave_irregular=False)
        assert "  - public.t0 from 2026-01-01 to 2026-03-10" in str(caught.value)
        assert ("--leave-irregular" in str(caught.value)) is ahead
        if ahead:
            assert adopt(reading, None, sets, Stored.CURRENT, (), (), take_over=False, leave_irregular=True)
        else:
            with pytest.raises(PlanError, match="They reach into the current range"):
                adopt(reading, None, sets, Stored.CURRENT, (), (), take_over=False, leave_irregular=True)


INTERVALS = ("1 day", "7 days", "2 weeks", "1 month", "3 months", "1 year", "1 hour", "15 minutes", "12 hours")


@given(
    st.sampled_from(INTERVALS),
    st.sampled_from(("UTC", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Asia/Bangkok")),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(ZoneInfo("UTC"))),
    st.integers(3, 30),
)
def test_what_a_policy_has_made_is_read_as_one_that_makes_the_same(
    interval: str, zone: str, start: datetime, count: int
) -> None:
    made = Partitioning(T, "k", interval, zone)
    lines = grid(made, table(AWARE))
    edges = [lines.interval.shift(lines.interval.floor(start), n) for n in range(count)]
    bounds = [lines.key.encode(edge) for edge in dict.fromkeys(edges)]
    one = table(AWARE, *bounds)
    reading = read_bounds(T, "k", [one], {}, (), ((zone, "the database's"),))
    assert reading.irregular == ()
    own = grid(reading.policy, one)
    if parse(interval, zone).text == reading.policy.interval:
        assert own.interval.shift(edges[-1], 1) == lines.interval.shift(edges[-1], 1)
    else:  # days around a change of clocks, February as 28 days, ...: no partition says otherwise
        assert all(own.begins_at(edge) for edge in edges)
