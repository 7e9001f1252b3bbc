"""A bound's text goes out and comes back as the moment that it was, for each type of key column."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.errors import PlanError
from schema_kit.intervals import parse
from schema_kit.keys import TYPES, Key, key_for

ZONES = ["UTC", "Asia/Bangkok", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Havana"]
AWARE, NAIVE, DATE = TYPES

zones = st.sampled_from(ZONES).map(ZoneInfo)
types = st.sampled_from(TYPES)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def at(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment.astimezone(UTC)


@given(zones, moments)
def test_timestamptz_keeps_every_moment(zone: ZoneInfo, moment: datetime) -> None:
    key = Key(AWARE, zone)
    assert at(key.decode(key.encode(moment))) == moment
    assert key.encode(moment).endswith("+00"), "whatever TimeZone the session has, it means the same"
    assert key.encode(moment.astimezone(zone)) == key.encode(moment)


@given(zones, moments)
def test_timestamp_keeps_the_wall_clock_of_the_zone(zone: ZoneInfo, moment: datetime) -> None:
    key = Key(NAIVE, zone)
    text = key.encode(moment)
    assert datetime.fromisoformat(text) == moment.astimezone(zone).replace(tzinfo=None)
    back = key.decode(text)
    assert back is not None
    assert key.encode(back) == text
    if moment.astimezone(zone).fold == 0:
        assert at(back) == moment


@given(zones, moments)
def test_date_keeps_the_day_of_the_zone(zone: ZoneInfo, moment: datetime) -> None:
    key = Key(DATE, zone)
    text = key.encode(moment)
    assert text == moment.astimezone(zone).date().isoformat()
    back = key.decode(text)
    assert back is not None
    assert key.encode(back) == text
    assert at(back) == at(parse("1 day", zone.key).floor(moment))


@given(types, zones, moments, st.sampled_from(["1 day", "7 days", "1 month", "1 year"]))
def test_the_start_of_a_window_comes_back_whatever_the_type(
    kind: str, zone: ZoneInfo, moment: datetime, interval: str
) -> None:
    key, cut = Key(kind, zone), parse(interval, zone.key)
    for start in (cut.floor(moment), cut.shift(cut.floor(moment), 3)):
        assert at(key.decode(key.encode(start))) == at(start)


@pytest.mark.parametrize(
    ("kind", "day"), [(NAIVE, "2026-04-24 00:00:00"), (DATE, "2026-04-24"), (AWARE, "2026-04-23 22:00:00+00")]
)
def test_a_day_without_a_midnight(kind: str, day: str) -> None:
    key = Key(kind, ZoneInfo("Africa/Cairo"))
    start = parse("1 day", "Africa/Cairo").floor(datetime(2026, 4, 24, 12, tzinfo=UTC))
    assert key.encode(start) == day
    assert at(key.decode(day)) == datetime(2026, 4, 23, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (AWARE, "2026-11-01 00:00:00+00", datetime(2026, 11, 1, tzinfo=UTC)),
        (AWARE, "2026-11-01 10:20:30.1+00", datetime(2026, 11, 1, 10, 20, 30, 100_000, tzinfo=UTC)),
        (AWARE, "2026-11-01 10:20:30.123456+00", datetime(2026, 11, 1, 10, 20, 30, 123_456, tzinfo=UTC)),
        (AWARE, "2026-11-01 00:00:00+05:45", datetime(2026, 10, 31, 18, 15, tzinfo=UTC)),
        (NAIVE, "2026-11-01 00:00:00", datetime(2026, 10, 31, 17, tzinfo=UTC)),
        (NAIVE, "2026-11-01 00:00:00.12345", datetime(2026, 10, 31, 17, 0, 0, 123_450, tzinfo=UTC)),
        (DATE, "2026-11-01", datetime(2026, 10, 31, 17, tzinfo=UTC)),
    ],
)
def test_what_postgresql_prints_is_read(kind: str, text: str, expected: datetime) -> None:
    assert at(Key(kind, ZoneInfo("Asia/Bangkok")).decode(text)) == expected


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("text", ["infinity", "-infinity"])
def test_infinity_is_no_moment(kind: str, text: str) -> None:
    assert Key(kind, ZoneInfo("UTC")).decode(text) is None


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("text", ["0044-03-15 BC", "10000-01-01", "294276-12-31", "garbage"])
def test_a_date_beyond_the_calendar_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(PlanError, match=text):
        Key(kind, ZoneInfo("UTC")).decode(text)


@pytest.mark.parametrize("precision", ["", "(0)", "(3)", "(6)"])
def test_a_precision_does_not_matter(precision: str) -> None:
    zone = ZoneInfo("UTC")
    assert key_for(f"timestamp{precision} with time zone", zone, "at") == Key(AWARE, zone)
    assert key_for(f"timestamp{precision} without time zone", zone, "at") == Key(NAIVE, zone)


@pytest.mark.parametrize("precision", [1, 2, 4, 5])
def test_no_precision_matters(precision: int) -> None:
    zone = ZoneInfo("UTC")
    assert key_for(f"timestamp({precision}) with time zone", zone, "at") == Key(AWARE, zone)


def test_date_has_a_codec() -> None:
    assert key_for("date", ZoneInfo("UTC"), "day") == Key(DATE, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "kind", ["bigint", "text", "uuid", "time without time zone", "timestamp with time zone[]", "tstzrange"]
)
def test_a_type_that_holds_no_time_is_refused_with_column_and_type(kind: str) -> None:
    with pytest.raises(PlanError) as caught:
        key_for(kind, ZoneInfo("UTC"), "created_at")
    assert "'created_at'" in str(caught.value)
    assert kind in str(caught.value)
    assert "Nothing was changed" in str(caught.value)


def test_neighbours_in_time_stay_neighbours_in_text() -> None:
    key, cut = Key(AWARE, ZoneInfo("Asia/Bangkok")), parse("1 month", "Asia/Bangkok")
    start = cut.floor(datetime(2026, 11, 22, tzinfo=UTC))
    texts = [key.encode(cut.shift(start, count)) for count in range(24)]
    assert texts == sorted(texts)
    assert at(key.decode(texts[1])) - at(key.decode(texts[0])) == timedelta(days=30)
