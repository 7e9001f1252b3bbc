"""Partitions are kept ahead of the clock."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Partition
from schema_kit.plans import partitions
from schema_kit.steps import Plan
from tests.support.golden.cases import case
from tests.support.golden.tables import EVENTS, MONTHLY, month, partitioned
from tests.support.shapes import NOW, name, rich, simple


@case
def next_nothing_there() -> Plan:
    """The current month and two ahead."""
    return partitions.create_next(EVENTS, partitioned(), NOW)


@case
def next_partly_there() -> Plan:
    """One exists under a name of its own: it is known by its bounds."""
    whatever = month("whatever", "2026-12-01", "2027-01-01")
    return partitions.create_next(EVENTS, replace(partitioned(), partitions=(whatever,)), NOW)


@case
def next_nothing_to_do() -> Plan:
    """One partition reaches over all that is asked for."""
    wide = Partition(name("public.events_before"), None, "2027-02-01 00:00:00+00")
    return partitions.create_next(EVENTS, replace(partitioned(), partitions=(wide,)), NOW)


@case
def next_empty_default() -> Plan:
    """The default partition is locked, since PostgreSQL looks through it."""
    default = Partition(name("public.events_default"), None, None, default=True)
    return partitions.create_next(replace(EVENTS, premake=1), replace(partitioned(), partitions=(default,)), NOW)


@case
def next_filled_default() -> Plan:
    """A validated CHECK spares the scan of the default partition under ACCESS EXCLUSIVE."""
    default = Partition(name("public.events_default"), None, None, default=True)
    table = replace(partitioned(), partitions=(default,))
    return partitions.create_next(replace(EVENTS, premake=1), table, NOW, simple("public.events_default"))


@case
def next_filled_default_half_done() -> Plan:
    """The first month's check exists and is not validated, the second one's is validated."""
    default = Partition(name("public.events_default"), None, None, default=True)
    checks = (
        ("events_p20261101_not_here", "CHECK (...) NOT VALID", False),
        ("events_p20261201_not_here", "CHECK (...)", True),
    )
    return partitions.create_next(
        replace(EVENTS, premake=1),
        replace(partitioned(), partitions=(default,)),
        NOW,
        replace(simple("public.events_default"), checks=checks),
    )


@case
def next_bangkok_months() -> Plan:
    """Midnight in Bangkok; foreign keys, storage parameters and the owner as the table has them."""
    table = replace(rich(), partition_strategy="r", partitioned_by=("created_at",), primary_key=("id", "created_at"))
    return partitions.create_next(MONTHLY, table, NOW)


@case
def next_days_where_midnight_is_skipped() -> Plan:
    """Cairo, 24 April 2026: the day begins at one o'clock."""
    policy = replace(EVENTS, interval="1 day", timezone="Africa/Cairo")
    return partitions.create_next(policy, partitioned(), NOW.replace(month=4, day=23))


@case
def next_dates_by_week() -> Plan:
    """A date column."""
    return partitions.create_next(replace(EVENTS, interval="week"), partitioned("date"), NOW)


@case
def next_timestamps_by_quarter() -> Plan:
    """A column without a time zone holds Bangkok's wall clock."""
    policy = replace(EVENTS, interval="quarter", timezone="Asia/Bangkok", premake=1)
    return partitions.create_next(policy, partitioned("timestamp without time zone"), NOW)
