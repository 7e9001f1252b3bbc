"""Rows that leave in batches: a table, a tree of tables, and their archives."""

from __future__ import annotations

import subprocess
from typing import Any

from schema_kit.catalog import Catalog
from schema_kit.execute import StepProgress
from schema_kit.model import Tree
from schema_kit.names import QualifiedName
from schema_kit.plans.rows import Leaving, remove
from schema_kit.steps import Plan
from schema_kit.steps.rows import Pace
from tests.support.cli import called
from tests.support.database import Database

NOW = "2026-11-22"
SMALL = Pace(batch_size=10, target_seconds=1e-6, max_replica_lag=None, max_dead_share=None)
"""Ten rows at a time, as small as it gets."""
TABLE = (
    "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz, status text, twice bigint GENERATED ALWAYS AS (id * 2) "
    "STORED, word text)",
    "CREATE INDEX t_at ON t (at)",
    "INSERT INTO t (id, at, status, word) SELECT i, timestamptz '2026-11-22' + (i - 100) * interval '1 minute', "
    "CASE WHEN i % 3 = 0 THEN 'closed' ELSE 'open' END, 'ว' || i FROM generate_series(1, 200) i",
)
ARCHIVE = ("CREATE TABLE t_archive (LIKE t INCLUDING ALL, archived_at timestamptz NOT NULL)",)
TREE = (
    "CREATE SCHEMA c",
    "CREATE TABLE c.sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, expires_at timestamptz)",
    "CREATE TABLE c.threads (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, session_id bigint NOT NULL "
    "REFERENCES c.sessions ON DELETE CASCADE)",
    "CREATE TABLE c.messages (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz NOT NULL, thread_id bigint "
    "NOT NULL REFERENCES c.threads ON DELETE CASCADE, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE c.messages_1 PARTITION OF c.messages FOR VALUES FROM ('2026-01-01') TO ('2026-07-01')",
    "CREATE TABLE c.messages_2 PARTITION OF c.messages FOR VALUES FROM ('2026-07-01') TO ('2027-01-01')",
    "CREATE TABLE c.citations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id bigint NOT NULL, "
    "message_at timestamptz NOT NULL, FOREIGN KEY (message_id, message_at) REFERENCES c.messages ON DELETE CASCADE)",
    "CREATE INDEX ON c.sessions (expires_at)",
    "CREATE INDEX ON c.threads (session_id)",
    "CREATE INDEX ON c.messages (thread_id)",
    "CREATE INDEX ON c.citations (message_id, message_at)",
    "INSERT INTO c.sessions (expires_at) SELECT CASE WHEN i % 5 > 0 THEN timestamptz '2026-11-22' "
    "+ (i - 20) * interval '1 day' END FROM generate_series(1, 40) i",
    "INSERT INTO c.threads (session_id) SELECT 1 + i % 40 FROM generate_series(1, 80) i",
    "INSERT INTO c.messages (at, thread_id) SELECT timestamptz '2026-02-01' + i * interval '1 day', 1 + i % 80 "
    "FROM generate_series(1, 300) i",
    "INSERT INTO c.citations (message_id, message_at) SELECT id, at FROM c.messages, generate_series(1, 3) i "
    "WHERE id % 2 = 0",
)
DECLARED: Tree = {"threads": {"messages": {"citations": {}}}}
TABLES = ("sessions", "threads", "messages", "citations")
ARCHIVES = tuple(
    f"CREATE TABLE c.{table}_archive (LIKE c.{table} INCLUDING IDENTITY, archived_at timestamptz)" for table in TABLES
)
BROKEN = """
SELECT (SELECT count(*) FROM c.threads WHERE session_id NOT IN (SELECT id FROM c.sessions))
     + (SELECT count(*) FROM c.messages WHERE thread_id NOT IN (SELECT id FROM c.threads))
     + (SELECT count(*) FROM c.citations WHERE message_id NOT IN (SELECT id FROM c.messages))
"""


def name(text: str) -> QualifiedName:
    return QualifiedName.parse(text, "public")


def leaving(table: str, where: str = f"at <= '{NOW}'", column: str | None = "at", **options: Any) -> Leaving:
    return Leaving(name(table), where, column, pace=options.pop("pace", SMALL), **options)


def decide(catalog: Catalog, one: Leaving) -> Plan:
    observed = catalog.leaving(one.table, tuple((one.archives or {}).values()))
    plan = remove(one, observed)
    return plan if catalog.has_row_where(one.table, one.where) else Plan(plan.title)


def run(database: Database, one: Leaving) -> int:
    """Remove them; how many batches that took."""
    database.events.clear()
    database.run(lambda catalog: decide(catalog, one))
    return sum(isinstance(event, StepProgress) for event in database.events)


def archive(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`schema_kit archive run`, and its end."""
    return called(["schema_kit", "archive", "run", "--url", database.url, "--now", NOW, *arguments])


C = {QualifiedName("c", table): QualifiedName("c", f"{table}_archive") for table in TABLES}

SESSIONS = leaving("c.sessions", f"expires_at <= '{NOW}'", "expires_at")


def left(database: Database) -> tuple[int, int]:
    """The sessions that are due still, and all."""
    due = f"count(*) FILTER (WHERE expires_at <= '{NOW}')"
    found: tuple[int, int] = database.sql(f"SELECT {due}, count(*) FROM c.sessions")[0][:2]
    return found
