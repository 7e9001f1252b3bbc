"""The rows of the five systems, as lines for COPY: table by table, parents before children.

A row's parents are known by their number, so nothing of one table is remembered for the next: whose message
it is, which restaurant a customer goes to, all follows from numbers and from one seed per table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrations.sample.line_support import conversation, document, line_users, system_log, webhook_event
from migrations.sample.market_research import (
    market_analyses,
    product_categories,
    product_search_results,
    product_searches,
    products,
)
from migrations.sample.rag_chat import citations, rag_conversations, rag_messages, rag_sessions
from migrations.sample.telegram_bots import (
    bot_holdings,
    bot_memories,
    bot_stances,
    bots,
    chats,
    settings,
    telegram_messages,
)
from migrations.sample.whatsapp_agent import ai_interactions, customers, restaurants, whatsapp_messages
from migrations.sample.world import World


@dataclass(frozen=True)
class Table:
    """Where lines go."""

    name: str
    columns: str
    lines: Callable[[World], Iterator[str]]
    trusted: bool = True
    """Whether the rows need none of the table's triggers. The last one does: its trigger fills a column."""

    def blocks(self, world: World, size: int = 1 << 16) -> Iterator[tuple[int, bytes]]:
        """The lines in blocks of about *size* characters, each with the number of its lines."""
        block: list[str] = []
        length = 0
        for line in self.lines(world):
            block.append(line)
            length += len(line)
            if length >= size:
                yield len(block), "".join(block).encode()
                block, length = [], 0
        if block:
            yield len(block), "".join(block).encode()


TABLES = (
    Table("line_support.users", "id, line_user_id, display_name, language, created_at, last_seen_at", line_users),
    Table("line_support.conversation", "id, user_id, role, message, language, created_at", conversation),
    Table("line_support.system_log", "id, level, message, context, created_at", system_log),
    Table(
        "line_support.webhook_event",
        "id, event_type, payload, processed, received_at, processed_at",
        webhook_event,
    ),
    Table("line_support.document", "id, user_id, filename, extracted_text, metadata, created_at", document),
    Table("whatsapp_agent.restaurants", "id, name, phone_number, timezone, is_active, created_at", restaurants),
    Table(
        "whatsapp_agent.customers",
        "id, customer_number, phone_number, restaurant_id, name, status, rating, feedback_sentiment,"
        " is_deleted, created_at",
        customers,
    ),
    Table(
        "whatsapp_agent.whatsapp_messages",
        "id, customer_id, restaurant_id, direction, status, content, created_at",
        whatsapp_messages,
    ),
    Table(
        "whatsapp_agent.ai_interactions",
        "id, customer_id, model, prompt, response, tokens_used, latency_ms, created_at",
        ai_interactions,
    ),
    Table("telegram_bots.bots", "id, name, username, persona, enabled, created_at", bots),
    Table("telegram_bots.chats", "id, telegram_chat_id, title, enabled, created_at", chats),
    Table("telegram_bots.settings", "id, key, value, updated_at", settings),
    Table(
        "telegram_bots.messages",
        "id, bot_id, chat_db_id, telegram_message_id, reply_to_message_id, text, created_at",
        telegram_messages,
    ),
    Table(
        "telegram_bots.bot_stances",
        "id, bot_id, topic, stance, confidence, cooldown_until, updated_at",
        bot_stances,
    ),
    Table("telegram_bots.bot_holdings", "id, bot_id, symbol, quantity, average_price, updated_at", bot_holdings),
    Table(
        "telegram_bots.bot_memories",
        "id, bot_id, memory_type, content, relevance_score, created_at",
        bot_memories,
    ),
    Table(
        "market_research.product_searches",
        "id, user_id, query, filters, results_count, search_timestamp, processing_time_ms",
        product_searches,
    ),
    Table(
        "market_research.market_analyses",
        "id, user_id, product_keywords, analysis_type, status, results, created_at, completed_at, processing_duration",
        market_analyses,
    ),
    Table("market_research.products", "id, title, price, category, review_rating, created_at", products),
    Table("market_research.product_categories", "id, product_id, category", product_categories),
    Table(
        "market_research.product_search_results",
        "id, product_id, search_query_hash, relevance_score",
        product_search_results,
    ),
    Table("rag_chat.user_sessions", "id, session_id, user_id, created_at, expires_at", rag_sessions),
    Table("rag_chat.conversations", "id, user_session_id, title, created_at, expires_at", rag_conversations),
    Table("rag_chat.messages", 'id, conversation_id, role, content, "timestamp", expires_at', rag_messages),
    Table(
        "rag_chat.citations",
        "id, message_id, document_name, page_number, excerpt, relevance_score, created_at",
        citations,
        trusted=False,
    ),
)
