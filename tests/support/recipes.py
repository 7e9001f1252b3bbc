"""Projects as docs/projects.md shows them: its code, a chain of revisions up and down, models that agree with it."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table(
    "orders", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.TIMESTAMP(timezone=True), primary_key=True),
    sa.Column("note", sa.Text, index=True),
)
"""
_REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = {own!r}, {before!r}
def upgrade({parameters}):
    {up}
def downgrade({parameters}):
    {down}
"""
CHAIN = (
    (
        'op.create_table("orders", sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False), '
        'sa.Column("at", sa.TIMESTAMP(timezone=True), primary_key=True), sa.Column("note", sa.Text))',
        'op.drop_table("orders")',
    ),
    (
        'op.create_index_concurrently("ix_orders_note", "orders", ["note"])',
        'op.drop_index_concurrently("ix_orders_note", "orders")',
    ),
    ('op.convert_to_partitioned("orders", "at", "1 month", premake=1)', 'op.unpartition("orders")'),
)


def shown(heading: str) -> str:
    """The code under a heading of docs/projects.md."""
    page = (ROOT / "docs" / "projects.md").read_text(encoding="utf-8")
    found = re.search(rf"^### {heading}\n.*?```python\n(.*?)```", page, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def write(folder: Path, parameters: str = "") -> None:
    """The models of a project, and its revisions."""
    (folder / "models.py").write_text(MODELS, encoding="utf-8")
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    for place, (up, down) in enumerate(CHAIN):
        before = f"r{place - 1}" if place else None
        text = _REVISION.format(own=f"r{place}", before=before, up=up, down=down, parameters=parameters)
        (versions / f"r{place}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def other_python(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment with the extra `projects`, made once a run."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if hasattr(pytestconfig, "workerinput") else folder) / "projects"
    folder.mkdir(exist_ok=True)
    python = folder / "venv" / "bin" / "python"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            venv.create(folder / "venv", with_pip=True, symlinks=True)
            ran(
                folder,
                "pip",
                "install",
                "--quiet",
                "--no-compile",
                "-e",
                f"{ROOT}[projects]",
                "asyncpg",
                "greenlet",
                python=str(python),
            )
            (folder / "done").touch()
    return str(python)


def ran(folder: Path, *command: str, python: str = sys.executable, **variables: str) -> str:
    """Run a module in the project's folder; it has to succeed. What it said."""
    done = subprocess.run(
        [python, "-m", *command],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
