"""The guard of environment.run: a plain statement on a large table is warned of before it is sent, or refused."""

from __future__ import annotations

import logging
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.util import CommandError

from tests.support.lint import Project
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint, pytest.mark.majors]

SCHEMA = """
CREATE TABLE r (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, x int, s varchar(10), r int DEFAULT 1, CONSTRAINT filled CHECK (s IS NOT NULL));
CREATE TABLE small (id int, x int);
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10000);
INSERT INTO r VALUES (1);
INSERT INTO t SELECT i, i, 'a', 1 FROM generate_series(1, 2000) i;
INSERT INTO small SELECT i, i FROM generate_series(1, 10) i;
INSERT INTO p SELECT i FROM generate_series(1, 2000) i;
CREATE MATERIALIZED VIEW m AS SELECT id FROM t;
ANALYZE;
"""
GUARDED = {
    "index": ("op.create_index('ix', 't', ['x'])", "writers wait while the index is built"),
    "unique index": ("op.execute('CREATE UNIQUE INDEX ON public.t (x)')", "writers wait"),
    "index of partitions": ("op.create_index('ix', 'p', ['id'])", "public.p has about 2,000 rows"),
    "foreign key": ("op.create_foreign_key('f', 't', 'r', ['r'], ['id'])", "read from end to end"),
    "check": ("op.create_check_constraint('c', 't', 'x > 0')", "read from end to end"),
    "unique": ("op.create_unique_constraint('u', 't', ['x'])", "the index is built"),
    "not null": ("op.alter_column('t', 'x', nullable=False)", "read from end to end"),
    "type": ("op.alter_column('t', 'x', type_=sa.BigInteger())", "is rewritten"),
    "column": (
        "op.add_column('t', sa.Column('z', sa.Uuid, server_default=sa.text('gen_random_uuid()')))",
        "is rewritten",
    ),
    "update": ("op.execute('UPDATE t SET x = 1')", "about 2,000 of them are written"),
    "delete": ("op.get_bind().execute(sa.text('DELETE FROM t WHERE id > :x'), {'x': 3})", "of them are written"),
    "reindex": ("op.execute('REINDEX TABLE t')", "indexes are built"),
    "refresh": ("op.execute('REFRESH MATERIALIZED VIEW m')", "readers wait"),
}
LEFT_ALONE = {
    "small": "op.create_index('ix', 'small', ['x'])",
    "concurrently": "with op.get_context().autocommit_block():\n"
    "    op.create_index('ix', 't', ['x'], postgresql_concurrently=True)",
    "not valid": "op.create_check_constraint('c', 't', 'x > 0', postgresql_not_valid=True)",
    "wider": "op.alter_column('t', 's', type_=sa.Text())",
    "constant": "op.add_column('t', sa.Column('z', sa.Integer, server_default='0'))",
    "proved": "op.alter_column('t', 's', nullable=False)",
    "few rows": "op.execute('UPDATE t SET x = 1 WHERE id = 3')",
    "ours": "kit.create_index_concurrently('ix', 't', ['x'])",
    "new": "op.create_table('n', sa.Column('id', sa.Integer))\nop.create_index('ix', 'n', ['id'])",
}


def project(folder: Path, target: str, guard: str) -> Project:
    env = f"from schema_kit import environment\nenvironment.run({guard})\n"
    made = Project.new(folder, target, env)
    with psycopg.connect(target, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
    return made


def upgrade(project: Project) -> None:
    config = project.config
    config.set_main_option("sqlalchemy.url", project.scratch.replace("%", "%%"))
    command.upgrade(config, "head")


@pytest.mark.parametrize(
    "name", longer(GUARDED, *(name for name in GUARDED if name not in ("index", "update", "type")))
)
def test_it_is_refused_and_nothing_is_changed(name: str, target: str, tmp_path: Path) -> None:
    made = project(tmp_path / "p", target, "guard='refuse', rows=1000")
    up, said = GUARDED[name]
    made.revision("one", up)
    with pytest.raises(CommandError, match=said):
        upgrade(made)
    with psycopg.connect(target) as connection:
        assert connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)  # all is rolled back


@pytest.mark.parametrize("name", longer(LEFT_ALONE, *(name for name in LEFT_ALONE if name not in ("small", "ours"))))
def test_what_is_an_instant_passes(name: str, target: str, tmp_path: Path) -> None:
    made = project(tmp_path / "p", target, "guard='refuse', rows=1000")
    made.revision("one", LEFT_ALONE[name])
    upgrade(made)


def test_it_warns_where_nothing_is_said(target: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = project(tmp_path / "p", target, "rows=1000")
    made.revision("one", GUARDED["index"][0])
    with caplog.at_level(logging.WARNING, "schema_kit"):
        upgrade(made)
    assert caplog.messages == [
        "public.t has about 2,000 rows: writers wait while the index is built. Write op.create_index_concurrently(...)."
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("guard", "said"), [("guard='loud'", "'warn', 'refuse', 'off'"), ("rows=-1", "a number of rows")]
)
def test_wrong_words_are_refused(guard: str, said: str, target: str, tmp_path: Path) -> None:
    made = project(tmp_path / "p", target, guard)
    made.revision("one", "pass")
    with pytest.raises(CommandError, match=said):
        upgrade(made)


@pytest.mark.exhaustive
def test_off(target: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = project(tmp_path / "p", target, "guard='off', rows=0")
    made.revision("one", GUARDED["index"][0])
    upgrade(made)
    assert not caplog.messages
