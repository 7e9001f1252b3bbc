"""The pack in migrations/: Alembic over it, its rows, and an application that writes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg

from migrations.sample import fill
from tests.benchmarks import roundtrip
from tests.support.cli import ROOT, alembic
from tests.support.database import Database

CATALOG = """
SELECT 'column', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull
       || a.attidentity::text
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'S')
UNION ALL SELECT 'index', schemaname, tablename, indexname, indexdef FROM pg_indexes
UNION ALL SELECT 'constraint', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid) || k.convalidated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal
UNION ALL SELECT 'partition', n.nspname, c.relname, '', pg_get_expr(c.relpartbound, c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND c.relkind = 'r'
UNION ALL SELECT 'function', n.nspname, p.proname, '', p.prosrc
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
UNION ALL SELECT 'schema', nspname, '', '', '' FROM pg_namespace
UNION ALL SELECT 'comment', '', coalesce(c.relname, ''), d.objsubid::text, d.description
FROM pg_description d LEFT JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
"""


def catalog(database: Database) -> set[tuple[str, ...]]:
    """All that a user can see of the schemas that are not PostgreSQL's."""
    rows = database.sql(
        f"SELECT * FROM ({CATALOG}) x (kind, schema, relation, name, definition) "
        "WHERE schema NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relation <> 'alembic_version' "
        "AND (kind <> 'comment' OR relation <> '')"
    )
    return set(rows)


def content(database: Database) -> dict[str, tuple[int, str]]:
    """Rows and checksums of the five systems."""
    return roundtrip.content(database.url)


def migrate(database: Database, *arguments: str) -> str:
    """Alembic, which has to succeed."""
    done = alembic(database, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def filled(database: Database, rows: int = 5000) -> None:
    """The five systems at baseline, with rows in them."""
    migrate(database, "upgrade", "baseline")
    with psycopg.connect(database.url) as connection:
        fill(connection, rows, date.today())


def killed_after(database: Database, way: tuple[str, str], steps: int, milliseconds: int) -> bool:
    """Kill an upgrade or a downgrade a little after its *steps*-th step begins; False if it ended before that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", "-x", f"url={database.url}", *way],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        seen = 0
        for line in process.stderr:
            assert "FAILED" not in line, line
            seen += "[schema_kit]" in line
            if seen >= steps:
                time.sleep(milliseconds / 1000)
                process.kill()
                return True
    assert process.returncode == 0
    return False


# As the applications wrote before: no key column, keys by id alone.
WRITES: dict[str, Sequence[str]] = {
    "line_support.conversation": (
        "INSERT INTO line_support.conversation (user_id, role, message, language) "
        "SELECT id, 'user', 'สวัสดีครับ', 'th' FROM line_support.users ORDER BY id LIMIT 1 RETURNING id",
        "UPDATE line_support.conversation SET message = 'ขอบคุณครับ' WHERE id = %(id)s",
        "DELETE FROM line_support.conversation WHERE id = %(id)s",
    ),
    "line_support.webhook_event": (
        "INSERT INTO line_support.webhook_event (event_type, payload, processed) VALUES ('message', '{}', false) "
        "RETURNING id",
        "UPDATE line_support.webhook_event SET processed = true WHERE id = %(id)s",
        "DELETE FROM line_support.webhook_event WHERE id = %(id)s",
    ),
    "whatsapp_agent.whatsapp_messages": (
        "INSERT INTO whatsapp_agent.whatsapp_messages (customer_id, restaurant_id, direction, content) "
        "SELECT id, restaurant_id, 'in', 'hola' FROM whatsapp_agent.customers ORDER BY id LIMIT 1 RETURNING id",
        "UPDATE whatsapp_agent.whatsapp_messages SET status = 'read' WHERE id = %(id)s",
        "DELETE FROM whatsapp_agent.whatsapp_messages WHERE id = %(id)s",
    ),
    "telegram_bots.messages": (
        "INSERT INTO telegram_bots.messages (bot_id, chat_db_id, text) SELECT b.id, c.id, 'gm' "
        "FROM telegram_bots.bots b, telegram_bots.chats c ORDER BY b.id, c.id LIMIT 1 RETURNING id",
        "UPDATE telegram_bots.messages SET text = 'gn' WHERE id = %(id)s",
        "DELETE FROM telegram_bots.messages WHERE id = %(id)s",
    ),
    "market_research.product_searches": (
        "INSERT INTO market_research.product_searches (user_id, query) VALUES (gen_random_uuid(), 'lamp') RETURNING id",
        "UPDATE market_research.product_searches SET results_count = 3 WHERE id = %(id)s",
        "DELETE FROM market_research.product_searches WHERE id = %(id)s",
    ),
    "rag_chat.messages": (
        "INSERT INTO rag_chat.messages (conversation_id, role, content, expires_at) "
        "SELECT id, 'user', 'why?', now() FROM rag_chat.conversations ORDER BY id LIMIT 1 RETURNING id",
        "INSERT INTO rag_chat.citations (message_id, document_name, excerpt) VALUES (%(id)s, 'a.pdf', 'because')",
        "UPDATE rag_chat.messages SET content = 'why not?' WHERE id = %(id)s",
        "DELETE FROM rag_chat.messages WHERE id = %(id)s",
    ),
}


class Writer(threading.Thread):
    """Writes rows, keeps every tenth, and remembers how long the longest statement took."""

    def __init__(self, url: str, statements: Sequence[str], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.url, self.statements, self.stop = url, statements, stop
        self.longest, self.rounds, self.error = 0.0, 0, None  # type: tuple[float, int, BaseException | None]

    def run(self) -> None:
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while not self.stop.is_set():
                    self._round(connection)
                    self.rounds += 1
        except BaseException as error:
            self.error = error

    def _round(self, connection: psycopg.Connection[Any]) -> None:
        values: dict[str, Any] = {}
        for statement in self.statements if self.rounds % 10 else self.statements[:-1]:
            began = time.monotonic()
            cursor = connection.execute(statement.encode(), values)
            self.longest = max(self.longest, time.monotonic() - began)
            assert cursor.rowcount == 1, statement
            if "RETURNING" in statement:
                row = cursor.fetchone()
                assert row is not None
                values["id"] = row[0]
