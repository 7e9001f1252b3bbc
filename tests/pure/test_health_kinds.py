"""Checks of health over facts: chains of locks, standbys, last scans, parts of indexes, temporary files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schema_kit.health.checks import examine
from schema_kit.health.facts import Index, Observed, Relation, Server, Session
from schema_kit.health.finding import Finding
from schema_kit.names import QualifiedName

pytestmark = pytest.mark.health

T = QualifiedName("s", "t")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
USED = Index(T.sibling("i"), T, T, "CREATE INDEX i ON s.t USING btree (v)", bytes=1 << 20)


def found(server: Server, *indexes: Index, replicas: int = 0) -> list[Finding]:
    return examine(Observed([Relation(T, T)], indexes, server=server, replicas=replicas))


def waits(*chain: tuple[int, int], prepared: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    sessions = tuple(Session(pid, "waiting", 90, "app", (by,)) for pid, by in chain)
    server = Server(sessions=sessions, prepared=tuple((gid, 5.0) for gid in prepared))
    return [(one.object, one.repair.sql) for one in found(server) if one.code == "session_waits"]


def test_a_chain_of_sessions_is_one_finding_for_its_head() -> None:
    end = "SELECT pg_terminate_backend({});".format
    assert waits((2, 1), (3, 2), (4, 3), (5, 1)) == [("1", end(1))]
    assert waits((2, 1), (4, 3)) == [("1", end(1)), ("3", end(3))]
    assert len(waits((1, 2), (2, 1))) <= 2, "a circle ends"
    assert waits((2, 0), prepared=("g'1",)) == [("g'1", "ROLLBACK PREPARED 'g''1';")]
    assert waits((2, 0), prepared=("a", "b")) == [("", "SELECT gid, owner, prepared FROM pg_prepared_xacts;")]


def test_on_a_standby_the_primary_has_counters_of_its_own() -> None:
    long_ago = Server(now=NOW, since=NOW - timedelta(days=40))
    index = replace(USED, remembered=True)
    codes = [
        [one.code for one in found(*given)] for given in ((long_ago, index), (replace(long_ago, standby=True), index))
    ]
    assert codes == [["index_unused"], ["index_perhaps_unused"]]


@pytest.mark.parametrize(("days", "expected"), [(40, ["index_unused"]), (3, [])])
def test_a_last_scan_is_enough_without_a_window(days: int, expected: list[str]) -> None:
    index = replace(USED, last_scan=NOW - timedelta(days=days))
    assert [one.code for one in found(Server(now=NOW), index)] == expected


@pytest.mark.parametrize("need", ["constraint", "referenced", "replica_identity", "clustered"])
def test_what_a_part_of_an_index_is_needed_for_the_whole_is(need: str) -> None:
    leaf = T.sibling("leaf")
    top = replace(USED, kind="I", bytes=0, remembered=True)
    part = Index(leaf.sibling("p"), leaf, T, "CREATE INDEX p ON s.leaf USING btree (v)", parent=top.name, bytes=1 << 20)
    long_ago = Server(now=NOW, since=NOW - timedelta(days=40))
    relations = [Relation(T, T, "p"), Relation(leaf, T)]

    def codes(part: Index) -> list[str]:
        return [one.code for one in examine(Observed(relations, [top, part], server=long_ago))]

    assert codes(part) == ["index_unused"]
    assert codes(replace(part, **{need: True})) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("work_mem", "expected"), [(4, ["work_mem_small"]), (256, [])])
def test_temporary_files_that_work_mem_would_hold(work_mem: int, expected: list[str]) -> None:
    files = {"temp_files": 1000, "temp_bytes": 100 << 30, "reset": NOW - timedelta(days=10), "database": 'd "1'}
    server = replace(Server(now=NOW), work_mem=work_mem << 20, **files)  # type: ignore[arg-type]
    told = found(server)
    assert [one.code for one in told] == expected
    assert [one.repair.sql for one in told] == ['ALTER DATABASE "d ""1" SET work_mem = \'128MB\';'][: len(expected)]
