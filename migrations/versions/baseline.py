"""The tables as the five applications had them, before anything was done for their speed.

A picture of that day, which later models do not change. On a database that the applications made themselves
the tables are there already.

Revision ID: baseline
Revises:
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from schema_kit import op

revision: str = "baseline"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

metadata = sa.MetaData()


def _bigint_id() -> sa.Column[Any]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _uuid_id() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()"))


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))


def _moment(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[Any]:
    server_default = sa.text(f"'{default}'") if default is not None else None
    return sa.Column(name, sa.Text, nullable=nullable, server_default=server_default)


def _json(name: str, default: str | None = None, nullable: bool = False) -> sa.Column[Any]:
    server_default = sa.text(f"'{default}'::jsonb") if default is not None else None
    return sa.Column(name, JSONB, nullable=nullable, server_default=server_default)


def _boolean(name: str, default: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(default))


def _reference(
    name: str, target: str, constraint: str, ondelete: str | None = None, nullable: bool = False
) -> sa.Column[Any]:
    return sa.Column(name, sa.ForeignKey(target, name=constraint, ondelete=ondelete), nullable=nullable)


# line_support

sa.Table(
    "users",
    metadata,
    _bigint_id(),
    _text("line_user_id"),
    _text("display_name", nullable=True),
    _text("language", default="th"),
    _time("created_at"),
    _moment("last_seen_at"),
    sa.UniqueConstraint("line_user_id", name="users_line_user_id_key"),
    schema="line_support",
)
sa.Table(
    "conversation",
    metadata,
    _bigint_id(),
    _reference("user_id", "line_support.users.id", "conversation_user_id_fkey", ondelete="CASCADE"),
    _text("role"),
    _text("message"),
    _text("language"),
    _time("created_at"),
    schema="line_support",
)
sa.Table(
    "system_log",
    metadata,
    _bigint_id(),
    _text("level"),
    _text("message"),
    _json("context", nullable=True),
    _time("created_at"),
    schema="line_support",
)
sa.Table(
    "webhook_event",
    metadata,
    _bigint_id(),
    _text("event_type"),
    _json("payload"),
    _boolean("processed", default="false"),
    _time("received_at"),
    _moment("processed_at"),
    schema="line_support",
)
sa.Table(
    "document",
    metadata,
    _bigint_id(),
    _reference("user_id", "line_support.users.id", "document_user_id_fkey", ondelete="CASCADE"),
    _text("filename"),
    _text("extracted_text", nullable=True),
    _json("metadata", default="{}"),
    _time("created_at"),
    schema="line_support",
)

# whatsapp_agent

sa.Table(
    "restaurants",
    metadata,
    _uuid_id(),
    _text("name"),
    _text("phone_number"),
    _text("timezone", default="UTC"),
    _boolean("is_active", default="true"),
    _time("created_at"),
    sa.UniqueConstraint("phone_number", name="restaurants_phone_number_key"),
    schema="whatsapp_agent",
)
sa.Table(
    "customers",
    metadata,
    _uuid_id(),
    _text("customer_number"),
    _text("phone_number"),
    _reference("restaurant_id", "whatsapp_agent.restaurants.id", "customers_restaurant_id_fkey"),
    _text("name", nullable=True),
    _text("status", default="active"),
    sa.Column("rating", sa.SmallInteger),
    _text("feedback_sentiment", nullable=True),
    _boolean("is_deleted", default="false"),
    _time("created_at"),
    sa.UniqueConstraint("restaurant_id", "customer_number", name="customers_restaurant_id_customer_number_key"),
    schema="whatsapp_agent",
)
sa.Table(
    "whatsapp_messages",
    metadata,
    _uuid_id(),
    _reference("customer_id", "whatsapp_agent.customers.id", "whatsapp_messages_customer_id_fkey"),
    _reference("restaurant_id", "whatsapp_agent.restaurants.id", "whatsapp_messages_restaurant_id_fkey"),
    _text("direction"),
    _text("status", default="received"),
    _text("content"),
    _time("created_at"),
    schema="whatsapp_agent",
)
sa.Table(
    "ai_interactions",
    metadata,
    _uuid_id(),
    _reference("customer_id", "whatsapp_agent.customers.id", "ai_interactions_customer_id_fkey", ondelete="CASCADE"),
    _text("model"),
    _text("prompt"),
    _text("response", nullable=True),
    sa.Column("tokens_used", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("latency_ms", sa.Integer),
    _time("created_at"),
    schema="whatsapp_agent",
)

# telegram_bots

sa.Table(
    "bots",
    metadata,
    _bigint_id(),
    _text("name"),
    _text("username"),
    _json("persona", default="{}"),
    _boolean("enabled", default="true"),
    _time("created_at"),
    sa.UniqueConstraint("username", name="bots_username_key"),
    schema="telegram_bots",
)
sa.Table(
    "chats",
    metadata,
    _bigint_id(),
    sa.Column("telegram_chat_id", sa.BigInteger, nullable=False),
    _text("title", nullable=True),
    _boolean("enabled", default="true"),
    _time("created_at"),
    sa.UniqueConstraint("telegram_chat_id", name="chats_telegram_chat_id_key"),
    schema="telegram_bots",
)
sa.Table(
    "settings",
    metadata,
    _bigint_id(),
    _text("key"),
    _json("value", nullable=True),
    _time("updated_at"),
    sa.UniqueConstraint("key", name="settings_key_key"),
    schema="telegram_bots",
)
sa.Table(
    "messages",
    metadata,
    _bigint_id(),
    _reference("bot_id", "telegram_bots.bots.id", "messages_bot_id_fkey", nullable=True),
    _reference("chat_db_id", "telegram_bots.chats.id", "messages_chat_db_id_fkey"),
    sa.Column("telegram_message_id", sa.BigInteger),
    sa.Column("reply_to_message_id", sa.BigInteger),
    _text("text"),
    _time("created_at"),
    schema="telegram_bots",
)
sa.Table(
    "bot_stances",
    metadata,
    _bigint_id(),
    _reference("bot_id", "telegram_bots.bots.id", "bot_stances_bot_id_fkey", ondelete="CASCADE"),
    _text("topic"),
    _text("stance"),
    sa.Column("confidence", sa.Double),
    _moment("cooldown_until"),
    _time("updated_at"),
    schema="telegram_bots",
)
sa.Table(
    "bot_holdings",
    metadata,
    _bigint_id(),
    _reference("bot_id", "telegram_bots.bots.id", "bot_holdings_bot_id_fkey", ondelete="CASCADE"),
    _text("symbol"),
    sa.Column("quantity", sa.Numeric(20, 8), nullable=False, server_default=sa.text("0")),
    sa.Column("average_price", sa.Numeric(20, 8)),
    _time("updated_at"),
    schema="telegram_bots",
)
sa.Table(
    "bot_memories",
    metadata,
    _bigint_id(),
    _reference("bot_id", "telegram_bots.bots.id", "bot_memories_bot_id_fkey", ondelete="CASCADE"),
    _text("memory_type"),
    _text("content"),
    sa.Column("relevance_score", sa.Double, nullable=False, server_default=sa.text("0")),
    _time("created_at"),
    schema="telegram_bots",
)

# market_research

sa.Table(
    "product_searches",
    metadata,
    _uuid_id(),
    sa.Column("user_id", sa.Uuid, nullable=False),
    sa.Column("query", sa.String(200), nullable=False),
    _json("filters", default="{}"),
    sa.Column("results_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    _time("search_timestamp"),
    sa.Column("processing_time_ms", sa.Integer),
    schema="market_research",
)
sa.Table(
    "market_analyses",
    metadata,
    _uuid_id(),
    sa.Column("user_id", sa.Uuid, nullable=False),
    _json("product_keywords", default="[]"),
    _text("analysis_type"),
    _text("status", default="pending"),
    _json("results", nullable=True),
    _time("created_at"),
    _moment("completed_at"),
    sa.Column("processing_duration", sa.Interval),
    schema="market_research",
)
sa.Table(
    "products",
    metadata,
    _bigint_id(),
    _text("title"),
    sa.Column("price", sa.Numeric(12, 2), nullable=False),
    _text("category"),
    sa.Column("review_rating", sa.Numeric(3, 2)),
    _time("created_at"),
    schema="market_research",
)
sa.Table(
    "product_categories",
    metadata,
    _bigint_id(),
    _reference("product_id", "market_research.products.id", "product_categories_product_id_fkey", ondelete="CASCADE"),
    _text("category"),
    sa.UniqueConstraint("product_id", "category", name="product_categories_product_id_category_key"),
    schema="market_research",
)
sa.Table(
    "product_search_results",
    metadata,
    _bigint_id(),
    _reference(
        "product_id",
        "market_research.products.id",
        "product_search_results_product_id_fkey",
        ondelete="CASCADE",
    ),
    _text("search_query_hash"),
    sa.Column("relevance_score", sa.Double, nullable=False),
    sa.UniqueConstraint(
        "product_id", "search_query_hash", name="product_search_results_product_id_search_query_hash_key"
    ),
    schema="market_research",
)

# rag_chat

sa.Table(
    "user_sessions",
    metadata,
    _bigint_id(),
    sa.Column("session_id", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    _text("user_id"),
    _time("created_at"),
    _moment("expires_at", nullable=False),
    schema="rag_chat",
)
sa.Table(
    "conversations",
    metadata,
    _bigint_id(),
    _reference(
        "user_session_id",
        "rag_chat.user_sessions.id",
        "conversations_user_session_id_fkey",
        ondelete="CASCADE",
    ),
    _text("title", nullable=True),
    _time("created_at"),
    _moment("expires_at", nullable=False),
    schema="rag_chat",
)
sa.Table(
    "messages",
    metadata,
    _bigint_id(),
    _reference("conversation_id", "rag_chat.conversations.id", "messages_conversation_id_fkey", ondelete="CASCADE"),
    _text("role"),
    _text("content"),
    _time("timestamp"),
    _moment("expires_at", nullable=False),
    schema="rag_chat",
)
sa.Table(
    "citations",
    metadata,
    _bigint_id(),
    _reference("message_id", "rag_chat.messages.id", "citations_message_id_fkey", ondelete="CASCADE"),
    _text("document_name"),
    sa.Column("page_number", sa.Integer),
    _text("excerpt"),
    sa.Column("relevance_score", sa.Double),
    _time("created_at"),
    schema="rag_chat",
)


def upgrade() -> None:
    op.create_baseline(metadata)


def downgrade() -> None:
    op.drop_baseline(metadata)
