"""While the pack goes up, applications go on: no write fails, and none waits longer than the lock budget allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from schema_kit.script import LockPolicy
from tests.postgres.test_pack import content, filled, migrate
from tests.support.database import Database

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


def test_writers_go_on_while_the_pack_goes_up(database: Database) -> None:
    filled(database, 20_000)
    before = content(database)
    stop = threading.Event()
    writers = {table: Writer(database.url, statements, stop) for table, statements in WRITES.items()}
    for writer in writers.values():
        writer.start()
    migrate(database, "upgrade", "head")
    time.sleep(0.2)
    stop.set()
    for table, writer in writers.items():
        writer.join()
        assert writer.error is None, (table, writer.error)
        kept = (writer.rounds + 9) // 10
        name = '"' + table.replace(".", '"."') + '"'
        assert content(database)[name][0] == before[name][0] + kept, "no write is lost, and none is made up"
        print(f"{table}: {writer.rounds} rounds, longest statement {writer.longest * 1000:.0f} ms")
    policy = LockPolicy()
    held = 1.0  # a commit of a conversion holds its locks for milliseconds; this machine may be busy
    assert max(writer.longest for writer in writers.values()) < policy.longest / 1000 + held
