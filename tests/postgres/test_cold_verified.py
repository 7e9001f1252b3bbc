"""`archive verify` compares the cold archive too; a server that is stopped ends a step, and holds no lock."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from schema_kit import execute
from schema_kit.steps import cold as steps
from tests.support.archives import VIEW, restore
from tests.support.cli import shell
from tests.support.cold import LATE, Cold, content, foreign, run, with_cold
from tests.support.database import Database

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors]


def verified(database: Database, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = shell(database, "archive", "verify", *arguments, "--format", "json")
    assert result.returncode in (0, 4), result.stderr
    (told,) = json.loads(result.stdout)
    return result.returncode, told


def sentences(told: dict[str, Any]) -> str:
    return "\n".join(one["sentence"] for one in told["differences"])


def test_what_differs_on_the_server_is_named(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert verified(database)[0] == 0
    assert run(database).returncode == 0
    state, told = verified(database, "--checksums")
    assert (state, told["differences"]) == (0, [])
    there = [one["partition"] for one in told["checksums"] if one["partition"].endswith("__cold")]
    assert there == ["s.t_01__cold", "s.t_02__cold", "s.t_03__cold"]
    assert sum(one["rows"] for one in told["checksums"] if one["partition"] in there) > 0
    cold.data.sql("DELETE FROM s.t_02 WHERE id = (SELECT min(id) FROM s.t_02)")
    assert verified(database)[0] == 0  # no row is read
    state, told = verified(database, "--checksums")
    assert (state, [one["kind"] for one in told["differences"]]) == (4, ["cold rows"])
    assert "s.t_02__cold has 27 rows, checksum" in sentences(told)
    assert "28 rows, checksum" in sentences(told)


def test_a_column_that_the_cold_archive_lacks_is_named(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    database.sql("ALTER TABLE s.t ADD more int", "ALTER TABLE s.t_archive ADD more int")
    state, told = verified(database)
    assert state == 4
    assert "column more of s.t_archive is integer and missing there, in s.t_cold" in sentences(told)
    text = shell(database, "archive", "verify")
    assert (text.returncode, "column more of s.t_archive" in text.stdout) == (4, True)


def test_a_server_that_cannot_be_read_is_an_error(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    cold.kill()
    assert verified(database)[0] == 0
    failed = shell(database, "archive", "verify", "--checksums")
    assert (failed.returncode, "s.t_01__cold cannot be read" in failed.stderr) == (3, True), failed.stderr
    cold.start()


@pytest.mark.exhaustive
def test_a_server_that_is_stopped_ends_the_run(database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.sql("SELECT current_setting('server_version_num')::int < 160000") == [(True,)]:
        pytest.skip("before 16 only connect_timeout of the foreign server limits how long it connects")
    with_cold(database, cold)
    before = content(database)
    monkeypatch.setattr(steps, "ANSWERS", 1000)
    monkeypatch.setattr(execute, "_LOOKED", "1s")
    cold.signal(signal.SIGSTOP)
    try:
        failed = run(database)
        assert failed.returncode == 1
        assert "[57014]" in failed.stderr
        hot = f"SELECT count(*) FROM s.{VIEW} WHERE at >= '2026-04-01 00:00+00'"
        assert database.sql(hot)[0][0] == 61
        database.sql("BEGIN", "LOCK TABLE s.t_archive, s.t IN ACCESS EXCLUSIVE MODE NOWAIT", "ROLLBACK")
    finally:
        cold.signal(signal.SIGCONT)
    assert run(database).returncode == 0
    assert foreign(database) == ["t_01__cold", "t_02__cold", "t_03__cold"]
    cold.signal(signal.SIGSTOP)
    try:
        failed = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
        assert (failed.returncode, "[57014]" in failed.stderr) == (1, True), failed.stderr
    finally:
        cold.signal(signal.SIGCONT)
    assert content(database) == before
    back = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert content(database) == before
