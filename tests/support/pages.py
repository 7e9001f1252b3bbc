"""Databases that a report is drawn of, without a server; and the page, read as a browser and a screen reader do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import islice

from schema_kit.health.finding import Finding as HealthFinding
from schema_kit.health.finding import Repair
from schema_kit.model import ArchiveFile, ArchivePolicy, Column, Partition, Partitioning, Size, Table, Watched
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.pages.facts import PERIODS, Disk, Event, Seen, Statement, Upkeep
from schema_kit.pages.growth import Sample
from schema_kit.plans.check import Finding
from schema_kit.plans.timeline import Timeline, timeline

NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)
MB = 1 << 20

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'it\'s & a "quote" ]]> --',
    "\u202eright to left\u202c",
    "جدول الرسائل",
    "ข้อความ",
    "a control \x01 or two \x9b",
    "</style></svg></title><b>",
)
"""Names and texts that a page may have to show."""


def partitioned(
    name: str, months: int = 18, size: Callable[[int], float] = lambda _: 10 * MB, ahead: int = 4, **policy: str
) -> Timeline:
    """A table by months of Bangkok, so many of them over, each as big as *size* says of its number."""
    own = Partitioning(QualifiedName("app", name), "at", "1 mon", "Asia/Bangkok", 4, **policy)  # type: ignore[arg-type]
    table = Table(own.parent, (Column("at", "timestamp with time zone", True),), ("at",), "r")
    lines = grid(own, table)
    first = lines.interval.shift(lines.floor(NOW), -months)
    windows = islice(lines.windows(first, None), months + 1 + ahead)
    parts = tuple(
        _partition(n, *lines.bounds(window), own, size(n) if n < months else 8192) for n, window in enumerate(windows)
    )
    table = replace(table, partitions=parts)
    return timeline(Watched(own, own.parent, table, here=lines.here(NOW), now=NOW))


def _partition(n: int, lower: str, upper: str | None, own: Partitioning, size: float) -> Partition:
    return Partition(
        own.parent.sibling(f"{own.parent.name[:40]} {n}"), lower, upper, rows=int(size // 100), bytes=int(size)
    )


def odd() -> list[Timeline]:
    """Partitioned tables that are hard to draw."""
    bounds: dict[tuple[str, str, str], list[tuple[str | None, str | None]]] = {
        ("far", "timestamp with time zone", "1 mon"): [
            (None, "0001-02-01 00:00:00+00"),
            ("9999-01-01 00:00:00+00", None),
        ],
        ("first", "timestamp with time zone", "1 mon"): [(None, "2026-01-01 00:00:00+00")],
        ("empty", "timestamp with time zone", "1 mon"): [],
        ("ids", "bigint", "1000"): [("0", "1000"), ("1000", "2000"), ("5000", "6000")],
        ("many ids", "bigint", "10"): [(str(n), str(n + 10)) for n in range(0, 5000, 10)],
        ("hours", "timestamp with time zone", "1 hour"): [
            (
                f"2026-11-{n // 24 + 1:02} {n % 24:02}:00:00+00",
                f"2026-11-{(n + 1) // 24 + 1:02} {(n + 1) % 24:02}:00:00+00",
            )
            for n in range(440)
        ],
        ("years", "date", "1 year"): [(f"{year}-01-01", f"{year + 1}-01-01") for year in range(1990, 2030)],
    }
    return [
        _odd(Partitioning(QualifiedName("app", name), "at", interval), type_, found)
        for (name, type_, interval), found in bounds.items()
    ]


def _odd(own: Partitioning, type_: str, found: list[tuple[str | None, str | None]]) -> Timeline:
    parts = tuple(Partition(own.parent.sibling(f"p{n}"), *ends, bytes=8192 * n) for n, ends in enumerate(found))
    table = Table(own.parent, (Column("at", type_, True),), ("at",), "r", partitions=parts)
    return timeline(Watched(own, own.parent, table, here=grid(own, table).here(NOW, 5500), now=NOW))


def snapshots(size: Callable[[int], float], days: int = 60) -> list[Sample]:
    """A snapshot a day up to yesterday, with the size that *size* says of its number."""
    return [Sample(NOW - timedelta(days=days - n), int(size(n)), 1000) for n in range(days)]


def database(*sets: Timeline, plain: int = 3, **more: object) -> Seen:
    """A database with these partitioned tables and some plain ones, and something of everything else."""
    sizes = {one.policy.parent: Size(len(one.segments), sum(s.bytes for s in one.segments), 1000) for one in sets}
    sizes |= {QualifiedName("app", f"plain {n}"): Size(0, 30 * MB + 60 * n, 1000) for n in range(plain)}
    whole = sum(size.bytes for size in sizes.values())
    own = QualifiedName("app", "messages")
    seen = Seen(
        NOW,
        PERIODS["weekly"],
        "shop",
        "18.1",
        bytes=whole,
        sizes=sizes,
        samples={
            'app."plain 1"': snapshots(lambda n: 20 * MB + n * MB / 6),
            "": snapshots(lambda n: whole - (60 - n) * MB),
        },
        sets=sets,
        partitions=[Finding("ahead_missing", str(own), str(own), f"2 partitions of {own} are missing. Run it.")],
        health=[
            HealthFinding("index_invalid", own, "i", "index i is not valid.", Repair("op.reindex('i')", "", "", "")),
            HealthFinding("index_unused", own, "j", "index j was not scanned.", Repair("op.drop('j')", "", "", "")),
        ],
        statements=[Statement("SELECT ? FROM messages", 1000, 60.0, 0.7, 60.0, 900.0)],
        archives=[ArchivePolicy(own, QualifiedName("app", "messages_archive"), "6 months", "partition")],
        files=[_file(own)],
        events=[Event(NOW - timedelta(days=1), "retired", str(own), "app.messages_p0")],
        upkeep=Upkeep(3, 4, 9),
        disk=Disk(2 * whole, whole, "--disk"),
    )
    return replace(seen, **more)  # type: ignore[arg-type]


def _file(table: QualifiedName) -> ArchiveFile:
    return ArchiveFile(
        "s3://b/f.parquet", table, 1, table, "at", None, None, "parquet", 9, 99, "", (), NOW - timedelta(days=2), NOW
    )


def usual() -> Seen:
    """A database with due work, and tables that grow."""
    return database(
        partitioned("messages", size=lambda month: (10 + month) * MB, retention="12 months"),
        partitioned("events", ahead=1),
        partitioned("calm"),
    )


def hostile() -> Seen:
    """The same, with every name and text as a user may have chosen it."""
    seen = database(*(partitioned(name, retention="6 months") for name in HOSTILE))
    names = [QualifiedName(text, text) for text in HOSTILE]
    return replace(
        seen,
        database=HOSTILE[0],
        sizes={**seen.sizes, **{name: Size(0, 900 * MB, 1) for name in names}},
        partitions=[Finding("gap", text, text, text) for text in HOSTILE],
        health=[
            HealthFinding("index_invalid", name, text, text, Repair(text))
            for name, text in zip(names, HOSTILE, strict=True)
        ],
        statements=[Statement(text, 2, 1.0, 0.1, 1.0, 1.0) for text in HOSTILE],
        events=[Event(NOW, text, text, text) for text in HOSTILE],
        archives=[
            replace(seen.archives[0], table=name, archive=name, condition=text)
            for name, text in zip(names, HOSTILE, strict=True)
        ],
        files=[replace(seen.files[0], table=name, parent=name, url=name.name) for name in names],
        work=HOSTILE,
        notes=HOSTILE,
        server=HOSTILE[2],
    )


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    text: str = ""
    """Its own, and that of what it holds."""

    def all(self, *tags: str) -> Iterator[Element]:
        """The elements below it, of these kinds."""
        for child in self.children:
            if not tags or child.tag in tags:
                yield child
            yield from child.all(*tags)


class _Reader(HTMLParser):
    """Reads a page, and refuses elements that do not close in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.at = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), (tag, attrs)
        made = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(made)
        if tag != "meta":
            self.at = made

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> closes <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        at: Element | None = self.at
        while at is not None:
            at.text += data
            at = at.parent


def read(page: str) -> Element:
    """The page as a tree; what does not close, or not in order, fails."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.at is reader.root, f"<{reader.at.tag}> does not close"
    return reader.root
