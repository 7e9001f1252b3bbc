"""What the fleet of bots asks."""

from __future__ import annotations

from migrations.sample.topics import STANCE_TOPICS
from tests.benchmarks.query_set.query import Query

A_CHAT = """
    SELECT chat_db_id AS chat, max(created_at) OVER () - interval '10 minutes' AS since
    FROM telegram_bots.messages ORDER BY hashint8(id) LIMIT %(wanted)s
"""
A_BOT = "SELECT id AS bot FROM telegram_bots.bots ORDER BY hashint8(id) LIMIT %(wanted)s"

A_MESSAGE = """
    SELECT bot_id AS bot, chat_db_id AS chat, telegram_message_id AS message, created_at - interval '1 day' AS since
    FROM telegram_bots.messages WHERE bot_id IS NOT NULL ORDER BY hashint8(id) LIMIT %(wanted)s
"""

TELEGRAM_BOTS = (
    Query(
        "telegram_bots",
        "messages per bot in the last hour",
        50,
        """
        SELECT bot_id, count(*) FROM telegram_bots.messages
        WHERE bot_id IS NOT NULL AND created_at > %(now)s - interval '1 hour' AND created_at <= %(now)s
        GROUP BY bot_id ORDER BY bot_id
        """,
        """
        SELECT max(created_at) - nth * interval '47 minutes' AS now
        FROM telegram_bots.messages, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "telegram_bots",
        "last message in a chat",
        50,
        """
        SELECT id, bot_id, text, created_at FROM telegram_bots.messages
        WHERE chat_db_id = %(chat)s ORDER BY created_at DESC LIMIT 1
        """,
        A_CHAT,
    ),
    Query(
        "telegram_bots",
        "recent messages of a chat, for de-duplication",
        50,
        """
        SELECT id, bot_id, text FROM telegram_bots.messages
        WHERE chat_db_id = %(chat)s AND created_at >= %(since)s ORDER BY id
        """,
        A_CHAT,
    ),
    Query(
        "telegram_bots",
        "last 20 messages",
        50,
        """
        SELECT id, bot_id, telegram_message_id, reply_to_message_id, text, created_at FROM telegram_bots.messages
        WHERE chat_db_id = %(chat)s ORDER BY created_at DESC LIMIT 20
        """,
        A_CHAT,
    ),
    Query(
        "telegram_bots",
        "enabled bots",
        50,
        "SELECT id, name, username FROM telegram_bots.bots WHERE enabled ORDER BY id",
    ),
    Query(
        "telegram_bots",
        "enabled chats",
        50,
        "SELECT id, telegram_chat_id, title FROM telegram_bots.chats WHERE enabled ORDER BY id",
    ),
    Query(
        "telegram_bots",
        "a bot's stances",
        50,
        """
        SELECT topic, stance, confidence, cooldown_until FROM telegram_bots.bot_stances
        WHERE bot_id = %(bot)s ORDER BY updated_at DESC
        """,
        A_BOT,
    ),
    Query(
        "telegram_bots",
        "a bot's stance on a topic, cooling down",
        50,
        """
        SELECT stance, cooldown_until FROM telegram_bots.bot_stances
        WHERE bot_id = %(bot)s AND topic = %(topic)s AND cooldown_until > %(now)s
        """,
        [{"bot": nth, "topic": topic, "now": "2020-01-01"} for nth in (1, 7, 30) for topic in STANCE_TOPICS[:10]],
    ),
    Query(
        "telegram_bots",
        "a bot's holdings",
        50,
        """
        SELECT symbol, quantity, average_price FROM telegram_bots.bot_holdings
        WHERE bot_id = %(bot)s ORDER BY updated_at DESC
        """,
        A_BOT,
    ),
    Query("telegram_bots", "settings", 50, "SELECT key, value FROM telegram_bots.settings ORDER BY key"),
    Query(
        "telegram_bots",
        "messages in the last minute",
        50,
        """
        SELECT count(*) FROM telegram_bots.messages
        WHERE created_at > %(now)s - interval '1 minute' AND created_at <= %(now)s
        """,
        "SELECT created_at AS now FROM telegram_bots.messages ORDER BY created_at DESC, id LIMIT %(wanted)s",
    ),
    Query(
        "telegram_bots",
        "last 20 messages of a bot",
        50,
        """
        SELECT id, chat_db_id, text, created_at FROM telegram_bots.messages
        WHERE bot_id = %(bot)s ORDER BY created_at DESC LIMIT 20
        """,
        A_MESSAGE,
    ),
    Query(
        "telegram_bots",
        "messages of people per hour, one day",
        50,
        """
        SELECT date_trunc('hour', created_at) AS hour, count(*) FROM telegram_bots.messages
        WHERE bot_id IS NULL AND created_at >= %(since)s AND created_at < %(since)s + interval '1 day'
        GROUP BY hour ORDER BY hour
        """,
        """
        SELECT max(created_at) - interval '1 day' - nth * interval '1 hour' AS since
        FROM telegram_bots.messages, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "telegram_bots",
        "chats in which a bot wrote, one day",
        50,
        """
        SELECT chat_db_id, count(*) FROM telegram_bots.messages
        WHERE bot_id = %(bot)s AND created_at >= %(since)s AND created_at < %(since)s + interval '1 day'
        GROUP BY chat_db_id ORDER BY chat_db_id
        """,
        A_MESSAGE,
    ),
    Query(
        "telegram_bots",
        "a message by its number in a chat",
        50,
        """
        SELECT id, bot_id, text FROM telegram_bots.messages
        WHERE chat_db_id = %(chat)s AND telegram_message_id = %(message)s ORDER BY id
        """,
        A_MESSAGE,
    ),
    Query(
        "telegram_bots",
        "numbers of a bot's last messages in a chat, for replies to it",
        50,
        """
        SELECT telegram_message_id FROM telegram_bots.messages
        WHERE chat_db_id = %(chat)s AND bot_id = %(bot)s AND telegram_message_id IS NOT NULL
        ORDER BY telegram_message_id DESC LIMIT 20
        """,
        A_MESSAGE,
    ),
    Query(
        "telegram_bots",
        "a message by its number alone",
        50,
        """
        SELECT id, chat_db_id, bot_id FROM telegram_bots.messages
        WHERE telegram_message_id = %(message)s ORDER BY created_at, id
        """,
        A_MESSAGE,
    ),
    Query(
        "telegram_bots",
        "answers to a message",
        50,
        """
        SELECT id, chat_db_id, bot_id, text FROM telegram_bots.messages
        WHERE reply_to_message_id = %(message)s ORDER BY created_at, id
        """,
        """
        SELECT reply_to_message_id AS message FROM telegram_bots.messages WHERE reply_to_message_id IS NOT NULL
        ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "telegram_bots",
        "a bot's stance on a topic",
        50,
        "SELECT stance, confidence FROM telegram_bots.bot_stances WHERE bot_id = %(bot)s AND topic = %(topic)s",
        "SELECT bot_id AS bot, topic FROM telegram_bots.bot_stances ORDER BY hashint8(id) LIMIT %(wanted)s",
    ),
    Query(
        "telegram_bots",
        "a bot's holding of a symbol",
        50,
        "SELECT quantity, average_price FROM telegram_bots.bot_holdings WHERE bot_id = %(bot)s AND symbol = %(symbol)s",
        "SELECT bot_id AS bot, symbol FROM telegram_bots.bot_holdings ORDER BY hashint8(id) LIMIT %(wanted)s",
    ),
    Query(
        "telegram_bots",
        "a bot's memories of a kind",
        50,
        """
        SELECT id, content FROM telegram_bots.bot_memories
        WHERE bot_id = %(bot)s AND memory_type = %(kind)s ORDER BY id
        """,
        """
        SELECT bot_id AS bot, memory_type AS kind FROM telegram_bots.bot_memories
        ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "telegram_bots",
        "a bot's ten memories that matter most",
        50,
        """
        SELECT content, relevance_score FROM telegram_bots.bot_memories
        WHERE bot_id = %(bot)s ORDER BY relevance_score DESC, id LIMIT 10
        """,
        A_BOT,
    ),
)
