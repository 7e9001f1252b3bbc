"""Rows are copied out of a default partition, or out of one that is split."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Copying, CopyLimits, CopyRun, ForeignKey, KeyColumn, Partition, Range, Relation, Stored
from schema_kit.plans import copying
from schema_kit.server import Server
from schema_kit.steps import Plan
from schema_kit.steps.copying import BeginCopy
from tests.support.golden.cases import case
from tests.support.golden.tables import EVENTS, partitioned, two_months
from tests.support.shapes import AWARE, NOW, name, simple


@case
def drain_fresh() -> Plan:
    """Two ranges, and the default partition made again."""
    return copying.drain_default(EVENTS, copied(), CopyLimits())


@case
def drain_half_done() -> Plan:
    """Killed when one of the tables had its key: there is a lot in the log."""
    plan = copying.drain_default(EVENTS, copied(), CopyLimits())
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    targets = begun.copy.targets
    parent = copied().parent
    assert parent is not None
    leaf = Relation(targets[0].built, tuple(index for index in parent.indexes if index.primary))
    run = CopyRun("drain", EVENTS.parent, "16400:16400:1", targets, cut=True)
    return copying.drain_default(
        EVENTS, replace(copied(), run=run, leaves=(leaf,), backlog=2001, has_tables=Stored.CURRENT), CopyLimits()
    )


@case
def drain_of_another_table() -> Plan:
    """The default partition was truncated meanwhile: all that was made goes, and it begins again."""
    plan = copying.drain_default(EVENTS, copied(), CopyLimits())
    begun = next(step for step in plan.steps if isinstance(step, BeginCopy))
    run = CopyRun("drain", EVENTS.parent, "16400:16399:1", begun.copy.targets, cut=True)
    made = frozenset(target.built.name for target in begun.copy.targets)
    return copying.drain_default(
        EVENTS, replace(copied(), run=run, taken=made, has_tables=Stored.CURRENT), CopyLimits()
    )


@case
def drain_nothing_to_do() -> Plan:
    """No row in the default partition that has a window."""
    return copying.drain_default(EVENTS, replace(copied(), filled=()), CopyLimits())


@case
def split_beside_a_default() -> Plan:
    """A partition without a beginning, foreign keys both ways, up to PostgreSQL 17."""
    likes = ForeignKey(
        "likes_event_fkey",
        name("public.likes"),
        ("event", "at"),
        EVENTS.parent,
        ("id", "created_at"),
        "FOREIGN KEY (event, at) REFERENCES events(id, created_at)",
    )
    place = ForeignKey(
        "events_place_fkey",
        EVENTS.parent,
        ("place",),
        name("public.places"),
        ("id",),
        "FOREIGN KEY (place) REFERENCES places(id)",
    )
    before = Partition(name("public.events_before"), None, "2026-12-01 00:00:00+00")
    default = Partition(name("public.events_default"), None, None, default=True)
    parent = replace(
        partitioned(), partitions=(before, default), incoming=(likes,), foreign_keys=(place,), primary_key=("id",)
    )
    seen = replace(
        copied(),
        parent=parent,
        source=simple("public.events_before"),
        filled=two_months(EVENTS),
        has_tables=Stored.CURRENT,
        server=Server(170000),
    )
    return copying.split(EVENTS, before.name, seen, CopyLimits())


def copied() -> Copying:
    default = Partition(name("public.events_default"), None, None, default=True)
    indexes = tuple(
        replace(index, constraint="PRIMARY KEY (id, created_at)", columns=("id", "created_at"))
        if index.primary
        else index
        for index in partitioned().indexes
    )
    parent = replace(partitioned(), partitions=(default,), primary_key=("id", "created_at"), indexes=indexes)
    month = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Copying(
        parent,
        simple("public.events_default"),
        None,
        has_tables=Stored.MISSING,
        key=(KeyColumn("id", "bigint"), KeyColumn("created_at", AWARE)),
        control=KeyColumn("created_at", AWARE),
        identity="16400:16400:1",
        logging=True,
        filled=(Range(month.replace(month=9), month.replace(month=10)), Range(month, month.replace(month=12))),
    )
