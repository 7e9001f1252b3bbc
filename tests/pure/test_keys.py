"""A bound's text goes out and comes back as the point that it was, for each kind of key column."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import parse
from schema_kit.keys import TIMES, Key, Moments, WallClock, key_for
from tests.support.points import CODED

pytestmark = pytest.mark.partitions

ZONES = ["UTC", "Asia/Bangkok", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Havana"]
AWARE, NAIVE, DATE = TIMES
KINDS = [*((kind, "") for kind in TIMES), *CODED]

zones = st.sampled_from(ZONES).map(ZoneInfo)
kinds = st.sampled_from(KINDS)
coded = st.sampled_from(CODED)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))
intervals = st.sampled_from(["15 minutes", "1 hour", "1 day", "7 days", "1 month", "1 year"])


def make(kind: tuple[str, str], zone: ZoneInfo = ZoneInfo("UTC")) -> Key:  # noqa: B008  frozen
    return key_for(kind[0], zone, "k", kind[1])


@given(kinds, zones, moments, intervals)
def test_the_start_of_a_window_comes_back_whatever_holds_it(
    kind: tuple[str, str], zone: ZoneInfo, moment: datetime, interval: str
) -> None:
    key = make(kind, zone)
    assert key.calendar is not None
    cut = parse("1 day" if kind[0] == DATE and interval in ("15 minutes", "1 hour") else interval, key.calendar.key)
    start = cut.floor(key.point(moment))
    if start.year < 1970 and kind[1] in ("uuidv7", "ulid"):
        with pytest.raises(PlanError, match="count from 1970"):
            key.encode(start)
        return
    for point in (start, cut.shift(start, 1), cut.shift(start, 3)):
        assert key.decode(key.encode(point)) == point
        assert key.locate(key.encode(point)) == point
    assert start <= key.point(moment) < cut.shift(start, 1)


@given(coded, moments, st.integers(0, 2**62))
def test_rows_of_a_window_lie_between_its_bounds(kind: tuple[str, str], moment: datetime, noise: int) -> None:
    key, cut = make(kind), parse("1 hour")
    start = cut.floor(moment)
    value = row(kind, moment, noise)
    low, high = key.encode(start), key.encode(cut.shift(start, 1))
    if kind[0] in ("text", "character(26)"):
        assert low <= value < high, "as text, whatever the collation does with capitals"
    elif kind[0] == "uuid":
        assert uuid.UUID(low) <= uuid.UUID(value) < uuid.UUID(high)
    else:
        assert int(low) <= int(value) < int(high)
    located = key.locate(value)
    assert located is not None
    assert timedelta() <= moment - located < timedelta(seconds=1)


def row(kind: tuple[str, str], moment: datetime, noise: int) -> str:
    """What an application writes at that moment."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds, microseconds = since // timedelta(milliseconds=1), since // timedelta(microseconds=1)
    match kind[1].partition(":")[0]:
        case "seconds":
            return str(since // timedelta(seconds=1))
        case "milliseconds":
            return str(milliseconds)
        case "microseconds":
            return str(microseconds)
        case "nanoseconds":
            return str(microseconds * 1000 + noise % 1000)
        case "uuidv7":
            low = noise & ((1 << 62) - 1)
            return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | (noise % 4096) << 64 | 2 << 62 | low))
        case "snowflake":
            begin = int(kind[1].partition(":")[2] or 1288834974657)
            return str((milliseconds - begin << 22) + noise % (1 << 22))
        case _:
            number = milliseconds << 80 | noise
            if kind[0] == "uuid":
                return str(uuid.UUID(int=number))
            return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> place & 31] for place in range(125, -1, -5))


@given(zones, moments)
def test_timestamptz_keeps_every_moment(zone: ZoneInfo, moment: datetime) -> None:
    key = Moments(zone)
    assert key.decode(key.encode(moment)) == moment
    assert key.encode(moment).endswith("+00"), "whatever TimeZone the session has, it means the same"
    assert key.encode(moment.astimezone(zone)) == key.encode(moment)


@given(zones, moments)
def test_a_wall_clock_s_line_has_no_zone(zone: ZoneInfo, moment: datetime) -> None:
    key = WallClock(zone)
    wall = moment.astimezone(zone).replace(tzinfo=None)
    assert datetime.fromisoformat(key.encode(key.point(moment))) == wall
    assert key.point(moment) == wall.replace(tzinfo=UTC)
    assert WallClock(zone, days=True).encode(key.point(moment)) == wall.date().isoformat()


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ((AWARE, ""), "2026-11-01 00:00:00+00", datetime(2026, 11, 1, tzinfo=UTC)),
        ((AWARE, ""), "2026-11-01 10:20:30.123456+00", datetime(2026, 11, 1, 10, 20, 30, 123_456, tzinfo=UTC)),
        ((AWARE, ""), "2026-11-01 00:00:00+05:45", datetime(2026, 10, 31, 18, 15, tzinfo=UTC)),
        ((NAIVE, ""), "2026-11-01 00:00:00.12345", datetime(2026, 11, 1, 0, 0, 0, 123_450, tzinfo=UTC)),
        ((DATE, ""), "2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        (("bigint", "seconds"), "1793491200", datetime(2026, 11, 1, tzinfo=UTC)),
        (("uuid", "uuidv7"), "019f3aa8-5c00-0000-0000-000000000000", None),
        (("uuid", "uuidv7"), "019f3aa8-5c00-7000-8000-000000000000", None),
        (("bigint", "snowflake"), "0", datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)),
    ],
)
def test_what_postgresql_prints_is_read(kind: tuple[str, str], text: str, expected: datetime | None) -> None:
    expected = expected or datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=0x019F3AA85C00)
    assert make(kind, ZoneInfo("Asia/Bangkok")).decode(text) == expected


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("text", ["infinity", "-infinity"])
def test_infinity_is_not_a_moment(kind: str, text: str) -> None:
    assert make((kind, "")).decode(text) is None


@pytest.mark.parametrize("kind", TIMES)
@pytest.mark.parametrize("text", ["0044-03-15 BC", "10000-01-01", "294276-12-31", "garbage"])
def test_a_date_beyond_the_calendar_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(PlanError, match=text):
        make((kind, "")).decode(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (("bigint", "snowflake"), "5"),
        (("uuid", "uuidv7"), "019f3aa8-5c00-0000-0000-000000000001"),
        (("text", "ulid"), "01KXXA0Z00000000000000000Z"),
        (("numeric", ""), "1.5"),
        (("numeric(20,3)", "seconds"), "1.0000001"),
        (("bigint", "nanoseconds"), "1793491200000000001"),
        (("text", "ulid"), "not one"),
    ],
)
def test_a_bound_between_two_ranges_beginnings_is_refused(kind: tuple[str, str], text: str) -> None:
    with pytest.raises(PlanError, match="no range begins there"):
        make(kind).decode(text)


def test_numbers() -> None:
    key = key_for("numeric", ZoneInfo("UTC"), "id")
    assert key.calendar is None
    assert (key.encode(-50), key.decode("-50"), key.decode("7.000"), key.locate("7.9")) == ("-50", -50, 7, 7)
    assert key.decode("NaN") is None


@pytest.mark.parametrize("precision", ["", "(0)", "(3)", "(6)"])
def test_a_precision_does_not_matter(precision: str) -> None:
    zone = ZoneInfo("UTC")
    assert key_for(f"timestamp{precision} with time zone", zone, "at") == Moments(zone)
    assert key_for(f"timestamp{precision} without time zone", zone, "at") == WallClock(zone)


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("text", ""),
        ("uuid", ""),
        ("time without time zone", ""),
        ("timestamp with time zone[]", ""),
        ("tstzrange", ""),
        ("double precision", "seconds"),
        ("smallint", "seconds"),
        ("integer", "snowflake"),
        ("text", "uuidv7"),
        ("timestamp with time zone", "seconds"),
    ],
)
def test_a_type_that_holds_no_point_is_refused_with_column_and_type(kind: str, encoding: str) -> None:
    with pytest.raises(PlanError) as caught:
        key_for(kind, ZoneInfo("UTC"), "created_at", encoding)
    assert "'created_at'" in str(caught.value)
    assert kind in str(caught.value)


@pytest.mark.parametrize("encoding", ["sec", "snowflake:", "snowflake:x", "uuidv7:5", "ULID"])
def test_what_is_not_an_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(DeclarationError, match=encoding):
        key_for("bigint", ZoneInfo("UTC"), "at", encoding)


def test_neighbours_in_time_stay_neighbours_in_text() -> None:
    key, cut = Moments(ZoneInfo("Asia/Bangkok")), parse("1 month", "Asia/Bangkok")
    start = cut.floor(datetime(2026, 11, 22, tzinfo=UTC))
    texts = [key.encode(cut.shift(start, count)) for count in range(24)]
    assert texts == sorted(texts)
