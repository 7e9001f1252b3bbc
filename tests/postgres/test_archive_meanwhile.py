"""Archives by partition while others read and write, and through kills: no row in two places or in none."""

from __future__ import annotations

import signal
import subprocess
import threading
import time

import psycopg
import pytest

from tests.support.archives import NOW, ROWS, VIEW, archived, attached, in_exactly_one_place, places, reading, run
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.locks import HELD_SECONDS, busy

pytestmark = [pytest.mark.archives, pytest.mark.majors]

BUDGET = 300


@pytest.mark.exhaustive
def test_a_reader_of_the_view_sees_each_row_once_at_every_moment(database: Database) -> None:
    archived(database, view=VIEW)
    expected = (ROWS, ROWS, sum(range(ROWS)))
    with reading(database) as seen:
        for _ in range(6):
            done = run(database, "--restored")
            assert done.returncode == 0, done.stderr
            assert f"in one commit: view s.{VIEW} shows both tables" in done.stdout
            assert attached(database, "s.t_archive") == "01 02"
            back = shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01")
            assert back.returncode == 0, back.stderr
            assert attached(database) == "01 02 03 04 05 06"
    assert seen == {expected}


@pytest.mark.deep
@pytest.mark.parametrize("way", ["concurrently", "view", "default"])
def test_killed_at_every_step_it_ends_where_an_undisturbed_run_ends(database: Database, way: str) -> None:
    ends = []
    for kill in (None, *range(1, 14, 1 if way == "concurrently" else 3)):
        database.sql("SET client_min_messages = error", "DROP SCHEMA IF EXISTS s, schema_kit CASCADE")
        archived(database, view=VIEW if way == "view" else None)
        if way == "default":
            database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
        if kill is not None:
            one = subprocess.Popen(
                command(database, "archive", "run", "--now", NOW, "--format", "json"),
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert one.stderr is not None
            for line, _ in enumerate(one.stderr, 1):
                if line == kill:
                    one.send_signal(signal.SIGKILL)
            one.communicate()
            assert in_exactly_one_place(database) == ROWS
        done = run(database)
        assert done.returncode == 0, done.stderr
        ends.append((places(database), database.sql("SELECT count(*) FROM schema_kit.archived_partition")[0]))
    assert all(end == ends[0] for end in ends)
    assert ends[0][0][1] == "01 02"


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", ["concurrently", "view"])
def test_writers_and_readers_go_on(database: Database, way: str) -> None:
    archived(database, view=VIEW if way == "view" else None)
    ended, failed, longest, rounds = threading.Event(), list[Exception](), [0.0], [0]

    def write(number: int) -> None:
        at = f"2026-05-{number + 10}+00"
        try:
            with psycopg.connect(database.url) as connection:
                while not ended.is_set():
                    rounds[0] += 1
                    for statement in (
                        f"INSERT INTO s.t VALUES ({rounds[0]}000, '{at}', 'new') ON CONFLICT DO NOTHING",
                        f"UPDATE s.t SET word = 'x' WHERE at = '{at}'",
                        "SELECT count(*) FROM s.t",
                        "SELECT count(*) FROM s.t_archive",
                    ):
                        began = time.monotonic()
                        connection.execute(statement.encode())
                        longest[0] = max(longest[0], time.monotonic() - began)
                    connection.commit()
        except psycopg.Error as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    with busy(database, "INSERT INTO s.t VALUES (-1, '2026-05-03', 'open')"):
        done = run(database, "--lock-timeout", f"{BUDGET}ms")
    ended.set()
    for writer in writers:
        writer.join()
    assert done.returncode == 0, done.stderr
    assert not failed
    assert rounds[0] > 10
    assert longest[0] < BUDGET / 1000 + HELD_SECONDS
    assert attached(database, "s.t_archive") == "01 02"


@pytest.mark.exhaustive
def test_two_at_once(database: Database) -> None:
    archived(database)
    with busy(database, "SELECT 1 FROM s.t LIMIT 1", seconds=1.5):
        running = [
            subprocess.Popen(
                command(database, "archive", "run", "--now", NOW), cwd=ROOT, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        ended = [(one.communicate()[1], one.returncode) for one in running]
    assert [code for _, code in ended] == [0, 0], ended
    assert places(database)[:3] == ("03 04 05 06", "01 02", [])
