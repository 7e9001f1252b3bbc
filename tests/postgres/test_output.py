"""What prints suits any terminal and any reader: ASCII, other client encodings, 80 columns, a reader that goes."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.archives import NOW, archived
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.matrix import thinned
from tests.support.ttl import policy

pytestmark = [pytest.mark.cli]

TABLE = "ตาราง_ที่มีชื่อยาว"  # 18 letters, 54 bytes
LONG = "s.a_table_whose_name_is_as_long_as_postgresql_lets_it_be_63_bytes"

PRINTING = {
    "list": "partitions list",
    "list --format json": "partitions list --format json",
    "check": "partitions check",
    "check --format json": "partitions check --format json",
    "check --format metrics": "partitions check --format metrics",
    "timeline": "partitions timeline",
    "timeline --format json": "partitions timeline --format json",
    "create-next --dry-run": "partitions create-next --dry-run",
    "create-next --format json": "partitions create-next --dry-run --format json",
    "maintain --dry-run": "partitions maintain --dry-run",
    "retire --dry-run": "partitions retire --dry-run",
    "fill-gaps --dry-run": "partitions fill-gaps --dry-run",
    "archive run --dry-run": "archive run --dry-run",
    "archive status": "archive status",
    "archive status --format json": "archive status --format json",
    "archive verify": "archive verify --checksums",
    "archive files": "archive files",
    "archive files --format json": "archive files --format json",
    "archive export --dry-run": f"archive export s.{TABLE} --to /tmp --dry-run",
    "ttl status": "ttl status",
    "ttl run --dry-run": "ttl run --dry-run",
}
NO_CLOCK = ("archive files", "sql", "health", "status", "doctor")


@pytest.fixture
def odd(database: Database) -> Database:
    """A table with an archive, a file and a time-to-live, whose names no ASCII terminal can show."""
    archived(database, TABLE)
    database.sql(
        f"CREATE TABLE s.{LONG[2:]} (id bigint PRIMARY KEY, at timestamptz)",
        f"CREATE INDEX ON {LONG} (at)",
        f"INSERT INTO {LONG} VALUES (1, '2020-01-01')",
    )
    policy(database, LONG[2:], "at", age="1 year", schema="s")
    return database


def run(database: Database, words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    now = [] if words.startswith(NO_CLOCK) else ["--now", NOW]
    return subprocess.run(
        command(database, *words.split(), *now),
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1", **variables},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", thinned(PRINTING, "list"))
def test_an_ascii_terminal(odd: Database, name: str) -> None:
    words = PRINTING[name]
    plain = run(odd, words, PYTHONIOENCODING="utf-8")
    done = run(odd, words, PYTHONIOENCODING="ascii", LC_ALL="C", PGCLIENTENCODING="LATIN1")
    assert done.returncode == plain.returncode in (0, 4), done.stderr
    assert b"Traceback" not in done.stderr
    if "json" in words:
        assert json.loads(done.stdout.decode("ascii")) == json.loads(plain.stdout)
    elif "timeline" in words:
        assert "█" not in done.stdout.decode()
    else:
        assert done.stdout == plain.stdout, "the same bytes: an escaped name would be another one"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252"])
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", PRINTING)
def test_the_encoding_of_other_clients(odd: Database, name: str, encoding: str) -> None:
    words = PRINTING[name]
    plain = run(odd, words, PYTHONIOENCODING="utf-8")
    done = run(odd, words, PYTHONIOENCODING="utf-8", PGCLIENTENCODING=encoding)
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout), done.stderr


@pytest.mark.parametrize("name", thinned(PRINTING, "list"))
def test_a_reader_that_goes_away(odd: Database, name: str) -> None:
    words = PRINTING[name]
    now = [] if words.startswith(NO_CLOCK) else ["--now", NOW]
    line = " ".join(map(shlex.quote, command(odd, *words.split(), *now)))
    done = subprocess.run(
        ["/bin/bash", "-c", f"{line} | head -c 1; echo code=${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.search(r"code=[04]$", done.stdout), done.stdout + done.stderr
    assert "BrokenPipe" not in done.stderr
    assert "Traceback" not in done.stderr


STREAMS = ("</dev/null", "<&-", ">&-", "2>&-", "2>/dev/full", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>&1")


@pytest.mark.parametrize("streams", STREAMS)
@pytest.mark.parametrize("name", thinned(["list", "timeline", "ttl run --dry-run", "check --format metrics"], "list"))
def test_a_stream_that_is_closed_or_full(odd: Database, name: str, streams: str) -> None:
    """A closed stream is not a failure; a full disk is one."""
    words = PRINTING[name]
    now = [] if words.startswith(NO_CLOCK) else ["--now", NOW]
    line = " ".join(map(shlex.quote, command(odd, *words.split(), *now)))
    script = f"{line} >/dev/null 2>&1; echo plain=$?; {line} {streams}; echo code=$?"
    done = subprocess.run(["/bin/bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    plain, code = (re.search(rf"^{what}=(\d+)$", done.stdout, re.MULTILINE) for what in ("plain", "code"))
    assert plain, done.stdout
    assert code, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stdout + done.stderr
    if not streams.startswith(">/dev/full"):
        assert code[1] == plain[1]
        return
    assert code[1] == "1"
    if streams == ">/dev/full":
        assert done.stderr.endswith("error: stdout cannot be written: No space left on device.\n")


@pytest.mark.exhaustive
def test_work_goes_on_without_a_reader(odd: Database) -> None:
    line = " ".join(map(shlex.quote, command(odd, "archive", "run", "--now", NOW, "--format", "json")))
    done = subprocess.run(
        ["/bin/bash", "-c", f"{line} 2>&1 | true; echo code=${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("code=0\n"), done.stdout + done.stderr
    moved = f"SELECT count(*) FROM pg_inherits WHERE inhparent = 's.{TABLE}_archive'::regclass"
    assert odd.sql(moved) == [(2,)]


LISTS = ("partitions list", "partitions check", "archive status", "partitions timeline")


def on_a_terminal(database: Database, words: str, columns: int) -> str:
    master, slave = pty.openpty()
    now = [] if words.startswith(NO_CLOCK) else ["--now", NOW]
    with subprocess.Popen(
        command(database, *words.split(), *now)[: -2 if words == "sql list" else None],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "dumb", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=subprocess.DEVNULL,
    ):
        os.close(slave)
        seen = b""
        while True:
            try:
                seen += (block := os.read(master, 65536))
            except OSError:
                break
            if not block:
                break
    os.close(master)
    return seen.decode()


WIDE = (
    *LISTS,
    "archive verify --checksums",
    "archive files",
    "ttl status",
    "sql status",
    "sql list",
    "health",
    "status",
    "doctor",
)


@pytest.mark.parametrize("words", thinned(WIDE, "partitions check", "archive verify --checksums", "ttl status"))
def test_eighty_columns(odd: Database, words: str, tmp_path: Path) -> None:
    name = "a_table_with_rather_a_long_name_of_forty"
    archived(odd, name)
    odd.sql(f"ALTER TABLE s.{name} ALTER word SET DEFAULT 'w', ADD CHECK (word <> 'x')")
    if words == "archive files":
        assert shell(odd, "archive", "export", f"s.{name}_01", "--to", str(tmp_path)).returncode == 0
    if words == "ttl status":
        odd.sql(
            f"CREATE TABLE s.child_of_it (id bigint PRIMARY KEY, of_it bigint REFERENCES {LONG} ON DELETE CASCADE)",
            "CREATE INDEX ON s.child_of_it (of_it)",
        )
    lines = on_a_terminal(odd, words, 80).splitlines()
    assert lines
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []


@pytest.mark.parametrize("words", thinned(LISTS, "partitions check"))
def test_names_are_whole_in_a_pipe(database: Database, words: str) -> None:
    table = "a_table_with_rather_a_long_name_of_forty"
    archived(database, table)
    text = shell(database, *words.split(), "--now", NOW).stdout
    assert f"{table}_03" in text or f"{table}_01" in text
    assert "…" not in text.replace("… ", "")


def test_bounds_are_on_the_clock_of_the_table(database: Database, tmp_path: Path) -> None:
    archived(database, timezone="Asia/Bangkok")
    database.sql("UPDATE schema_kit.part_config SET timezone = 'UTC'")
    assert shell(database, "archive", "run", "--now", NOW).returncode == 0
    assert shell(database, "archive", "export", "s.t_04", "--to", str(tmp_path)).returncode == 0
    told = json.loads(shell(database, "archive", "status", "--now", NOW, "--format", "json").stdout)
    assert (told[0]["partitions"][0]["from"], told[0]["partitions"][0]["to"]) == ("2026-01-01", "2026-02-01")
    assert "2026-04-01 to 2026-05-01" in shell(database, "archive", "files").stdout


@pytest.mark.exhaustive
def test_alembics_script_on_an_ascii_terminal(tmp_path: Path) -> None:
    (tmp_path / "m" / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = m\n")
    (tmp_path / "m" / "env.py").write_text("from schema_kit import environment\nenvironment.run()\n")
    (tmp_path / "m" / "versions" / "r.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = 'r', None\n"
        f"def upgrade():\n    op.create_table('{TABLE}', sa.Column('id', sa.Integer))\ndef downgrade():\n    pass\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"CREATE TABLE {TABLE}" in done.stdout.decode().replace('"', "")


@pytest.mark.parametrize("streams", STREAMS)
def test_alembics_streams_that_are_closed_or_full(database: Database, tmp_path: Path, streams: str) -> None:
    """Whatever becomes of what is said: the revisions run."""
    (tmp_path / "m" / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = m\n")
    (tmp_path / "m" / "env.py").write_text("from schema_kit import environment\nenvironment.run()\n")
    head = "from alembic import op\nrevision, down_revision = {!r}, {!r}\n"
    head += "def upgrade():\n    {}\ndef downgrade():\n    {}\n"
    for text in (
        head.format("a", None, "op.execute('CREATE TABLE t (id int)')", "op.execute('DROP TABLE t')"),
        head.format("b", "a", "op.create_index_concurrently('ix', 't', ['id'])", "op.drop_index_concurrently('ix')"),
    ):
        (tmp_path / "m" / "versions" / f"{len(text)}.py").write_text(text)
    for way, made in (("upgrade head", True), ("downgrade base", False)):
        done = subprocess.run(
            ["/bin/bash", "-c", f"{shlex.quote(sys.executable)} -m alembic {way} {streams}"],
            cwd=tmp_path,
            env={**os.environ, "DATABASE_URL": database.url},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert database.sql("SELECT to_regclass('ix') IS NOT NULL") == [(made,)]
    script = f"{shlex.quote(sys.executable)} -m alembic upgrade head --sql {streams}"
    done = subprocess.run(["/bin/bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not streams.startswith(">/dev/full")), done.stderr
    assert "Traceback" not in done.stderr
