"""The embedded server: where it lies, started, found, connected to, and its settings."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from schema_kit import embedded
from tests.support.embedded import FAST, ask, start

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]


def test_the_folder_lies_next_to_alembic_ini(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEMA_KIT_PG_DATA", raising=False)
    below = project / "a" / "b"
    below.mkdir(parents=True)
    assert embedded.find_alembic_folder(below) == below
    (project / "alembic.ini").touch()
    monkeypatch.chdir(below)
    assert embedded.find_alembic_folder() == project
    assert embedded.data_folder() == project / ".schema_kit"
    assert embedded.data_folder(below) == below / ".schema_kit"
    monkeypatch.setenv("SCHEMA_KIT_PG_DATA", "elsewhere")
    assert embedded.data_folder(project) == below / "elsewhere"


@pytest.mark.exhaustive
def test_start_finds_what_runs_and_data_survive_a_stop(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded.status(folder) is None
    assert not folder.exists(), "status makes nothing"
    server = embedded.start(folder, settings=FAST)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert str(folder) in said.err
    assert server.version in said.err
    assert "schema_kit db stop" in said.err
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert start(folder) == server == embedded.status(folder)
    assert embedded.stop(folder)
    assert not embedded.stop(folder)
    assert embedded.status(folder) is None
    assert not server.socket_dir.exists()
    assert ask(start(folder), "SELECT answer FROM kept") == 42


def test_no_other_user_can_connect_and_nothing_listens_on_the_network(folder: Path) -> None:
    server = start(folder)
    for path in (folder, folder / "data", server.socket_dir):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        assert pwd.getpwuid(path.stat().st_uid).pw_name == server.account
    assert ask(server, "SHOW listen_addresses") == ""
    assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432.lock")) < 104
    assert (folder / ".gitignore").read_text() == "*\n"


def test_the_url_serves_psycopg_and_sqlalchemy(folder: Path) -> None:
    server = start(folder)
    url = make_url(server.url())
    assert (url.username, url.database) == ("postgres", "schema_kit")
    assert dict(url.query) == {"host": str(server.socket_dir), "port": "5432"}
    assert ask(server, "SELECT current_database()") == "schema_kit"


@pytest.mark.exhaustive
def test_settings(folder: Path) -> None:
    server = start(folder)
    assert ask(server, "SHOW fsync") == "off"
    assert ask(server, "SHOW max_wal_size") == "4GB"
    assert ask(server, "SHOW timezone") == "UTC"
    ask(server, "CREATE EXTENSION pg_stat_statements")
    assert isinstance(ask(server, "SELECT count(*) FROM pg_stat_statements"), int)
    embedded.stop(folder)
    embedded.start(folder, quiet=True)
    assert ask(server, "SHOW fsync") == "on", "unless a test says otherwise, data are safe"


@pytest.mark.exhaustive
def test_a_long_path_has_a_short_socket(project: Path) -> None:
    deep = project / ("d" * 100) / "with 'quotes' and $HOME"
    deep.mkdir(parents=True)
    try:
        assert ask(start(deep / ".schema_kit"), "SELECT 1") == 1
    finally:
        embedded.reset(deep / ".schema_kit")


@pytest.mark.exhaustive
def test_a_dropped_database_is_made_again(folder: Path) -> None:
    server = start(folder)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE schema_kit")
    assert ask(start(folder), "SELECT 1") == 1


@pytest.mark.exhaustive
def test_thai_has_trigrams(folder: Path) -> None:
    server = start(folder)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        trigrams = connection.execute("SELECT show_trgm('สวัสดีครับ')").fetchone()
        assert trigrams
        assert len(trigrams[0]) > 5
        connection.execute("CREATE TABLE said (words text)")
        connection.execute(
            "INSERT INTO said SELECT 'filler ' || n FROM generate_series(1, 5000) n"
            " UNION ALL VALUES ('เช้านี้ สวัสดีครับ ทุกคน'), ('Crème brûlée')"
        )
        connection.execute("CREATE INDEX ON said USING gin (words gin_trgm_ops)")
        connection.execute("SET enable_seqscan = off")
        for pattern in ("%สวัสดี%", "%brûlée%"):
            plan = connection.execute("EXPLAIN SELECT * FROM said WHERE words LIKE %s", [pattern]).fetchall()
            assert "Bitmap Index Scan" in str(plan)
            found = connection.execute("SELECT * FROM said WHERE words LIKE %s", [pattern]).fetchall()
            assert len(found) == 1
