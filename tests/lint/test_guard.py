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
CREATE TABLE t (id int PRIMARY KEY, x int, s varchar(10), r int DEFAULT 1, w varchar(10),
  CONSTRAINT filled CHECK (s IS NOT NULL));
CREATE TABLE small (id int, x int);
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10000);
INSERT INTO r VALUES (1);
INSERT INTO t SELECT i, i, 'a', 1 FROM generate_series(1, 2000) i;
INSERT INTO small SELECT i, i FROM generate_series(1, 10) i;
INSERT INTO p SELECT i FROM generate_series(1, 2000) i;
CREATE DOMAIN d AS int;
CREATE TABLE c (id int PRIMARY KEY, of_t int REFERENCES t, of_r int REFERENCES r ON DELETE CASCADE, v d);
CREATE INDEX c_of_r ON c (of_r);
CREATE UNIQUE INDEX c_v ON c (v);
CREATE INDEX there ON t (s);
CREATE UNLOGGED TABLE quick (id int);
CREATE TABLE loose (id int);
CREATE TABLE bound (id int NOT NULL, CHECK (id >= 20000 AND id < 30000));
CREATE TABLE q (id int) PARTITION BY RANGE (id);
CREATE TABLE q_rest PARTITION OF q DEFAULT;
INSERT INTO c SELECT i, i, 1, i FROM generate_series(1, 2000) i;
INSERT INTO quick SELECT i FROM generate_series(1, 2000) i;
INSERT INTO loose SELECT i + 30000 FROM generate_series(1, 2000) i;
INSERT INTO bound SELECT i + 20000 FROM generate_series(1, 2000) i;
INSERT INTO q SELECT i FROM generate_series(1, 2000) i;
ALTER TABLE t ADD CONSTRAINT later CHECK (x > 0) NOT VALID;
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
    "wider, under a check": ("op.alter_column('t', 's', type_=sa.Text())", "read from end to end"),
    "column": (
        "op.add_column('t', sa.Column('z', sa.Uuid, server_default=sa.text('gen_random_uuid()')))",
        "is rewritten",
    ),
    "update": ("op.execute('UPDATE t SET x = 1')", "about 2,000 of its rows are written"),
    "delete": (
        "op.get_bind().execute(sa.text('DELETE FROM small')); "
        "op.get_bind().execute(sa.text('DELETE FROM q WHERE id > :x'), {'x': 3})",
        "of its rows are written",
    ),
    "reindex": ("op.execute('REINDEX TABLE t')", "indexes are built"),
    "a comment first": ("op.execute('-- for the list\\nCREATE INDEX ix ON t (x)')", "the index is built"),
    "several in one text": (
        "op.execute(\"SET LOCAL work_mem = '8MB'; CREATE INDEX ix ON t (x)\")",
        "the index is built",
    ),
    "a block": (
        "op.execute('DO $$ BEGIN IF true THEN CREATE INDEX ix ON t (x); END IF; END $$')",
        "the index is built",
    ),
    "a block that updates": ("op.execute('DO $$ BEGIN UPDATE t SET x = 2; END $$')", "of its rows are written"),
    "a part of a query": (
        "op.execute('WITH gone AS (DELETE FROM q RETURNING id) SELECT count(*) FROM gone')",
        "of its rows are written",
    ),
    "merge": ("op.execute('MERGE INTO t USING c ON c.id = t.id WHEN MATCHED THEN UPDATE SET x = 1')", "are written"),
    "locked rows": ("op.execute('SELECT * FROM t FOR UPDATE')", "of its rows are written"),
    "one row after the other": (
        "for i in range(1500):\n    op.get_bind().execute(sa.text('UPDATE t SET x = 1 WHERE id = :i'), {'i': i})",
        "about 1,001 of its rows are written in one transaction",
    ),
    "batches in one transaction": (
        "for i in range(9):\n    op.execute('UPDATE t SET x = 1 WHERE id IN (SELECT id FROM t WHERE x > 0 LIMIT 300)')",
        "of its rows are written in one transaction",
    ),
    "no index on the key": ("op.execute('DELETE FROM t WHERE id = 7')", "read from end to end for each row deleted"),
    "cascade": ("op.execute('DELETE FROM r WHERE id = 1')", "about 2,000 of them are written by its foreign key"),
    "lock": ("op.execute('LOCK TABLE t')", "others wait until the transaction ends"),
    "attach": ("op.execute('ALTER TABLE p ATTACH PARTITION loose FOR VALUES FROM (30000) TO (40000)')", "end to end"),
    "default partition": (
        "op.execute('CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (9000) TO (9999)')",
        "end to end",
    ),
    "domain": ("op.execute('ALTER DOMAIN d ADD CHECK (VALUE > 0)')", "public.c has about 2,000 rows: writers wait"),
    "column with a check": ("op.execute('ALTER TABLE t ADD COLUMN z int DEFAULT 1 CHECK (z > 0)')", "end to end"),
    "unique column": ("op.add_column('t', sa.Column('z', sa.Integer, unique=True))", "gets an index|index is built"),
    "column that refers": ("op.execute('ALTER TABLE t ADD COLUMN z int DEFAULT 1 REFERENCES r')", "end to end"),
    "index of a constraint": ("op.execute('ALTER TABLE c ADD UNIQUE (of_t)')", "the index is built"),
    "key of columns that take NULL": (
        "op.execute('ALTER TABLE c DROP CONSTRAINT c_pkey')\n"
        "op.execute('ALTER TABLE c ADD PRIMARY KEY USING INDEX c_v')",
        "read from end to end",
    ),
    "validated under a lock": (
        "op.execute('LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE')\nop.add_column('t', sa.Column('z', sa.Integer))\n"
        "op.execute('ALTER TABLE t VALIDATE CONSTRAINT later')",
        "by a lock of this transaction",
    ),
    "logged": ("op.execute('ALTER TABLE quick SET LOGGED')", "is written again"),
    "tablespace": ("op.execute('ALTER TABLE t SET TABLESPACE pg_default')", "is written again"),
    "reindex of one": ("op.execute('REINDEX INDEX there')", "indexes are built"),
    "reindex of a schema": (
        "with op.get_context().autocommit_block():\n    op.execute('REINDEX SCHEMA public')",
        "built",
    ),
    "vacuum of all": ("with op.get_context().autocommit_block():\n    op.execute('VACUUM FULL')", "is rewritten"),
    "refresh": ("op.execute('REFRESH MATERIALIZED VIEW m')", "readers wait"),
}
LEFT_ALONE = {
    "small": "op.create_index('ix', 'small', ['x'])",
    "concurrently": "with op.get_context().autocommit_block():\n"
    "    op.create_index('ix', 't', ['x'], postgresql_concurrently=True)",
    "not valid": "op.create_check_constraint('c', 't', 'x > 0', postgresql_not_valid=True)",
    "wider": "op.alter_column('t', 'w', type_=sa.Text())",
    "constant": "op.add_column('t', sa.Column('z', sa.Integer, server_default='0'))",
    "proved": "op.alter_column('t', 's', nullable=False)",
    "few rows": "op.execute('UPDATE t SET x = 1 WHERE id = 3')",
    "of the parent alone": "op.execute('CREATE INDEX ON ONLY p (id)')",
    "index that exists": "op.execute('CREATE INDEX IF NOT EXISTS there ON t (s)')",
    "attached with a check": "op.execute('ALTER TABLE p ATTACH PARTITION bound FOR VALUES FROM (20000) TO (30000)')",
    "validated alone": "op.execute('ALTER TABLE t VALIDATE CONSTRAINT later')",
    "one row in a block": "op.execute('DO $$ DECLARE n int := 3; BEGIN UPDATE t SET x = 1 WHERE id = n; END $$')",
    "some rows": "for i in range(500):\n"
    "    op.get_bind().execute(sa.text('UPDATE t SET x = 1 WHERE id = :i'), {'i': i})",
    "batches that commit": "with op.get_context().autocommit_block():\n    for i in range(0, 2000, 400):\n"
    "        op.execute(f'UPDATE t SET x = 1 WHERE id BETWEEN {i} AND {i + 399}')",
    "few locked rows": "op.execute('SELECT * FROM t ORDER BY id LIMIT 20 FOR UPDATE')",
    "a lock that lets others write": "op.execute('LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE')",
    "brief": "op.drop_column('t', 'x')\nop.execute('ALTER TABLE t RENAME COLUMN s TO n')\n"
    "op.execute(\"COMMENT ON TABLE t IS 'CREATE INDEX ON t (n)'\")",
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
        found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    assert found == (None,) or "autocommit" in up  # all is rolled back


@pytest.mark.parametrize("name", longer(LEFT_ALONE, *(name for name in LEFT_ALONE if name not in ("small", "ours"))))
def test_what_holds_its_lock_briefly_passes(name: str, target: str, tmp_path: Path) -> None:
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
