"""`archive export --dry-run` prints the statements that the export sends, those that read the rows among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from adbc_driver_postgresql import dbapi

from tests.support.archives import NOW, build
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.files, pytest.mark.majors]

KINDS = {
    "a table": ("s.t_01",),
    "a range": ("s.t", "--since", "2026-01-05", "--until", "2026-02-03"),
    "dropped": ("s.t", "--older-than", "2 months", "--now", NOW, "--drop"),
}
_KNOWN_THEN = re.compile(r"VALUES \([^;]*?\) ON CONFLICT|SNAPSHOT '[^']*'|'\d+ms'", re.DOTALL)


@contextmanager
def sent() -> Iterator[list[str]]:
    """Every statement that this process sends, whichever driver sends it."""
    found: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for cursor, name in ((dbapi.Cursor, "execute"), (psycopg.Cursor, "execute"), (psycopg.Cursor, "copy")):
            patch.setattr(cursor, name, _told(getattr(cursor, name), found))
        yield found


def _told(method: Any, found: list[str]) -> Any:
    def call(self: Any, statement: Any, *arguments: Any, **more: Any) -> Any:
        found.append(statement.decode() if isinstance(statement, bytes) else str(statement))
        return method(self, statement, *arguments, **more)

    return call


def same(statement: str) -> str:
    """What differs between a dry run and the run is left out: how long it may wait, the snapshot, what was counted."""
    return _KNOWN_THEN.sub("", " ".join(statement.split()).replace("%%", "%"))


@pytest.mark.parametrize("form", ["parquet", "copy"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_statement_is_sent_in_that_order(database: Database, tmp_path: Path, kind: str, form: str) -> None:
    build(database)
    words = ("archive", "export", *KINDS[kind], "--to", str(tmp_path), "--as", form)
    dry = shell(database, *words, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert list(tmp_path.iterdir()) == []
    assert database.sql("SELECT to_regclass('schema_kit.archive_file')") == [(None,)]
    reads = [line for line in dry.stdout.splitlines() if line.startswith(("-- SELECT", "-- S", "COPY"))]
    lines = [line.removeprefix("-- ") if line in reads else line for line in dry.stdout.splitlines()]
    text = "\n".join(line for line in lines if not line.startswith("--"))
    shown = [same(each) for each in re.split(r";\n", text) if each.strip()]
    shown = [each for each in shown if not each.startswith("RESET")]  # the session's own values are put back
    with sent() as statements:
        done = shell(database, *words, *(["--yes"] if "--drop" in words else []))
    assert done.returncode == 0, done.stderr
    real, place = same("; ".join(statements)), 0
    for each in shown:
        place = real.find(each, place)
        assert place >= 0, (each, real)
        place += len(each)
    assert sum("s.t" in each.replace('"', "") and each.startswith(("SELECT ", "COPY")) for each in shown) >= 1


def test_as_json_the_files_alone(database: Database, tmp_path: Path) -> None:
    build(database)
    told = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--dry-run", "--format", "json").stdout
    assert '"table": "s.t_01"' in told
    assert "SELECT" not in told
