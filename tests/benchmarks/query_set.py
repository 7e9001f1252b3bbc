"""The queries that the five systems live on, as data.

A target is a p95 in milliseconds. Where a system names none for a query, its threshold for slow queries stands in:
100 ms for the restaurants, 200 ms for searches, 500 ms for the chat over documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from migrations.sample.words import LANGUAGES, STANCE_TOPICS, THAI

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Query:
    """One query, and the parameters it is asked with."""

    system: str
    name: str
    target_ms: float | None
    sql: str
    parameters: str | Sequence[Parameters] = ({},)
    """Themselves, or the SQL that takes %(wanted)s sets of them from the data."""
    concurrent: bool = False
    """Whether many users ask it at once."""


def _patterns(words: Sequence[str]) -> list[Parameters]:
    return [{"pattern": f"%{word}%"} for word in words]


THAI_WORDS = (*THAI.items[10:], *(item[2:] for item in THAI.items[::-1] if len(item) > 8))
"""Dishes, from those that many ask for to those that few do, and dishes cut in the middle."""

OTHER_WORDS = tuple(
    item
    for rank in (4, 7, 9)
    for language in LANGUAGES.values()
    if language is not THAI and len(item := language.items[rank]) > 2
)

LINE_SUPPORT = (
    Query(
        "line_support",
        "last 10 messages of a user",
        100,
        """
        SELECT id, role, message, created_at FROM line_support.conversation
        WHERE user_id = %(user_id)s ORDER BY created_at DESC LIMIT 10
        """,
        "SELECT user_id FROM line_support.conversation ORDER BY hashint8(id) LIMIT %(wanted)s",
        concurrent=True,
    ),
    Query(
        "line_support",
        "unprocessed webhook events",
        None,
        "SELECT count(*) FROM line_support.webhook_event WHERE processed = false",
    ),
    Query(
        "line_support",
        "messages per language",
        2000,
        "SELECT language, count(*) FROM line_support.conversation GROUP BY language ORDER BY language",
    ),
    Query(
        "line_support",
        "dashboard: messages and users per day, 30 days",
        2000,
        """
        SELECT date_trunc('day', created_at, 'Asia/Bangkok') AS day, count(*), count(DISTINCT user_id)
        FROM line_support.conversation WHERE created_at >= %(since)s GROUP BY day ORDER BY day
        """,
        """
        SELECT max(created_at) - interval '30 days' - nth * interval '1 day' AS since
        FROM line_support.conversation, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "line_support",
        "dashboard: webhook events by type",
        2000,
        """
        SELECT event_type, count(*), count(*) FILTER (WHERE NOT processed), max(received_at)
        FROM line_support.webhook_event GROUP BY event_type ORDER BY event_type
        """,
    ),
    Query(
        "line_support",
        "substring of Thai messages",
        None,
        """
        SELECT id, user_id, message, created_at FROM line_support.conversation
        WHERE message LIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns(THAI_WORDS),
    ),
    Query(
        "line_support",
        "substring of messages, ten other languages",
        None,
        """
        SELECT id, user_id, message, created_at FROM line_support.conversation
        WHERE message ILIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns(OTHER_WORDS),
    ),
    Query(
        "line_support",
        "substring of documents",
        None,
        """
        SELECT id, filename FROM line_support.document
        WHERE extracted_text ILIKE %(pattern)s ORDER BY created_at DESC LIMIT 20
        """,
        _patterns([topic for language in LANGUAGES.values() for topic in language.topics if len(topic) > 2]),
    ),
    Query(
        "line_support",
        "recent errors",
        None,
        """
        SELECT id, message, context, created_at FROM line_support.system_log
        WHERE level = %(level)s ORDER BY created_at DESC LIMIT 50
        """,
        [{"level": "ERROR"}, {"level": "CRITICAL"}],
    ),
)

A_CUSTOMER = "SELECT customer_id FROM whatsapp_agent.whatsapp_messages ORDER BY id LIMIT %(wanted)s"
"""Of the messages' customers: those who write much come more often."""

WHATSAPP_AGENT = (
    Query(
        "whatsapp_agent",
        "customer by phone and restaurant",
        100,
        """
        SELECT id, customer_number, name, status, rating FROM whatsapp_agent.customers
        WHERE phone_number = %(phone)s AND restaurant_id = %(restaurant_id)s AND NOT is_deleted
        """,
        """
        SELECT phone_number AS phone, restaurant_id FROM whatsapp_agent.customers
        WHERE NOT is_deleted ORDER BY id LIMIT %(wanted)s
        """,
    ),
    Query(
        "whatsapp_agent",
        "last 50 messages of a customer",
        100,
        """
        SELECT id, direction, status, content, created_at FROM whatsapp_agent.whatsapp_messages
        WHERE customer_id = %(customer_id)s ORDER BY created_at DESC LIMIT 50
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "customers of a restaurant with message counts",
        100,
        """
        SELECT c.id, c.name, c.status, c.created_at, count(m.id), max(m.created_at)
        FROM (
            SELECT id, name, status, created_at FROM whatsapp_agent.customers
            WHERE restaurant_id = %(restaurant_id)s AND NOT is_deleted ORDER BY created_at DESC LIMIT 50
        ) AS c LEFT JOIN whatsapp_agent.whatsapp_messages AS m ON m.customer_id = c.id
        GROUP BY c.id, c.name, c.status, c.created_at ORDER BY c.created_at DESC
        """,
        "SELECT restaurant_id FROM whatsapp_agent.customers ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "whatsapp_agent",
        "one customer: the customer",
        100,
        """
        SELECT id, customer_number, phone_number, restaurant_id, name, status, rating, created_at
        FROM whatsapp_agent.customers WHERE id = %(customer_id)s AND NOT is_deleted
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "one customer: the whole conversation",
        100,
        """
        SELECT id, direction, status, content, created_at FROM whatsapp_agent.whatsapp_messages
        WHERE customer_id = %(customer_id)s ORDER BY created_at
        """,
        A_CUSTOMER,
    ),
    Query(
        "whatsapp_agent",
        "analytics of a restaurant, 30 days",
        100,
        """
        SELECT m.total, m.inbound, m.outbound, round(m.outbound::numeric / nullif(m.inbound, 0), 4) AS response_rate,
               c.total AS customers, c.new, c.rating
        FROM (
            SELECT count(*) AS total,
                   count(*) FILTER (WHERE direction = 'inbound') AS inbound,
                   count(*) FILTER (WHERE direction = 'outbound') AS outbound
            FROM whatsapp_agent.whatsapp_messages
            WHERE restaurant_id = %(restaurant_id)s AND created_at >= %(since)s
        ) AS m, (
            SELECT count(*) AS total, count(*) FILTER (WHERE created_at >= %(since)s) AS new, avg(rating) AS rating
            FROM whatsapp_agent.customers WHERE restaurant_id = %(restaurant_id)s AND NOT is_deleted
        ) AS c
        """,
        """
        SELECT restaurant_id, (SELECT max(created_at) FROM whatsapp_agent.whatsapp_messages) - interval '30 days'
            AS since
        FROM whatsapp_agent.customers ORDER BY id LIMIT %(wanted)s
        """,
    ),
)

A_CHAT = """
    SELECT chat_db_id AS chat, max(created_at) OVER () - interval '10 minutes' AS since
    FROM telegram_bots.messages ORDER BY hashint8(id) LIMIT %(wanted)s
"""
A_BOT = "SELECT id AS bot FROM telegram_bots.bots ORDER BY hashint8(id) LIMIT %(wanted)s"

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
)

MARKET_RESEARCH = (
    Query(
        "market_research",
        "products of a search, by relevance then newest",
        100,
        """
        SELECT p.id, p.title, p.price, r.relevance_score
        FROM market_research.product_search_results AS r JOIN market_research.products AS p ON p.id = r.product_id
        WHERE r.search_query_hash = %(hash)s AND p.category = %(category)s AND p.price BETWEEN 100 AND 1500
        ORDER BY r.relevance_score DESC, p.created_at DESC LIMIT 20 OFFSET %(skip)s
        """,
        """
        SELECT r.search_query_hash AS hash, p.category, CASE WHEN r.id %% 4 = 0 THEN 5 ELSE 0 END AS skip
        FROM market_research.product_search_results AS r JOIN market_research.products AS p ON p.id = r.product_id
        ORDER BY hashint8(r.id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "market_research",
        "metrics per category, 90 days",
        500,
        """
        SELECT category, count(*), avg(price), percentile_cont(0.5) WITHIN GROUP (ORDER BY price), avg(review_rating)
        FROM market_research.products WHERE created_at >= %(since)s GROUP BY category ORDER BY category
        """,
        """
        SELECT max(created_at) - interval '90 days' - nth * interval '1 hour' AS since
        FROM market_research.products, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "market_research",
        "searches whose filters contain",
        200,
        """
        SELECT id, query, filters, search_timestamp FROM market_research.product_searches
        WHERE filters @> %(filters)s::jsonb ORDER BY search_timestamp DESC LIMIT 50
        """,
        """
        SELECT filters::text FROM (
            SELECT DISTINCT filters FROM market_research.product_searches
            WHERE filters ? 'brand' AND filters ? 'max_price'
        ) AS _ ORDER BY hashtext(filters::text), 1 LIMIT %(wanted)s
        """,
    ),
    Query(
        "market_research",
        "latest searches of a user",
        200,
        """
        SELECT id, query, search_timestamp FROM market_research.product_searches
        WHERE user_id = %(user_id)s ORDER BY search_timestamp DESC LIMIT 20
        """,
        "SELECT user_id FROM market_research.product_searches ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "market_research",
        "searches for the same text",
        200,
        """
        SELECT count(*), max(search_timestamp), avg(processing_time_ms) FROM market_research.product_searches
        WHERE md5(query) = %(hash)s
        """,
        "SELECT md5(query) AS hash FROM market_research.product_searches ORDER BY id LIMIT %(wanted)s",
    ),
)

RAG_CHAT = (
    Query(
        "rag_chat",
        "session of a visit",
        500,
        "SELECT id, user_id, expires_at FROM rag_chat.user_sessions WHERE session_id = %(session_id)s",
        "SELECT session_id FROM rag_chat.user_sessions ORDER BY session_id LIMIT %(wanted)s",
    ),
    Query(
        "rag_chat",
        "conversations of a session",
        500,
        """
        SELECT id, title, created_at FROM rag_chat.conversations
        WHERE user_session_id = %(session)s ORDER BY created_at DESC
        """,
        """
        SELECT user_session_id AS session FROM rag_chat.conversations ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "rag_chat",
        "a page of history",
        500,
        """
        SELECT id, role, content, "timestamp" FROM rag_chat.messages
        WHERE conversation_id = %(conversation)s AND ("timestamp", id) < (%(seen_at)s, %(seen_id)s)
        ORDER BY "timestamp" DESC, id DESC LIMIT 20
        """,
        """
        SELECT conversation_id AS conversation, "timestamp" AS seen_at, id AS seen_id
        FROM rag_chat.messages ORDER BY hashint8(id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "rag_chat",
        "citations of an answer",
        500,
        """
        SELECT id, document_name, page_number, excerpt, relevance_score FROM rag_chat.citations
        WHERE message_id = %(message)s ORDER BY id
        """,
        "SELECT message_id AS message FROM rag_chat.citations ORDER BY hashint8(id) LIMIT %(wanted)s",
    ),
    *(
        Query(
            "rag_chat",
            f"1000 expired {table.replace('user_', '')}",
            500,
            f"""
            SELECT id FROM rag_chat.{table} WHERE expires_at < %(now)s ORDER BY expires_at, id LIMIT 1000
            """,
            f"""
            SELECT min(expires_at) + nth * interval '1 day' AS now
            FROM rag_chat.{table}, generate_series(1, %(wanted)s) AS nth GROUP BY nth ORDER BY nth
            """,
        )
        for table in ("messages", "conversations", "user_sessions")
    ),
)

QUERIES = (*LINE_SUPPORT, *WHATSAPP_AGENT, *TELEGRAM_BOTS, *MARKET_RESEARCH, *RAG_CHAT)
