"""The embedded server by ``schema_kit db``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.embedded import REPOSITORY

pytestmark = [pytest.mark.embedded, pytest.mark.postgres]


def cli(project: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])}
    environment.pop("SCHEMA_KIT_PG_DATA", None)
    command = [sys.executable, "-m", "schema_kit", "db", *args]
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.exhaustive
def test_commands(project: Path) -> None:
    (project / "alembic.ini").touch()
    idle = cli(project, "status")
    assert (idle.returncode, idle.stderr) == (1, "")
    assert idle.stdout.startswith("not running")
    url = cli(project, "url")
    assert url.returncode == 0
    assert url.stdout.startswith("postgresql://postgres@/schema_kit?host=%2F")
    assert url.stderr.startswith("schema_kit: embedded PostgreSQL ")
    running = cli(project, "status")
    assert (running.returncode, running.stderr) == (0, "")
    assert url.stdout.strip() in running.stdout
    assert cli(project, "psql", "-Atc", "SELECT 'สวัสดี'").stdout == "สวัสดี\n"
    assert cli(project, "psql", "-d", "postgres", "-Atc", "SELECT current_database()").stdout == "postgres\n"
    assert cli(project, "stop").stderr == "stopped; the data stay\n"
    assert cli(project, "stop").stderr == "it was not running\n"
    refused = cli(project, "reset")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert (project / ".schema_kit").exists()
    assert cli(project, "reset", "--yes").returncode == 0
    assert not (project / ".schema_kit").exists()


@pytest.mark.parametrize("command", ["status", "url", "stop", "psql", "reset"])
def test_every_command_has_an_example(project: Path, command: str) -> None:
    assert "Example: " in cli(project, command, "--help").stdout
