"""Each way in says once that nothing was changed, where that is so, and nowhere else; exit code 3 goes with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op, report
from schema_kit.errors import DeclarationError, ExecutionError, PlanError, Refusal
from schema_kit.execute import Event, StepDone
from schema_kit.script import LockPolicy
from tests.support.cli import called, shell
from tests.support.database import Database
from tests.support.projects import Project
from tests.support.tables import month

pytestmark = [pytest.mark.steps, pytest.mark.cli]

SAID = "Nothing was changed"
TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "INSERT INTO t VALUES (1, '2026-01-05')",
)
GOOD = 'op.create_index_concurrently("ix{}", "t", ["at"])'
REFUSED = {
    "the database refuses": 'op.create_index_concurrently("bad", "nowhere", ["at"])',
    "makes no sense": 'op.create_index_concurrently("bad", "t", [])',
    "in a transaction": 'op.drop_ttl_policy("nowhere")',
}
OFFLINE = {name: text for name, text in REFUSED.items() if name == "makes no sense"} | {
    "only online": 'op.drain_default_concurrently("t")'
}


def _operate(database: Database, *texts: str) -> None:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection):
        for text in texts:
            exec(text, {"op": op})  # noqa: S102 - the calls of this file


@pytest.mark.majors
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("first", [False, True])
def test_operations(database: Database, name: str, first: bool) -> None:
    database.sql(*TABLE)
    with pytest.raises(Refusal) as refused:
        _operate(database, *([GOOD.format(1)] if first else []), REFUSED[name])
    assert str(refused.value).count(SAID) == (not first)


def _alembic(tmp_path: Path, url: str, revisions: Sequence[Sequence[str]], *words: str) -> str:
    project = Project(tmp_path, revisions)
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-x", f"url={url}", "upgrade", "head", *words],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr
