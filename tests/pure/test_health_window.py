"""Scans within a window: of several servers, of partitions that come, and of indexes that are new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schema_kit.health.checks import examine
from schema_kit.health.facts import Index, Observed, Relation, Server
from schema_kit.health.window import Counted, Snapshot, own, tops, within
from schema_kit.names import QualifiedName

pytestmark = pytest.mark.health

T = QualifiedName("s", "t")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
THEN = NOW - timedelta(days=31)
SEEN = Observed(
    [Relation(T, T, "p"), Relation(T.sibling("p"), T)],
    [
        Index(T.sibling("i"), T, T, "CREATE INDEX i ON ONLY s.t USING btree (v)", "I"),
        Index(
            *(T.sibling("i_p"), T.sibling("p"), T, "CREATE INDEX i_p ON s.p USING btree (v)"),
            parent=T.sibling("i"),
            scans=9,
            bytes=1 << 20,
        ),
    ],
    server=Server(now=NOW),
)


def codes(*servers: Counted) -> list[str]:
    return [one.code for one in examine(within(SEEN, servers))]


def snapshot(scans: int, *, there: bool = True, at: datetime = THEN) -> Snapshot:
    return Snapshot(at, tops(SEEN) if there else frozenset(), {"s.i_p": scans})


def counted(scans: int, before: Snapshot | None, server: str = "", since: datetime | None = None) -> Counted:
    return Counted(server, since, {"s.i_p": scans}, before)


def test_used_before_the_window_only_is_unused() -> None:
    assert own(SEEN) == counted(9, None)
    assert codes(counted(9, snapshot(9))) == ["index_unused"]
    assert codes(counted(9, snapshot(8))) == []
    assert codes(counted(9, snapshot(9, at=NOW - timedelta(days=3)))) == []
    assert codes(counted(9, None)) == [], "since when it counts is not known"


def test_what_no_snapshot_shows_may_be_new() -> None:
    assert codes(counted(0, snapshot(0, there=False))) == ["index_perhaps_unused"]
    assert codes(counted(0, None, since=THEN)) == ["index_perhaps_unused"]


def test_each_server_has_to_agree() -> None:
    primary = counted(9, snapshot(9))
    assert codes(primary, counted(5, snapshot(5), "r")) == ["index_unused"]
    assert codes(primary, counted(5, snapshot(4), "r")) == []
    assert codes(primary, counted(0, None, "r")) == [], "since when the replica counts is not known"
    assert codes(primary, counted(0, None, "r", THEN)) == ["index_perhaps_unused"]
