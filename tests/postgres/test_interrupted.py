"""Ctrl-C and SIGTERM in the middle of `alembic upgrade`: the statement is cancelled, a sentence, 130 or 143."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import alembic, interruptible
from tests.support.database import Database
from tests.support.locks import wait_until
from tests.support.projects import Project

pytestmark = [pytest.mark.projects, pytest.mark.libraries, pytest.mark.exhaustive]

CHAIN = (
    '    op.create_table("t", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("n", sa.Integer))\n',
    '    op.create_index_concurrently("ix", "t", ["n"])\n',
)
PAUSES = '    op.drop_table_concurrently("t")\n'
BY_ALEMBIC = '    op.execute("SELECT pg_sleep(600)")\n'
ACTIVE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ '{0}' "
    "AND pid <> pg_backend_pid()"
)
CASES = [
    ("psycopg", "environment.run", "operation"),
    ("psycopg", "hand-written", "operation"),
    ("psycopg2", "hand-written", "operation"),
    ("asyncpg", "environment.run", "operation"),
    ("asyncpg", "hand-written", "operation"),
    ("psycopg", "environment.run", "statement"),
    ("asyncpg", "environment.run", "statement"),
    ("psycopg", "hand-written", "pause"),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_what_runs_is_cancelled(database: Database, tmp_path: Path, case: tuple[str, str, str], number: int) -> None:
    driver, env, where = case
    folder, operation = tmp_path / "migrations", where == "operation"
    chain = (CHAIN[0], {"operation": CHAIN[1], "statement": BY_ALEMBIC, "pause": PAUSES}[where])
    Project("public", driver, env).write(folder, database.url, chain)
    envpy = folder / "env.py"
    text = envpy.read_text(encoding="utf-8").replace('attributes["before_and_after"]', 'attributes.setdefault("x", [])')
    options = '{"transaction_per_migration": True}' if env == "hand-written" else "{}"
    envpy.write_text(text.replace('attributes.get("options", {})', f'attributes.get("options", {options})'))
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n", encoding="utf-8")
    assert alembic(database, "upgrade", "r00", cwd=tmp_path).returncode == 0

    older = database.connect(autocommit=False)
    older.execute("INSERT INTO t VALUES (1, 1)")  # a build waits until its transaction has ended
    active = ACTIVE.format("^CREATE INDEX CONCURRENTLY" if operation else "pg_sleep")
    call = [sys.executable, "-m", "alembic", "upgrade", "head"]
    with interruptible(call, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if where == "pause":
            assert process.stderr is not None
            next(line for line in process.stderr if "waiting " in line)
        else:
            wait_until(lambda: database.sql(active) == [(1,)])
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in out + err
    assert "interrupted; what was committed stays" in err
    wait_until(lambda: database.sql(active) == [(0,)])
    assert database.sql("SELECT version_num FROM alembic_version") == [("r00",)]
    older.rollback()
    if operation:
        assert alembic(database, "upgrade", "head", cwd=tmp_path).returncode == 0
        assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]
