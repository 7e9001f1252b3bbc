"""`schema_kit doctor` on projects that are broken: each is a line of its report, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from click.testing import CliRunner

from schema_kit.cli import cli
from tests.support.database import Database

pytestmark = [pytest.mark.cli, pytest.mark.projects]


def writes(name: str, text: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(text)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no env.py": (lambda folder: (folder / "migrations/env.py").unlink(), "env.py"),
    "a syntax error": (writes("migrations/env.py", b"def f(:\n"), "env.py"),
    "a null byte": (writes("migrations/env.py", b"import schema_kit\0\n"), "env.py"),
    "another encoding": (writes("migrations/env.py", b"# \xe4\xf6\nimport schema_kit\n"), "env.py"),
    "no import": (writes("migrations/env.py", b"from alembic import context\n"), "env.py"),
    "no ini's lines": (writes("alembic.ini", b"garbage\n"), "alembic.ini"),
    "half an ini's line": (writes("alembic.ini", b"[alembic]\nscript_location = migrations\n2\n"), "alembic.ini"),
    "an ini of bytes": (writes("alembic.ini", b"\xff\xfe\x00"), "alembic.ini"),
    "an option twice": (writes("alembic.ini", b"[alembic]\na = 1\na = 2\n"), "alembic.ini"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_broken_is_a_line(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    command.init(Config(tmp_path / "alembic.ini", stdout=None), str(tmp_path / "migrations"))  # type: ignore[arg-type]
    broken, code = BROKEN[case]
    broken(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["doctor", "--url", database.url, "--format", "json"])
    assert done.exit_code == 4, done.output
    found = {one["code"]: one for one in json.loads(done.stdout)}
    assert found[code]["wrong"], found
    assert "url" in found  # the database is looked at all the same
