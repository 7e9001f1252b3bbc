"""Moves to another server and back that are killed at every place: no row is lost, and none is seen twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schema_kit import execute
from schema_kit.errors import SchemaKitError
from schema_kit.script import LockPolicy, render
from schema_kit.steps import Step
from tests.support.archives import VIEW, attached, restore
from tests.support.cli import ROOT, command
from tests.support.cold import LATE, Cold, content, foreign, run, with_cold
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors, pytest.mark.exhaustive]

THERE = ["t_01__cold", "t_02__cold", "t_03__cold"]


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, after: int) -> Iterator[None]:
    """The session ends before so many statements of steps: what the server has committed by then stays there."""
    left = after

    def cut(step: Step, policy: LockPolicy, *arguments: Any, **more: Any) -> tuple[str, ...]:
        nonlocal left
        found = render(step, policy, *arguments, **more)
        if left < len(found):
            found = (*found[:left], "SELECT pg_terminate_backend(pg_backend_pid())")
        left -= len(found)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(execute, "render", cut)
        yield


def killed_until_done(database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch, work: Any, seed: int) -> int:
    """Run it again and again, and kill it somewhere, a little later each time; every time the view is the same."""
    before, chance, times = content(database), random.Random(seed), 0
    while True:
        with dying(monkeypatch, 3 * times + chance.randrange(6)):
            ended = work()
        assert content(database) == before
        if ended.returncode == 0:
            return times
        assert "connection lost" in ended.stderr or "57P01" in ended.stderr, ended.stderr
        times += 1


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.deep), pytest.param(2, marks=pytest.mark.deep)])
def test_killed_between_any_two_statements(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    with_cold(database, cold)
    assert killed_until_done(database, cold, monkeypatch, lambda: run(database), seed) > 3
    assert (foreign(database), cold.tables()) == (THERE, ["t_01", "t_02", "t_03"])
    assert (run(database).stdout, attached(database, "s.t_archive")) == ("", "04 05")
    back = killed_until_done(
        database, cold, monkeypatch, lambda: restore(database, "2026-01-01", "2026-04-01", "--now", LATE), seed
    )
    assert back > 3
    assert (foreign(database), cold.tables()) == ([], [])
    assert database.sql("SELECT * FROM schema_kit.cold_partition") == []
    assert attached(database).startswith("01 02 03")


def test_a_repair_that_carries_columns_is_killed_between_any_two_statements(
    database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    own = f"(SELECT id, at, word FROM s.{VIEW})"
    before, times = content(database, own), 0
    database.sql("ALTER TABLE s.t ADD more int DEFAULT 7")
    while True:
        try:
            with dying(monkeypatch, 2 * times):
                perform(database, lambda op: op.repair_archive_table("t", schema="s", view=VIEW))
            break
        except SchemaKitError:
            assert content(database, own) == before
            times += 1
    assert times > 3
    assert database.sql(f"SELECT DISTINCT more FROM s.{VIEW}") == [(7,)]
    back = restore(database, "2026-01-01", "2026-04-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert (content(database, own), cold.tables()) == (before, [])


def killed_after(database: Database, words: tuple[str, ...], events: int) -> bool:
    """Start a process, and kill it (-9) once it has reported so many events; whether it ended before."""
    with subprocess.Popen(
        command(database, *words, "--format", "json"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr
        for _ in range(events):
            if not process.stderr.readline():
                break
        else:
            os.kill(process.pid, signal.SIGKILL)
        process.stderr.read()
    return process.returncode == 0


def test_a_process_killed_at_any_event(database: Database, cold: Cold) -> None:
    """PostgreSQL goes on with what it was sent, for a client that is gone."""
    with_cold(database, cold)
    before = content(database)
    there = ("archive", "run", "--now", LATE)
    back = ("archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01", "--now", LATE)
    for words in (there, back):
        events = 1
        while not killed_after(database, words, events):
            assert content(database) == before
            events += 4
        assert content(database) == before
    assert foreign(database) == ["t_03__cold"]
