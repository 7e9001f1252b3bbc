"""The server dies in the middle: started and run again, each row is in exactly one place, and the work ends.

On a server of its own. The tests of the commands kill the tool; here the tool sees its connection go.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import schema_kit
from schema_kit import embedded, op
from tests.support.archives import NOW as MAY
from tests.support.archives import VIEW, attached, in_exactly_one_place, places
from tests.support.archives import archived as by_partition
from tests.support.cli import ROOT, command
from tests.support.database import QUICK, Database
from tests.support.matrix import longer
from tests.support.mortal import Mortal
from tests.support.rows import NOW, TABLE
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors, pytest.mark.postgres]

MANY = "INSERT INTO t (id, at, status) SELECT i, '2026-01-01', 'closed' FROM generate_series(1000, 60000) i"


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    folder.chmod(0o755)
    found = Mortal(folder / "pg")
    try:
        yield found
    finally:
        embedded.stop(found.folder)


def aged(database: Database, **policy: Any) -> tuple[Any, ...]:
    """Old rows, an archive, and a policy by rows; what a checksum over both says."""
    database.sql(*TABLE, MANY)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t", archived_at=True)
        op.set_archive_policy("t", "1 minute", way="rows", control="at", archived_at="archived_at", **policy)
    return checksum(database, "t", "t_archive")


def expiring(database: Database) -> tuple[Any, ...]:
    before = aged(database)
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.set_ttl_policy("t", "at", archive_first=True, batch_size=100, target_seconds=0.01)
    return before


def gone(database: Database) -> tuple[Any, ...]:
    before = aged(database)
    done = tool(database, *AWAY).communicate()
    assert database.sql("SELECT count(*) FROM t WHERE at < '2026-11-22'") == [(0,)], done
    return before


def partitions(view: str | None) -> Callable[[Database], tuple[Any, ...]]:
    return lambda database: places(by_partition(database, view=view))[3][0]


def partitions_gone(database: Database) -> tuple[Any, ...]:
    before = places(by_partition(database))[3][0]
    tool(database, *PARTITIONS).communicate()
    assert attached(database, "s.t_archive") == "01 02"
    return before


def rows_now(database: Database) -> tuple[Any, ...]:
    return checksum(database, "t", "t_archive")


def partitions_now(database: Database) -> tuple[Any, ...]:
    assert in_exactly_one_place(database) == 151
    found = database.sql(
        "SELECT 's.t' UNION ALL SELECT 's.t_archive' UNION ALL SELECT partition_name FROM schema_kit.retired_partition "
        "r WHERE NOT EXISTS (SELECT 1 FROM pg_inherits WHERE inhrelid = r.partition_oid AND NOT inhdetachpending)"
        if database.sql("SELECT to_regclass('schema_kit.retired_partition') IS NOT NULL")[0][0]
        else "SELECT 's.t' UNION ALL SELECT 's.t_archive'"
    )
    return checksum(database, *(name for (name,) in found))


AWAY = ("archive", "run", "--now", NOW)
EXPIRE = ("ttl", "run", "--yes", "--now", NOW)
BACK = ("archive", "restore", "t", "--where", "status = 'closed'")
PARTITIONS = ("archive", "run", "--now", MAY)
PARTITIONS_BACK = ("archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-02-10")

CASES: dict[str, tuple[Callable[[Database], tuple[Any, ...]], tuple[str, ...], Callable[[Database], Any], str, Any]] = {
    "rows away": (aged, AWAY, rows_now, "SELECT count(*) FROM t WHERE at < '2026-11-22'", 0),
    "rows away by their age": (expiring, EXPIRE, rows_now, "SELECT count(*) FROM t WHERE at < '2026-11-22'", 0),
    "rows back": (gone, BACK, rows_now, "SELECT count(*) FROM t_archive WHERE status = 'closed'", 0),
    "partitions away": (
        partitions(None),
        PARTITIONS,
        partitions_now,
        "SELECT min(at)::date::text FROM s.t",
        "2026-03-01",
    ),
    "partitions away under a view": (
        partitions(VIEW),
        PARTITIONS,
        partitions_now,
        "SELECT min(at)::date::text FROM s.t",
        "2026-03-01",
    ),
    "partitions back": (
        partitions_gone,
        PARTITIONS_BACK,
        partitions_now,
        "SELECT min(at)::date::text FROM s.t_archive",
        "2026-02-10",
    ),
}


def tool(database: Database, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(database, *arguments, "--format", "json"),
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


EARLY = ((1, signal.SIGKILL), (4, signal.SIGQUIT))
LONGER = tuple(case for case in CASES if case not in ("rows away by their age", "partitions away"))
LATE = ((2, signal.SIGQUIT), (6, signal.SIGKILL))


@pytest.mark.deep
@pytest.mark.parametrize("kills", [EARLY, pytest.param(LATE, marks=pytest.mark.deep)], ids=["early", "late"])
@pytest.mark.parametrize("case", longer(CASES, *LONGER, mark=pytest.mark.deep))
def test_each_row_is_in_one_place_and_the_next_run_ends_it(
    mortal: Mortal, case: str, kills: tuple[tuple[int, signal.Signals], ...]
) -> None:
    begin, arguments, now, question, answer = CASES[case]
    with ExitStack() as stack:
        cut_off = 0
        for line, how in kills:
            database = mortal.database(stack)
            before = begin(database)
            one, told = tool(database, *arguments), ""
            assert one.stderr is not None
            for number, text in enumerate(one.stderr, 1):
                told += text
                if number == line:
                    os.kill(mortal.server.pid, how)
            one.communicate()
            assert "Traceback" not in told
            cut_off += one.returncode != 0
            stack.close()
            mortal.start()
            assert now(database) == before, f"{case}, killed by {how.name} behind event {line}"
            again = tool(database, *arguments)
            assert again.communicate()[1].count("error") == 0
            assert again.returncode == 0
            assert now(database) == before
            assert database.sql(question) == [(answer,)]
        assert cut_off, "no run was cut off: the test kills too late"
