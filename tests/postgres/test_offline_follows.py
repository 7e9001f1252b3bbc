"""A script follows Alembic's own operations: what it makes is what the same revisions make online."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from schema_kit.sqlscripts import split
from tests.support.cli import alembic
from tests.support.database import Database
from tests.support.matrix import thinned
from tests.support.offline import ENV, write
from tests.support.pack import catalog

pytestmark = [pytest.mark.offline, pytest.mark.majors, pytest.mark.libraries]

TABLE = """op.create_table("t", sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), sa.Column("n", sa.Integer, server_default="7"),
        sa.Column("code", sa.String(9)), sa.Column("a_id", sa.BigInteger, sa.ForeignKey("a.id")),
        sa.CheckConstraint("n > 0", name="positive"))"""
PARTITIONED = """op.create_table("p", sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False), postgresql_partition_by="RANGE (at)")"""
PART = """op.execute("CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')")"""
CONVERT = 'op.convert_to_partitioned("t", "at", "1 month")'
INDEX = 'op.create_index_concurrently("ix", "p", ["id"])'

CHAINS: dict[str, tuple[str, ...]] = {
    "a table is converted": (TABLE, CONVERT),
    "after columns came and went": (
        TABLE,
        'op.add_column("t", sa.Column("later", sa.Integer, sa.ForeignKey("b.id")))\n    op.drop_column("t", "a_id")',
        'op.alter_column("t", "n", type_=sa.BigInteger, nullable=False, server_default=None)',
        CONVERT,
    ),
    "after constraints came and went": (
        TABLE,
        'op.create_unique_constraint("t_code_key", "t", ["code"])',
        'op.drop_constraint("t_code_key", "t")\n    op.drop_constraint("positive", "t")',
        'op.create_check_constraint("small", "t", "n < 100")\n    op.create_index("ix_n", "t", ["n"])',
        'op.create_foreign_key("to_b", "t", "b", ["n"], ["id"])\n    op.drop_constraint("t_a_id_fkey", "t")',
        CONVERT,
    ),
    "after it was renamed": (TABLE.replace('"t"', '"was"'), 'op.rename_table("was", "t")', CONVERT),
    "after it was made again": (TABLE, 'op.drop_table("t")', TABLE, CONVERT),
    "a batch": (
        TABLE,
        'with op.batch_alter_table("t") as b:\n        b.add_column(sa.Column("x", sa.Integer))',
        CONVERT,
    ),
    "an index of a partitioned table": (PARTITIONED, INDEX),
    "and of its partitions": (PARTITIONED, PART, INDEX),
    "of one that a statement made": (
        'op.execute("CREATE TABLE p (id bigint, at timestamptz) PARTITION BY RANGE (at)")',
        PART,
        INDEX,
    ),
    "a foreign key of a partitioned table": (
        PARTITIONED,
        PART,
        'op.create_foreign_key_concurrently("to_a", "p", "a", ["id"], ["id"])',
    ),
    "after the table that it refers to was renamed": (TABLE, 'op.rename_table("a", "a2")', CONVERT),
    "an index that Alembic made": (TABLE, 'op.create_index("ix", "t", ["n"])', 'op.drop_index_concurrently("ix")'),
    "one after the other": (
        TABLE.replace('"t"', '"was"'),
        'op.create_table("c", sa.Column("id", sa.BigInteger, nullable=False), sa.Column("was_id", sa.BigInteger))',
        'op.create_primary_key("c_pkey", "c", ["id"])\n    op.create_unique_constraint("c_key", "c", ["was_id"])',
        'op.create_foreign_key("c_was_id_fkey", "c", "was", ["was_id"], ["id"])\n    op.rename_table("was", "t")',
        'op.alter_column("t", "code", new_column_name="word", type_=sa.Text)\n    op.drop_constraint("positive", "t")',
        'op.alter_column("t", "id", new_column_name="number")\n    op.alter_column("t", "at", new_column_name="since")',
        'op.alter_column("a", "id", new_column_name="number")',
        PARTITIONED,
        PART,
        'op.create_index_concurrently("ix", "p", ["id"])',
        'op.convert_to_partitioned("t", "since", "1 month", incoming_foreign_keys="drop")',
        'op.drop_table("c")',
    ),
}


def upgraded(folder: Path, database: Database, *arguments: str) -> str:
    done = alembic(database, "-x", "now=2026-11-21", "upgrade", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_script(database: Database, script: str) -> None:
    with database.connect() as connection:
        for statement in split(script):
            connection.execute(statement.encode())


@pytest.mark.parametrize("chain", thinned(CHAINS, "after columns came and went"))
def test_a_script_makes_what_online_makes(database: Database, tmp_path: Path, chain: str) -> None:
    write(tmp_path, *CHAINS[chain])
    run_script(database, upgraded(tmp_path, database, "head", "--sql"))
    offline = catalog(database)
    database.sql("DROP SCHEMA public CASCADE", "DROP SCHEMA IF EXISTS schema_kit CASCADE", "CREATE SCHEMA public")
    upgraded(tmp_path, database, "head")
    assert offline == catalog(database)


WRITTEN_BY_HAND = """
import schema_kit.ops
from alembic import context
from sqlalchemy import create_engine
from schema_kit.ops import Settings
from schema_kit.connection import parse_now

x = context.get_x_argument(as_dictionary=True)
options = {"schema_kit": Settings(now=parse_now(x.get("now"))), "transaction_per_migration": PER_REVISION}
if context.is_offline_mode():
    dialect = {"dialect_name": "postgresql", "literal_binds": True, "dialect_opts": {"paramstyle": "named"}}
    context.configure(**dialect, **options)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(x["url"].replace("postgresql:", "postgresql+psycopg:")).connect() as connection:
        context.configure(connection=connection, **options)
        with context.begin_transaction():
            context.run_migrations()
"""
ENVS = {
    "environment.run": ENV,
    "by hand": WRITTEN_BY_HAND.replace("PER_REVISION", "False"),
    "by hand, each revision": WRITTEN_BY_HAND.replace("PER_REVISION", "True"),
}


def written(folder: Path, env: str, *chain: str) -> None:
    write(folder, *chain)
    (folder / "migrations" / "env.py").write_text(ENVS[env])


@pytest.mark.exhaustive
@pytest.mark.parametrize("chain", ["a table is converted", "after constraints came and went", "and of its partitions"])
@pytest.mark.parametrize("env", ENVS)
def test_a_script_of_a_range_begins_where_the_database_is(
    database: Database, tmp_path: Path, chain: str, env: str
) -> None:
    """r1:head knows what the revisions up to r1 have made."""
    written(tmp_path, env, *CHAINS[chain])
    whole = upgraded(tmp_path, database, "head", "--sql")
    last = len(CHAINS[chain]) - 1
    upgraded(tmp_path, database, f"r{last}")
    part = upgraded(tmp_path, database, f"r{last}:head", "--sql")
    assert part.count("CREATE TABLE") < whole.count("CREATE TABLE")
    run_script(database, part)
    offline = catalog(database)
    database.sql("DROP SCHEMA public CASCADE", "DROP SCHEMA IF EXISTS schema_kit CASCADE", "CREATE SCHEMA public")
    upgraded(tmp_path, database, "head")
    assert offline == catalog(database)


READS = 'op.get_bind().execute(sa.text("SELECT 1")).scalar()'
"""A revision that cannot be a script: it has no connection then."""


@pytest.mark.parametrize("env", thinned(ENVS, "by hand"))
def test_what_cannot_be_known_is_refused_before_the_first_line(database: Database, tmp_path: Path, env: str) -> None:
    made_by_hand = 'op.execute("CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL)")'
    written(tmp_path, env, made_by_hand, CONVERT, READS, 'op.create_table("z", sa.Column("id", sa.Integer))', INDEX)
    done = alembic(database, "upgrade", "r2", "--sql", cwd=tmp_path)
    assert done.returncode != 0
    assert "cannot know public.t" in done.stdout
    assert "Running" not in done.stdout + done.stderr.replace("Running upgrade", "", 3)
    assert "BEGIN" not in done.stdout
    assert "CREATE TABLE z" in upgraded(tmp_path, database, "r3:r4", "--sql"), "Alembic's own needs no knowledge"
    after = alembic(database, "upgrade", "r3:head", "--sql", cwd=tmp_path)
    assert "what the revisions before this script have made: one of them cannot be written as a script" in after.stdout
    assert "CREATE" not in after.stdout


@pytest.mark.exhaustive
def test_another_default_schema_is_refused_by_the_script(database: Database, tmp_path: Path) -> None:
    write(tmp_path, TABLE, CONVERT)
    script = upgraded(tmp_path, database, "head", "--sql")
    name = database.sql("SELECT quote_ident(current_database())")[0][0]
    database.sql("CREATE SCHEMA tenant", f"ALTER DATABASE {name} SET search_path = tenant")
    with pytest.raises(psycopg.errors.RaiseException, match="written for public"):
        run_script(database, script)
