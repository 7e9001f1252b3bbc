"""Kinds of keys, intervals, zones and clocks, and policies drawn from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from schema_kit.intervals import Point
from schema_kit.model import Column, Partition, Partitioning, Table
from schema_kit.model.grid import Grid
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import CreatePartition

KINDS = [
    "1 day",
    "2 days",
    "5 days",
    "7 days",
    "week",
    "2 weeks",
    "1 month",
    "5 months",
    "quarter",
    "6 months",
    "1 year",
]
SKIPS_MIDNIGHT = [
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Havana",
    "Atlantic/Azores",
    "America/Santiago",
    "Asia/Amman",
    "Asia/Tehran",
    "America/Asuncion",
    "America/Scoresbysund",
]
LOSES_A_DAY = ["Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Fakaofo"]
ZONES = [
    *SKIPS_MIDNIGHT,
    *LOSES_A_DAY,
    *("UTC", "Asia/Bangkok", "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"),
    *("Europe/Berlin", "Europe/London", "America/New_York", "Africa/Casablanca", "Etc/GMT+12", "Pacific/Auckland"),
]
CLOCKED = ["1 minute", "15 minutes", "1 hour", "90 minutes", "5 hours", "12 hours", "36 hours"]
CODED = [
    ("integer", "seconds"),
    ("bigint", "seconds"),
    ("bigint", "milliseconds"),
    ("bigint", "microseconds"),
    ("bigint", "nanoseconds"),
    ("numeric(20,0)", "nanoseconds"),
    ("uuid", "uuidv7"),
    ("uuid", "ulid"),
    ("text", "ulid"),
    ("character(26)", "ulid"),
    ("bigint", "snowflake"),
    ("bigint", "snowflake:1420070400000"),
]
COLUMNS = [("timestamp with time zone", ""), ("timestamp without time zone", ""), ("date", ""), *CODED]
NAMES = ["t", 'T.able "x"', "ข้อความ" * 3, "n" * 63, "a" * 60 + "bcd", "é" * 31]
days = st.dates(datetime(1990, 1, 1).date(), datetime(2030, 1, 1).date()).map(lambda d: d.replace(day=d.day % 28 + 1))
clocks = st.datetimes(datetime(1971, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))


@st.composite
def policies(draw: st.DrawFn) -> tuple[Partitioning, Table]:
    """A policy of time, and its table without partitions."""
    type_, encoding = draw(st.sampled_from(COLUMNS))
    interval = draw(st.sampled_from(KINDS if type_ == "date" else KINDS + CLOCKED))
    origin = draw(st.one_of(st.none(), days.map(lambda day: day.isoformat())))
    parent = QualifiedName("s", draw(st.sampled_from(NAMES)))
    policy = Partitioning(
        parent, "k", interval, draw(st.sampled_from(ZONES)), draw(st.integers(1, 30)), origin, encoding
    )
    return policy, Table(parent, (Column("k", type_, True),), ("k",), "r")


def after(table: Table, steps: tuple[object, ...]) -> Table:
    made = [step for step in steps if isinstance(step, CreatePartition)]
    assert len(made) == len(steps)
    new = tuple(Partition(step.name, step.lower, step.upper) for step in made)
    return replace(table, partitions=(*table.partitions, *new))


def reaches_the_end(lines: Grid, here: Point) -> bool:
    """Whether the ranges that are kept ahead lie behind the end of the column's type: those have laws of their own."""
    return lines.ends(lines.interval.shift(lines.interval.floor(here), lines.policy.premake + 1))
