"""A revision that mixes operations that commit with ordinary work is refused before it commits, in every env.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.util import CommandError

from schema_kit.errors import PlanError
from tests.support.database import Database
from tests.support.projects import Project, upgrade

pytestmark = [pytest.mark.projects, pytest.mark.libraries]

COMMITS = 'op.create_index_concurrently("ix", "t", ["a"])'
MIXED = {
    "before": f'op.add_column("t", sa.Column("b", sa.Integer))\n{COMMITS}',
    "after": f'{COMMITS}\nop.add_column("t", sa.Column("b", sa.Integer))',
    "ours that joins": f'op.create_extension("pg_trgm")\n{COMMITS}',
    "a statement": f'{COMMITS}\nop.execute("UPDATE t SET a = 1")',
    "a text": f'{COMMITS}\nop.execute(sa.text("INSERT INTO t VALUES (1)"))',
    "in a loop": f'{COMMITS}\nfor name in ("b", "c"):\n    op.add_column("t", sa.Column(name, sa.Integer))',
    "in a block": f'with op.batch_alter_table("t") as one:\n    one.add_column(sa.Column("b", sa.Integer))\n{COMMITS}',
    "in a function": f"{COMMITS}\nhelper()",
    "in a try": f'try:\n    op.add_column("t", sa.Column("b", sa.Integer))\nfinally:\n    pass\n{COMMITS}',
}
ALONE = {
    "settings": f"op.execute(\"SET work_mem = '9MB'\")\n{COMMITS}",
    "looks": f'op.get_bind().execute(sa.text("SELECT 1"))\nop.execute("SELECT 1")\n{COMMITS}',
    "a block that commits": (
        f'with op.get_context().autocommit_block():\n    op.execute("INSERT INTO t VALUES (1)")\n{COMMITS}'
    ),
    "under a condition": f'if False:\n    op.add_column("t", sa.Column("b", sa.Integer))\n{COMMITS}',
    "after the end": f'{COMMITS}\nreturn\nop.add_column("t", sa.Column("b", sa.Integer))',
    "in a lambda": f'later = lambda: op.add_column("t", sa.Column("b", sa.Integer))\n{COMMITS}',
}
ENVS = ("environment.run", "hand-written", "one_migrator", "multidb")
HELPER = '\ndef helper():\n    op.add_column("t", sa.Column("b", sa.Integer))\n'


def run(database: Database, folder: Path, env: str, body: str) -> None:
    database.sql("CREATE TABLE t (a int)")
    config = Project("public", "psycopg", env).write(folder / "project", database.url, (body,))
    revision = folder / "project" / "versions" / "r00.py"
    revision.write_text(revision.read_text() + HELPER, encoding="utf-8")
    upgrade(config)


def state(database: Database) -> list[tuple[object, ...]]:
    return database.sql(
        "SELECT (SELECT count(*) FROM pg_indexes WHERE indexname = 'ix'), (SELECT count(*) FROM t), "
        "(SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0)"
    )


@pytest.mark.parametrize("env", ENVS)
@pytest.mark.parametrize("mixed", ["before", "after", "in a function"])
def test_refused_in_every_env(database: Database, tmp_path: Path, env: str, mixed: str) -> None:
    with pytest.raises((PlanError, CommandError), match=r"(?s)index_concurrently \(line \d+\).*op.add_column"):
        run(database, tmp_path, env, MIXED[mixed])
    assert state(database) == [(0, 0, 1)]


@pytest.mark.parametrize("mixed", [each for each in MIXED if each not in ("before", "after", "in a function")])
def test_refused_whatever_joins(database: Database, tmp_path: Path, mixed: str) -> None:
    with pytest.raises(PlanError, match=r"calls op\.create_index_concurrently"):
        run(database, tmp_path, "hand-written", MIXED[mixed])
    assert state(database) == [(0, 0, 1)]


@pytest.mark.parametrize("alone", ALONE)
def test_what_is_not_mixed_runs(database: Database, tmp_path: Path, alone: str) -> None:
    run(database, tmp_path, "environment.run", ALONE[alone])
    assert state(database)[0][0] == 1
