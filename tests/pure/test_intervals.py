"""The two laws of intervals, over kinds, time zones and a hundred and thirty years of keys."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Ids, Interval, Months, Span, parse
from tests.support.points import CLOCKED, KINDS, LOSES_A_DAY, SKIPS_MIDNIGHT, ZONES

pytestmark = pytest.mark.partitions

kinds = st.sampled_from(KINDS)
clocked = st.sampled_from(CLOCKED)
any_kind = st.sampled_from(KINDS + CLOCKED)
origins = st.one_of(
    st.none(),
    st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.date().replace(day=d.day % 28 + 1)),
)
zones = st.sampled_from(ZONES)
keys = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
counts = st.integers(-60, 60)


def at(moment: datetime) -> datetime:
    """The same moment under UTC: Python compares two moments of one zone by their wall clocks alone."""
    return moment.astimezone(UTC)


def around_the_jumps(zone: str, first: int, last: int) -> list[datetime]:
    """Keys just before, at and after each change of the zone's clock."""
    info, found = ZoneInfo(zone), []
    moment = datetime(first, 1, 1, tzinfo=UTC)
    while moment.year < last:
        later = moment + timedelta(hours=12)
        if moment.astimezone(info).utcoffset() != later.astimezone(info).utcoffset():
            low, high = moment, later
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                same = middle.astimezone(info).utcoffset() == low.astimezone(info).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            jump = high.replace(microsecond=0)
            found += [jump + timedelta(minutes=by) for by in (-90, -1, 0, 1, 30, 59, 61, 90)]
            found.append(jump - timedelta(microseconds=1))
        moment = later
    return found


def holds(cut: Interval, key: datetime) -> bool:
    start = cut.floor(key)
    return at(start) <= key < at(cut.shift(start, 1))


@given(any_kind, zones, keys)
@example("1 day", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC))
@example("1 day", "Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC))
@example("1 day", "Pacific/Apia", datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC))
@example("1 day", "Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC))
def test_the_first_law_a_key_lies_in_its_window(kind: str, zone: str, key: datetime) -> None:
    assert holds(parse(kind, zone), key)


@given(any_kind, zones, keys, counts)
@example("1 day", "Pacific/Apia", datetime(2011, 12, 29, 12, tzinfo=UTC), 1)
@example("1 day", "Asia/Beirut", datetime(2026, 3, 28, 12, tzinfo=UTC), 1)
def test_the_second_law_a_shifted_start_is_a_start(kind: str, zone: str, key: datetime, count: int) -> None:
    cut = parse(kind, zone)
    start = cut.shift(cut.floor(key), count)
    assert at(cut.floor(start)) == at(start)


@given(any_kind, zones, keys)
@example("1 day", "America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC))
def test_a_start_means_the_same_whatever_zone_it_is_said_in(kind: str, zone: str, key: datetime) -> None:
    cut = parse(kind, zone)
    start = cut.floor(key)
    assert at(cut.floor(at(start))) == at(start)
    assert at(cut.shift(at(start), 1)) == at(cut.shift(start, 1))
    assert cut.suffix(at(start)) == cut.suffix(start)
    assert at(cut.floor(key.astimezone(ZoneInfo("Pacific/Honolulu")))) == at(start)


@pytest.mark.parametrize("zone", SKIPS_MIDNIGHT + LOSES_A_DAY)
def test_both_laws_hold_around_every_jump_of_the_clock(zone: str) -> None:
    moments = around_the_jumps(zone, 1970, 2040)
    assert moments
    for kind in ("1 day", "7 days", "1 month", "15 minutes", "1 hour", "12 hours"):
        cut = parse(kind, zone)
        broken = [moment for moment in moments if not holds(cut, moment)]
        broken += [moment for moment in moments if not holds(cut, at(cut.shift(cut.floor(moment), 1)))]
        assert not broken


@pytest.mark.parametrize("zone", sorted(available_timezones()))
def test_days_hold_in_every_zone_around_the_jumps_to_come(zone: str) -> None:
    cut = parse("1 day", zone)
    assert all(holds(cut, moment) for moment in around_the_jumps(zone, 2025, 2029))


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Goose_Bay"])
def test_the_first_law_where_midnight_came_twice(zone: str) -> None:
    cut = parse("1 day", zone)
    assert all(holds(cut, moment) for moment in around_the_jumps(zone, 2007, 2008))


@given(kinds, zones, keys, st.integers(1, 40))
@example("1 day", "Pacific/Apia", datetime(2011, 12, 29, 12, tzinfo=UTC), 3)
def test_ranges_tile_without_gap_or_overlap(kind: str, zone: str, key: datetime, count: int) -> None:
    cut = parse(kind, zone)
    at_once = [cut.shift(cut.floor(key), number) for number in range(count + 1)]
    one_by_one = [cut.floor(key)]
    while one_by_one[-1] < at_once[-1]:
        one_by_one.append(cut.shift(one_by_one[-1], 1))
    # The day that an island skipped to change the side of the date line is a window without a moment.
    assert one_by_one == list(dict.fromkeys(at_once))
    assert at_once == sorted(at_once)
    assert len(one_by_one) == len(at_once) or zone in LOSES_A_DAY


@given(clocked, zones, keys, origins)
def test_ranges_of_the_clock_tile_but_for_labels_that_it_skips(
    kind: str, zone: str, key: datetime, origin: date | None
) -> None:
    cut = parse(kind, zone, origin.isoformat() if origin else None)
    at_once = [cut.shift(cut.floor(key), number) for number in range(60)]
    one_by_one = [cut.floor(key)]
    while one_by_one[-1] < at_once[-1]:
        one_by_one.append(cut.shift(one_by_one[-1], 1))
    assert one_by_one == list(dict.fromkeys(at_once)), "a skipped label is a window without a moment"
    assert at_once == sorted(at_once)
    assert len({cut.suffix(start) for start in one_by_one}) == len(one_by_one)


@given(any_kind, zones, keys, origins)
def test_an_origin_begins_a_window(kind: str, zone: str, key: datetime, origin: date | None) -> None:
    cut = parse(kind, zone, origin.isoformat() if origin else None)
    assert holds(cut, key)
    if origin:
        begins = datetime(origin.year, origin.month, origin.day, tzinfo=ZoneInfo(zone))
        if at(begins).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == begins.replace(tzinfo=None):
            assert cut.floor(begins) == at(begins)
            assert cut.floor(at(begins) - timedelta(seconds=1)) < at(begins)


@given(st.integers(1, 10**9), st.integers(-(10**12), 10**12), st.integers(-(10**6), 10**6), counts)
def test_ids_tile(width: int, key: int, origin: int, count: int) -> None:
    cut = parse(str(width), origin=str(origin))
    start = cut.floor(key)
    assert start <= key < cut.shift(start, 1)
    assert cut.floor(cut.shift(start, count)) == cut.shift(start, count) == start + count * width
    assert cut.floor(origin) == origin
    assert len({cut.suffix(cut.shift(start, number)) for number in range(40)}) == 40
    assert cut.text == str(width)


def test_hours_follow_the_wall_clock_through_the_night_it_jumps() -> None:
    cut = parse("1 hour", "Europe/Berlin")
    spring = datetime(2026, 3, 29, 0, tzinfo=UTC)  # 01:00; at 02:00 the clock shows 03:00
    assert [cut.suffix(spring), cut.suffix(cut.shift(spring, 1))] == ["p20260329_010000", "p20260329_030000"]
    autumn = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00, which comes twice
    assert cut.shift(autumn, 1) - autumn == timedelta(hours=2)
    assert cut.floor(autumn + timedelta(minutes=90)) == autumn
    noon = parse("12 hours", "Europe/Berlin")
    assert noon.suffix(noon.floor(datetime(2026, 7, 1, 11, tzinfo=UTC))) == "p20260701_120000"
    assert noon.suffix(noon.floor(datetime(2026, 1, 1, 11, 30, tzinfo=UTC))) == "p20260101_120000"


def test_weeks_begin_on_the_day_of_their_origin() -> None:
    sunday = parse("1 week", origin="2000-01-02")
    assert at(sunday.floor(datetime(2026, 11, 21, 12, tzinfo=UTC))) == datetime(2026, 11, 15, tzinfo=UTC)
    fiscal = parse("1 year", origin="2020-04-01")
    assert at(fiscal.floor(datetime(2026, 3, 31, tzinfo=UTC))) == datetime(2025, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("1 month", "2026-01-31"),
        ("1 month", "2026-01-01 12:00"),
        ("1 day", "x"),
        ("1 day", "2026-01-01T00:00Z"),
        ("10", "x"),
    ],
)
def test_what_is_not_an_origin_is_refused(text: str, origin: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(origin)):
        parse(text, origin=origin)


@given(any_kind, zones, keys, any_kind)
def test_going_back_is_by_the_calendar(kind: str, zone: str, key: datetime, length: str) -> None:
    cut, back = parse(kind, zone), parse(length, zone)
    assert cut.back(key, back) < key + timedelta(days=1)
    assert cut.back(key, back) <= cut.back(key + timedelta(days=2), back)


def test_a_month_before_the_last_day_is_the_last_day() -> None:
    month = parse("1 month")
    assert at(month.back(datetime(2026, 3, 31, 5, tzinfo=UTC), month)) == datetime(2026, 2, 28, 5, tzinfo=UTC)
    assert Ids(10).back(95, Ids(30)) == 65


@given(kinds, zones, keys, counts)
def test_shifts_add_up(kind: str, zone: str, key: datetime, count: int) -> None:
    cut = parse(kind, zone)
    start = cut.floor(key)
    if zone not in LOSES_A_DAY:  # from the day that follows the one without a moment, it counts one less
        assert at(cut.shift(cut.shift(start, count), 7)) == at(cut.shift(start, count + 7))
    assert at(cut.shift(start, 0)) == at(start)


@given(kinds, zones, keys)
def test_each_window_has_a_suffix_of_its_own(kind: str, zone: str, key: datetime) -> None:
    cut = parse(kind, zone)
    start = cut.floor(key)
    suffixes = [cut.suffix(cut.shift(start, count)) for count in range(-30, 31)]
    assert len(set(suffixes)) == len(suffixes)
    assert suffixes == sorted(suffixes)


@given(kinds, zones, keys)
def test_the_suffix_says_the_first_local_day(kind: str, zone: str, key: datetime) -> None:
    cut = parse(kind, zone)
    start = cut.floor(key)
    local = start.astimezone(ZoneInfo(zone))
    assert cut.suffix(start) == local.strftime("p%Y%m%d")
    midnight = local.replace(hour=0, minute=0, second=0)
    exists = at(midnight).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == midnight.replace(tzinfo=None)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0) or not exists


@given(kinds, zones, keys, keys)
def test_sets_that_were_planned_on_different_days_share_their_boundaries(
    kind: str, zone: str, one: datetime, other: datetime
) -> None:
    cut = parse(kind, zone)
    early, late = sorted((at(cut.floor(one)), at(cut.floor(other))))
    low, high = 0, (late - early) // timedelta(hours=23) + 2
    if isinstance(cut, Months):
        high = (late.year - early.year + 1) * 12 + 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(cut.shift(early, middle)) <= late else (low, middle)
    assert at(cut.shift(early, low)) == late, "counted from the early one, the late one is met exactly"


def test_anchors() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    utc = ZoneInfo("UTC")
    assert parse("week").floor(now) == datetime(2026, 11, 16, tzinfo=utc), "a Monday"
    assert parse("2 weeks").floor(now) == datetime(2026, 11, 16, tzinfo=utc)
    assert parse("2 weeks").floor(now - timedelta(7)) == datetime(2026, 11, 2, tzinfo=utc)
    assert parse("quarter").floor(now) == datetime(2026, 10, 1, tzinfo=utc)
    assert parse("6 months").floor(now) == datetime(2026, 7, 1, tzinfo=utc)
    assert parse("1 year").floor(now) == datetime(2026, 1, 1, tzinfo=utc)
    assert parse("2 days").floor(now) == datetime(2026, 11, 22, tzinfo=utc)
    assert parse("5 days").floor(now) == datetime(2026, 11, 22, tzinfo=utc)
    assert parse("5 days").floor(now - timedelta(1)) == datetime(2026, 11, 17, tzinfo=utc)
    assert parse("10 days").floor(datetime(2000, 1, 12, tzinfo=utc)) == datetime(2000, 1, 3, tzinfo=utc)
    assert parse("10 days").floor(datetime(2000, 1, 2, tzinfo=utc)) == datetime(1999, 12, 24, tzinfo=utc)


def test_a_bangkok_month_begins_at_five_in_the_afternoon_of_utc() -> None:
    cut = parse("1 month", "Asia/Bangkok")
    assert at(cut.floor(datetime(2026, 10, 31, 17, tzinfo=UTC))) == datetime(2026, 10, 31, 17, tzinfo=UTC)
    assert at(cut.floor(datetime(2026, 10, 31, 16, 59, tzinfo=UTC))) == datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert cut.suffix(datetime(2026, 10, 31, 17, tzinfo=UTC)) == "p20261101"


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("Africa/Cairo", date(2026, 4, 24), datetime(2026, 4, 23, 22, tzinfo=UTC)),
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 28, 22, tzinfo=UTC)),
        ("America/Havana", date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ("Atlantic/Azores", date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Asia/Kathmandu", date(1986, 1, 1), datetime(1985, 12, 31, 18, 30, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 31), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_without_a_midnight_begins_when_the_clock_jumps(zone: str, day: date, begins: datetime) -> None:
    cut = parse("1 day", zone)
    assert at(cut.floor(begins)) == begins
    assert at(cut.floor(begins - timedelta(microseconds=1))) < begins
    assert cut.suffix(begins) == day.strftime("p%Y%m%d")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 day", "1 day"),
        ("day", "1 day"),
        ("days", "1 day"),
        ("1 days", "1 day"),
        ("7 days", "7 days"),
        ("week", "7 days"),
        ("2 weeks", "14 days"),
        ("month", "1 mon"),
        ("1 mon", "1 mon"),
        ("1month", "1 mon"),
        ("  3 MONTHS ", "3 mons"),
        ("3 mons", "3 mons"),
        ("quarter", "3 mons"),
        ("2 quarters", "6 mons"),
        ("4 quarters", "1 year"),
        ("12 months", "1 year"),
        ("1 year", "1 year"),
        ("24 mons", "2 years"),
        ("1200 years", "1200 years"),
        ("1 hour", "01:00:00"),
        ("hour", "01:00:00"),
        ("15 minutes", "00:15:00"),
        ("15 min", "00:15:00"),
        ("36 hours", "36:00:00"),
        ("24 hours", "1 day"),
        ("1 day 12:00:00", "36:00:00"),
        (" 10000 ", "10000"),
    ],
)
def test_an_interval_is_written_as_postgresql_and_pg_partman_write_it(text: str, expected: str) -> None:
    assert parse(text).text == expected


def test_months_beyond_a_year_are_written_as_postgresql_writes_them() -> None:
    assert parse("15 months").text == "1 year 3 mons"


@given(any_kind, zones)
def test_the_text_is_read_back(kind: str, zone: str) -> None:
    cut = parse(kind, zone)
    assert parse(cut.text, zone) == cut


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0 days",
        "-1 day",
        "0",
        "-5",
        "1.5 days",
        "30 seconds",
        "00:00:30",
        "1 fortnight",
        "14401 months",
        "1 day 2 hours",
        "daily",
        "1 d ay",
        "m",
    ],
)
def test_what_is_not_an_interval_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="is not an interval"):
        parse(text)


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "UTC\0", "Asia", "+07:00"])
def test_what_is_not_a_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(DeclarationError, match="no time zone"):
        parse("1 month", zone)


def test_the_kinds() -> None:
    zone = ZoneInfo("Asia/Bangkok")
    assert parse("quarter", "Asia/Bangkok") == Months(3, zone)
    assert parse("week", "Asia/Bangkok") == Span(timedelta(7), zone)
    assert parse("1000") == Ids(1000)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Bangkok", "America/New_York"])
@pytest.mark.parametrize("kind", ["1 day", "5 days", "1 month", "5 months", "1 year"])
@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
def test_the_calendar_has_ends(kind: str, zone: str, day: date) -> None:
    cut, midnight = parse(kind, zone), datetime(day.year, day.month, day.day, tzinfo=UTC)
    with pytest.raises(PlanError, match="beyond the years 1 to 9999"):
        cut.shift(cut.floor(midnight), -2 if day.year == 1 else 2)
    with pytest.raises(PlanError, match="beyond the years 1 to 9999"):
        cut.shift(datetime(2026, 11, 1, tzinfo=UTC), 10**9)
