"""The tour of README prints what README shows."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.support.cli import alembic, spawned
from tests.support.database import Database
from tools.reference import ROOT

pytestmark = [pytest.mark.docs, pytest.mark.pack, pytest.mark.exhaustive]

DAY = "2026-11-30"


def tour() -> dict[str, str]:
    """Each command of the tour, and its output."""
    shown = (ROOT / "README.md").read_text("utf-8").split("```console\n")[1].split("```")[0]
    parts = re.split(r"^\$ (.*)\n", shown, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def printed(database: Database, command: str) -> str:
    program, *arguments = shlex.split(command)
    if program == "alembic":
        done = alembic(database, "-x", f"now={DAY}", *arguments)
    else:
        assert program == "schema_kit"
        done = spawned(database, *arguments, *(() if "--now" in arguments else ("--now", DAY)), timeout=None)
    assert done.returncode == 0, done.stderr
    return done.stdout


def masked(output: str) -> list[list[str]]:
    """The words of each line, without rows and sizes, which depend on the sample."""
    return [re.sub(r"\d+ +\d+ kB", "", line).split() for line in output.strip().splitlines()]


def test_the_tour_prints_what_the_readme_shows(database: Database) -> None:
    commands = tour()
    assert len(commands) == 3
    up = alembic(database, "-x", f"now={DAY}", "-x", "sample=yes", "upgrade", "head")
    assert up.returncode == 0, up.stderr
    for command, shown in commands.items():
        assert masked(printed(database, command)) == masked(shown), command
