"""Under Alembic, where alembic.ini has no logger: a bar on a terminal, lines elsewhere, and the work goes on."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.database import Database

pytestmark = [pytest.mark.cli]

ENV = "from schema_kit import environment\nenvironment.run()\n"
REVISION = """
from schema_kit import op
revision, down_revision = "r", None
def upgrade():
    op.update_in_batches("t", {"v": 2}, batch_size=400)
    op.create_index_concurrently("ix", "t", ["v"])
def downgrade():
    pass
"""


@pytest.fixture
def project(database: Database, tmp_path: Path) -> Path:
    (tmp_path / "m" / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = m\n")
    (tmp_path / "m" / "env.py").write_text(ENV)
    (tmp_path / "m" / "versions" / "r.py").write_text(REVISION)
    database.sql(
        "CREATE TABLE t (id bigint PRIMARY KEY, v int)", "INSERT INTO t SELECT i, 1 FROM generate_series(1, 4000) i"
    )
    return tmp_path


def words(database: Database) -> list[str]:
    return [sys.executable, "-m", "alembic", "-x", f"url={database.url}", "upgrade", "head"]


def test_a_terminal(database: Database, project: Path) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(words(database), cwd=project, env=environment, stdout=slave, stderr=slave):
        os.close(slave)
        seen = b""
        while True:
            try:
                block = os.read(master, 65536)
            except OSError:
                break
            seen += block
            if not block:
                break
    os.close(master)
    text = seen.decode()
    assert "rows" in text
    assert "\r\x1b[K" in text, "written over"
    assert "[schema_kit] create index" in text


def test_a_pipe_whose_reader_goes_away(database: Database, project: Path) -> None:
    line = " ".join(map(shlex.quote, words(database)))
    done = subprocess.run(
        ["/bin/bash", "-c", f"(sleep 0.2; {line}) 2>&1 | true; echo code=${{PIPESTATUS[0]}}"],
        cwd=project,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "code=0" in done.stdout, done.stdout + done.stderr
    assert database.sql("SELECT version_num FROM alembic_version") == [("r",)]
    assert database.sql("SELECT count(*) FROM t WHERE v = 2") == [(4000,)]


def test_a_pipe(database: Database, project: Path) -> None:
    done = subprocess.run(words(database), cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "\r" not in done.stderr
    assert "[schema_kit] create index" in done.stderr
