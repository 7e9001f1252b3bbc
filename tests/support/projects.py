"""Other people's projects: their env.py in each kind, and a chain of revisions that calls every operation once."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config

TENANT = "tenant"
SAID = "100% wool; :colon, %(name)s, %s, {brace} and a \\ backslash"

TABLES = """
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
CREATE TABLE people (id bigint PRIMARY KEY, at timestamptz);
CREATE INDEX ON people (at);
INSERT INTO people VALUES (1, '2020-01-01+00');
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, note text, total int, ref bigint, old text,
  CONSTRAINT total_positive CHECK (total > 0) NOT VALID);
INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 3) i;
INSERT INTO orders SELECT i, 1 + i % 3, 'note', i, i, 'old' FROM generate_series(1, 9) i;
CREATE INDEX ix_old ON orders (note);
CREATE TABLE keyless (id bigint NOT NULL, n int);
CREATE TABLE gone (id int);
CREATE TYPE mood AS ENUM ('good');
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, count(*) AS n FROM orders GROUP BY 1;
CREATE UNIQUE INDEX ON totals (customer_id);
CREATE TABLE visits (id bigint PRIMARY KEY, n int);
INSERT INTO visits SELECT i, i FROM generate_series(1, 250) i;
CREATE TABLE loose (id bigint NOT NULL PRIMARY KEY, customer_id bigint, n int);
"""
"""What a schema holds before the chain; SAID goes into one table that all schemas share."""

USERS_OWN = f"""
    op.execute(sa.text("INSERT INTO said.notes VALUES (:said)").bindparams(said={SAID!r}))
    op.execute("INSERT INTO said.notes VALUES ('100% wool'), ((7 % 4)::text)")
    op.execute("DO $$ BEGIN RAISE DEBUG 'at % of %', 1 % 2, 3; END $$")
"""

CHAIN: tuple[str, ...] = (
    USERS_OWN + '    op.create_table("plain", sa.Column("id", sa.Integer))\n',
    """
    op.create_index_concurrently("ix_note", "orders", ["note"])
    op.replace_index_concurrently("ix_note", "orders", ["note", sa.text("id DESC")])
    op.reindex_concurrently("ix_note")
    op.drop_index_concurrently("ix_old", "orders")
    """,
    USERS_OWN,
    """
    op.create_foreign_key_concurrently("customer", "orders", "customers", ["customer_id"], ["id"])
    op.create_check_constraint_concurrently("ref_positive", "orders", sa.text("ref > 0"))
    op.create_unique_constraint_concurrently("ref_once", "orders", ["ref"])
    op.create_primary_key_concurrently("keyless_pkey", "keyless", ["id"])
    op.validate_constraint("total_positive", "orders")
    op.set_not_null_concurrently("orders", "ref")
    op.drop_constraint_concurrently("ref_positive", "orders", "check")
    """,
    """
    op.update_in_batches("orders", {"note": "100% new"}, where=sa.text("id % 2 = 1"))
    op.add_column_concurrently("orders", sa.Column("seller", sa.BigInteger, sa.ForeignKey("customers.id")))
    op.alter_column_concurrently("orders", "note", server_default="none")
    op.drop_column_concurrently("orders", "old")
    op.add_enum_value_concurrently("mood", "bad")
    op.refresh_materialized_view_concurrently("totals")
    op.drop_table_concurrently("gone")
    """,
    USERS_OWN
    + """
    op.create_part_config()
    op.create_extension("pg_trgm")
    op.create_partitioned_table(
        "events", sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("customer_id", sa.BigInteger, sa.ForeignKey("customers.id")), sa.Column("n", sa.Integer),
        control="id", interval="100", premake=2,
    )
    op.set_partition_policy("events", premake=3)
    op.create_archive_table("people")
    op.set_archive_policy("people", "1 year", way="rows", control="at")
    op.set_ttl_policy("people", "at", age="90 years")
    op.ignore_health_finding("index_unused", "people", "people_at", reason="for the yearly report")
    op.execute("CREATE PUBLICATION lent FOR TABLE people")
    op.set_publish_via_partition_root("lent")
    op.execute("DROP PUBLICATION lent")
    """,
    """
    op.create_next_partitions("events")
    op.detach_partition_concurrently("events", "events_p100")
    op.attach_partition_concurrently("events", "loose", 100, 200)
    op.drop_partition_concurrently("events", "events_p200")
    op.convert_to_partitioned("visits", "id", "100", premake=1, strategy="attach")
    op.drain_default_concurrently("visits")
    op.split_partition_concurrently("visits")
    op.unpartition("visits")
    op.repair_archive_table("people")
    op.restore_archive_table("people")
    op.drop_retention("events")
    op.create_baseline(BASELINE)
    """,
    """
    op.drop_archive_policy("people")
    op.drop_archive_table("people")
    op.drop_ttl_policy("people")
    op.heed_health_finding("index_unused", "people", "people_at")
    op.drop_partition_policy("events")
    op.drop_extension("pg_trgm")
    op.install_partman_sql()
    op.remove_partman_sql()
    op.drop_part_config()
    """,
    "    op.drop_baseline(BASELINE)\n",
    USERS_OWN,
)

_REVISION = """
import sqlalchemy as sa
from alembic import op
import schema_kit.ops
revision, down_revision = {own!r}, {before!r}
BASELINE = sa.MetaData()
sa.Table("a", BASELINE, sa.Column("id", sa.Integer, primary_key=True), sa.Column("b_id", sa.ForeignKey("b.id")))
sa.Table("b", BASELINE, sa.Column("id", sa.Integer, primary_key=True))
def upgrade():
{body}
def downgrade():
    pass
"""

_ENGINE = {
    "psycopg": "create_engine(url, poolclass=NullPool)",
    "psycopg2": "create_engine(url, poolclass=NullPool)",
    "asyncpg": "create_async_engine(url, poolclass=NullPool)",
}
_MIGRATE = {
    "environment.run": "environment.run(target_metadata=models, **options, connection=connection)",
    "hand-written": """
    context.configure(connection=connection, target_metadata=models, **options)
    with context.begin_transaction():
        context.run_migrations()""",
    "one_migrator": """
    with environment.one_migrator(connection.engine):
        context.configure(connection=connection, target_metadata=models, **options, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()""",
    "multidb": """
    for name in ("engine1",):
        context.configure(
            connection=connection, upgrade_token="upgrades", downgrade_token="downgrades", target_metadata=models,
            **options)
        with context.begin_transaction():
            context.run_migrations(engine_name=name)""",
    "begun before": """
    connection.begin()
    context.configure(connection=connection, target_metadata=models, **options)
    context.run_migrations()""",
    "begun by nobody": """
    context.configure(connection=connection, target_metadata=models, **options)
    context.run_migrations()""",
}
_DRESSED = {
    "public": "connection",
    "ALTER ROLE": "connection",
    "schema_translate_map": "connection.execution_options(schema_translate_map={None: 'tenant'})",
    "search_path": "on_its_path(connection)",
}
_SYNC = """
seen = context.config.attributes["before_and_after"]
with {engine}.connect() as connection:
    connection = {dressed}
    seen.append(state(connection))
    migrate(connection)
    seen.append(state(connection))
"""
_ASYNC = """
seen = context.config.attributes["before_and_after"]
def work(connection):
    connection = {dressed}
    seen.append(state(connection))
    migrate(connection)
    seen.append(state(connection))
async def main():
    engine = {engine}
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()
asyncio.run(main())
"""
_ENV = """
import asyncio
from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
import schema_kit.ops
from schema_kit import environment

url = {url!r}
models = context.config.attributes.get("models")
options = context.config.attributes.get("options", {{}})

def on_its_path(connection):
    connection.execute(text("SET search_path TO tenant, public"))
    connection.commit()
    return connection

def state(connection):
    rows = connection.execute(text(
        "SELECT name, setting FROM pg_settings WHERE name !~ '[.]' "
        "UNION ALL SELECT 'role', current_user UNION ALL SELECT 'path', current_schemas(false)::text")).all()
    connection.rollback()
    return sorted(map(tuple, rows)), dict(connection.get_execution_options()), connection.get_isolation_level()

def migrate(connection):
    {migrate}
"""


@dataclass(frozen=True)
class Project:
    """One project: how it finds its schema, by which driver, in which kind of env.py."""

    schemas: str
    driver: str
    env: str

    def write(self, folder: Path, url: str, chain: Sequence[str] = CHAIN) -> Config:
        """Write it to *folder*; Alembic's Config of it."""
        versions = folder / "versions"
        versions.mkdir(parents=True)
        for place, body in enumerate(chain):
            before = f"r{place - 1:02}" if place else None
            text = _REVISION.format(own=f"r{place:02}", before=before, body=_indented(body))
            if self.env == "multidb":
                text = text.replace("def upgrade():", "def upgrade(engine_name):")
            (versions / f"r{place:02}.py").write_text(text, encoding="utf-8")
        run = (_ASYNC if self.driver == "asyncpg" else _SYNC).format(
            engine=_ENGINE[self.driver], dressed=_DRESSED[self.schemas]
        )
        env = _ENV.format(url=self._url(url), migrate=_indented(_MIGRATE[self.env]).lstrip()) + run
        (folder / "env.py").write_text(env, encoding="utf-8")
        config = Config()
        config.set_main_option("script_location", str(folder))
        return config

    def _url(self, url: str) -> str:
        parts = psycopg.conninfo.conninfo_to_dict(url)
        host = str(parts["host"]).replace("/", "%2F")
        return f"postgresql+{self.driver}://{parts['user']}@/{parts['dbname']}?host={host}&port={parts['port']}"


def _indented(body: str) -> str:
    return textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


def upgrade(config: Config, revision: str = "head") -> list[tuple[Any, ...]]:
    """Run it; what the connection was before and after."""
    seen: list[tuple[Any, ...]] = []
    config.attributes["before_and_after"] = seen
    command.upgrade(config, revision)
    return seen


_OF_A_SCHEMA = """
SELECT 'relation', c.relname, c.relkind::text, coalesce(pg_get_expr(c.relpartbound, c.oid), '')
FROM pg_class c WHERE c.relnamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT 'column', c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0
  AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', k.conrelid::regclass::text || ' ' || k.conname, pg_get_constraintdef(k.oid), k.convalidated::text
FROM pg_constraint k WHERE k.connamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisvalid::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = to_regnamespace(%(schema)s)
UNION ALL
SELECT 'value', e.enumlabel, '', '' FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid
WHERE t.typnamespace = to_regnamespace(%(schema)s)
ORDER BY 1, 2, 3
"""


def described(connection: psycopg.Connection[tuple[str, ...]], schema: str) -> list[tuple[str, ...]]:
    """What is in a schema, the schema's own name left out, and the rows of its tables."""
    connection.execute("SET search_path = ''")
    found = connection.execute(_OF_A_SCHEMA, {"schema": schema}).fetchall()
    seen = [tuple(part.replace(f"{schema}.", "") for part in row) for row in found]
    for table in sorted(row[1] for row in seen if row[0] == "relation" and row[2] in "rp"):
        rows = connection.execute(f'SELECT t::text FROM {schema}."{table}" t ORDER BY 1'.encode()).fetchall()
        seen.append((table, *(row[0] for row in rows)))
    return [row for row in seen if "alembic_version" not in str(row)]


@contextmanager
def prepared(url: str, schemas: str) -> Iterator[str]:
    """A database with the tables in public and, unless *schemas* is that, in a tenant's schema; the role's URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA said; CREATE TABLE said.notes (text text)")
        for schema in ("public",) if schemas == "public" else ("public", TENANT):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}; {TABLES}".encode())
        if schemas != "ALTER ROLE":
            yield url
            return
        role = f"role_of_{connection.info.dbname}"
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN; ALTER ROLE {role} SET search_path = tenant".encode())
        try:
            yield url.replace("postgres@", f"{role}@")
        finally:
            connection.execute(
                f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}".encode()
            )
