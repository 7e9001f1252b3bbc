"""How a key column holds its time or its number: one codec a type, from a point to the text of a bound and back.

The points of a column of `timestamp` or `date` are what the wall clock of the policy's time zone shows, written as
aware datetimes of UTC: that clock may skip or repeat an hour, the column's own line does not. Those of a column that
holds moments (timestamptz, an epoch, UUIDv7, ...) are moments; those of plain numbers are ints.

Text is read under TimeZone UTC and DateStyle ISO (the catalog sees to that) and is written so that no setting of
the session that sends it can change what it means.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, NoReturn, Protocol
from zoneinfo import ZoneInfo

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.intervals import Point

FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Between which ranges begin and end: Python's calendar, less what a time zone or a week may need beyond."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"seconds": 1, "milliseconds": 1000, "microseconds": 10**6, "nanoseconds": 10**9}
_SNOWFLAKE_EPOCH = 1288834974657  # Twitter's, in milliseconds
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

ENCODINGS = (*_PER_SECOND, "uuidv7", "ulid", "snowflake")
"""How a column that is not a date or timestamp may hold a moment."""


class BeyondCalendar(PlanError):
    """A date that no window can begin or end at, though PostgreSQL has it: of BC, or after the year 9999.

    Args:
        text: as PostgreSQL prints it.
        after: whether it lies after the calendar, and not before.
    """

    def __init__(self, text: str, *, after: bool) -> None:
        super().__init__(f"the bound {text!r} lies outside the years 1 to 9999, which is what can be planned with")
        self.after = after


class Key(Protocol):
    """The codec of one key column."""

    @property
    def calendar(self) -> ZoneInfo | None:
        """The time zone whose wall clock divides its line; None for plain numbers."""

    @property
    def least(self) -> Point | None:
        """The first point of its line: what lies before it lies in no window. None where there is none."""

    @property
    def greatest(self) -> Point | None:
        """The last point that a bound can say: a window that would end after it has no end. None: there is none."""

    def point(self, moment: datetime) -> Point:
        """Return where a moment lies on its line. Not for plain numbers, which know no clock."""

    def encode(self, point: Point) -> str:
        """Return the text of a bound, without quotes."""

    def locate(self, text: str) -> Point | None:
        """The point at which a value of the column lies, rounded down to what a bound can say; None for infinity.

        Raises:
            BeyondCalendar: it lies outside the years 1 to 9999.
        """

    def decode(self, text: str) -> Point | None:
        """Return the point that a bound's text means; None for infinity.

        Raises:
            PlanError: one that cannot be planned with.
        """


@dataclass(frozen=True, slots=True)
class Moments:
    """timestamptz."""

    calendar: ZoneInfo
    least: ClassVar[datetime] = FIRST
    greatest: ClassVar[datetime] = LAST

    def point(self, moment: datetime) -> Point:
        """Itself."""
        return moment

    def encode(self, point: Point) -> str:
        """``2026-10-31 17:00:00+00``."""
        return _iso(point) + "+00"

    def locate(self, text: str) -> Point | None:
        """As PostgreSQL prints it under UTC."""
        return None if text in NOWHERE else _read(text).astimezone(UTC)

    decode = locate


@dataclass(frozen=True, slots=True)
class WallClock:
    """timestamp and date."""

    zone: ZoneInfo
    days: bool = False
    least: ClassVar[datetime] = FIRST
    greatest: ClassVar[datetime] = LAST

    @property
    def calendar(self) -> ZoneInfo:
        """A wall clock's own line has neither zone nor jumps: UTC."""
        return ZoneInfo("UTC")

    def point(self, moment: datetime) -> Point:
        """Return what the clock of the zone shows then."""
        return moment.astimezone(self.zone).replace(tzinfo=UTC, fold=0)

    def encode(self, point: Point) -> str:
        """``2026-11-01 00:00:00``, or ``2026-11-01`` for a date."""
        return _iso(point)[:10] if self.days else _iso(point)

    def locate(self, text: str) -> Point | None:
        """As PostgreSQL prints it."""
        return None if text in NOWHERE else _read(text).replace(tzinfo=UTC)

    decode = locate


@dataclass(frozen=True, slots=True)
class Epoch:
    """Whole numbers that count from a moment: seconds and their fractions since 1970, or the upper bits of snowflakes.

    Args:
        calendar: whose wall clock divides the line.
        per_second: how many a second has.
        begin: the moment that 0 means.
        shift: how many lower bits tell rows of one moment apart.
        most: the greatest number that the column holds; None where it has none.
    """

    calendar: ZoneInfo
    per_second: int
    begin: datetime = _EPOCH
    shift: int = 0
    most: int | None = None

    @property
    def least(self) -> datetime:
        """Where the calendar begins, or the type."""
        return FIRST if self.most is None else self._ahead(-1, FIRST)

    @property
    def greatest(self) -> datetime:
        """Where the calendar ends, or the type."""
        return LAST if self.most is None else self._ahead(1, LAST)

    def _ahead(self, sign: int, calendar: datetime) -> datetime:
        """As far as the numbers reach either way, in whole microseconds, or as the calendar does."""
        assert self.most is not None  # it has an end
        try:
            end = self.begin + sign * timedelta(microseconds=(self.most >> self.shift) * 10**6 // self.per_second)
        except OverflowError:
            return calendar
        return max(end, calendar) if sign < 0 else min(end, calendar)

    def point(self, moment: datetime) -> Point:
        """Itself."""
        return moment

    def encode(self, point: Point) -> str:
        """``1793491200``."""
        microseconds = (point - self.begin) // timedelta(microseconds=1)
        return str(microseconds * self.per_second // 10**6 << self.shift)

    def locate(self, text: str) -> Point | None:
        """Microseconds are what Python can tell apart."""
        return _moment(self.begin, (_floor(text) >> self.shift) * 10**6 // self.per_second, text)

    def decode(self, text: str) -> Point | None:
        """Refused where it lies between two moments."""
        point = self.locate(text)
        return point if Decimal(self.encode(point)) == Decimal(text) else _refuse(text)


@dataclass(frozen=True, slots=True)
class Stamped:
    """128 bits that begin with 48 of milliseconds since 1970: UUIDv7, and ULIDs as uuid or as text."""

    calendar: ZoneInfo
    write: Callable[[int], str]
    read: Callable[[str], int]
    least: ClassVar[datetime] = _EPOCH
    greatest: ClassVar[datetime] = LAST

    def point(self, moment: datetime) -> Point:
        """Itself."""
        return moment

    def encode(self, point: Point) -> str:
        """``019aa0c5-0800-0000-0000-000000000000``: the least of its millisecond, whatever the bits behind it mean.

        Raises:
            PlanError: a moment before 1970.
        """
        if point < _EPOCH:
            raise PlanError(f"a partition would begin in {point:%Y}, and such ids count from 1970.")
        return self.write((point - _EPOCH) // timedelta(milliseconds=1) << 80)

    def locate(self, text: str) -> Point | None:
        """Return its millisecond."""
        return _moment(_EPOCH, (self.read(text) >> 80) * 1000, text)

    def decode(self, text: str) -> Point | None:
        """Return the version and the variant of a UUIDv7 without other bits mean the same bound as none."""
        rest = self.read(text) & ((1 << 80) - 1)
        return self.locate(text) if rest in (0, 0x7 << 76 | 0x8 << 60) else _refuse(text)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Plain whole numbers.

    Args:
        least: the least that the column holds; None where it has none.
        greatest: the greatest, likewise.
    """

    least: int | None = None
    greatest: int | None = None
    calendar: ClassVar[None] = None

    def point(self, moment: datetime) -> Point:
        """Raise: it has no points."""
        raise NotImplementedError(f"{moment} lies nowhere among plain numbers")

    def encode(self, point: Point) -> str:
        """``920000``."""
        return str(point)

    def locate(self, text: str) -> Point | None:
        """NaN and infinity, which numeric has, are no numbers."""
        return None if text in NOWHERE else _floor(text)

    def decode(self, text: str) -> Point | None:
        """Whole ones only."""
        point = self.locate(text)
        return point if point is None or point == Decimal(text) else _refuse(text)


NUMBERS = ("smallint", "integer", "bigint", "numeric")
TIMES = ("timestamp with time zone", "timestamp without time zone", "date")
_TEXTS = ("text", "character varying", "character")
NOWHERE = ("infinity", "-infinity", "Infinity", "-Infinity", "NaN")
"""What dates, times and numeric may hold that lies in no window, as PostgreSQL prints it."""


def encodings_of(type_name: str) -> tuple[str, ...]:
    """Return how a column of a type may hold a moment, likeliest first; empty where its values are plain."""
    bare = re.sub(r"\([\d,]+\)", "", type_name)
    if bare in TIMES or bare == "smallint":
        return ("",)
    if bare in NUMBERS:
        return ("seconds", "") if bare == "integer" else (*_PER_SECOND, "snowflake", "")
    return ("uuidv7",) if bare == "uuid" else ("ulid",)


def key_for(type_name: str, zone: ZoneInfo, column: str, encoding: str = "") -> Key:
    """Return the codec for a column's type, as ``format_type`` prints it; a length or precision does not matter.

    Args:
        type_name: the column's type.
        zone: the policy's time zone.
        column: its name, for messages.
        encoding: how a column that is not a date or timestamp holds a moment; ``snowflake`` may be followed
            by a colon and the milliseconds since 1970 at which its own epoch begins. Empty: it holds plain numbers.

    Raises:
        DeclarationError: no such encoding.
        PlanError: no codec for this type.
    """
    kind, colon, begin = encoding.partition(":")
    if encoding and (kind not in ENCODINGS or (colon and not (kind == "snowflake" and begin.isdecimal()))):
        raise DeclarationError(
            f"{encoding!r} is not an encoding of times. Use {', '.join(ENCODINGS)}; a snowflake's own epoch is "
            "written behind it, in milliseconds since 1970: 'snowflake:1420070400000'."
        )
    bare = re.sub(r"\([\d,]+\)", "", type_name)
    if bare in TIMES and not encoding:
        if bare == TIMES[0]:
            return Moments(zone)
        return WallClock(zone, days=bare == "date")
    most = _most(type_name)
    if bare in NUMBERS and not encoding:
        return Numbers() if most is None else Numbers(-most - (bare != "numeric"), most)
    if bare in NUMBERS[1:] and kind in _PER_SECOND:
        return Epoch(zone, _PER_SECOND[kind], most=most)
    if bare in NUMBERS[2:] and kind == "snowflake":
        return Epoch(zone, 1000, _EPOCH + timedelta(milliseconds=int(begin or _SNOWFLAKE_EPOCH)), 22, most)
    if bare == "uuid" and kind in ("uuidv7", "ulid"):
        return Stamped(zone, _write_uuid, _read_uuid)
    if bare in _TEXTS and kind == "ulid":
        return Stamped(zone, _write_ulid, _read_ulid)
    if encoding:
        raise PlanError(f"column {column!r} is {type_name}, which cannot hold {encoding}.")
    raise PlanError(
        f"column {column!r} is {type_name}; ranges begin and end in {', '.join((*TIMES, *NUMBERS))}, and in other "
        f"types where the policy's encoding says how they hold a moment ({', '.join(ENCODINGS)})."
    )


def _most(type_name: str) -> int | None:
    """Return the greatest whole number that a column of numbers holds; None where it has none."""
    digits = re.fullmatch(r"numeric\((\d+),(\d+)\)", type_name)
    if digits:
        return int(10 ** max(int(digits[1]) - int(digits[2]), 0)) - 1
    bits = {"smallint": 15, "integer": 31, "bigint": 63}.get(type_name)
    return None if bits is None else int(2**bits) - 1


def _iso(point: datetime) -> str:
    return point.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _read(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BeyondCalendar(text, after=not text.endswith(" BC")) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(begin: datetime, microseconds: int, text: str) -> datetime:
    try:
        return begin + timedelta(microseconds=microseconds)
    except OverflowError as error:
        raise BeyondCalendar(text, after=microseconds > 0) from error


def _refuse(text: str) -> NoReturn:
    raise PlanError(f"the bound {text} lies between two that the policy can tell apart, so no range begins there")


def _floor(text: str) -> int:
    return math.floor(Decimal(text))


def _write_uuid(number: int) -> str:
    return re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", f"{number:032x}")


def _read_uuid(text: str) -> int:
    return int(text.replace("-", ""), 16)


def _write_ulid(number: int) -> str:
    return "".join(_BASE32[number >> place & 31] for place in range(125, -1, -5))


def _read_ulid(text: str) -> int:
    bare = text.strip()
    if not re.fullmatch(f"[{_BASE32}]{{1,26}}", bare):
        raise PlanError(f"the bound {text!r} is not a ULID, so no range begins there")
    return sum(_BASE32.index(letter) << place for letter, place in zip(bare, range(125, -1, -5), strict=False))
