"""Indexes for the queries the systems live on, one per question that is asked.

An index on a foreign key comes along where none of the others begins with it: deleting a parent reads its
children.

Revision ID: composite_indexes
Revises: baseline
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "composite_indexes"
down_revision: str | None = "baseline"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index_concurrently(
        "ix_conversation_user_created",
        "conversation",
        ["user_id", sa.text("created_at DESC")],
        schema="line_support",
    )
    op.create_index_concurrently("ix_conversation_language", "conversation", ["language"], schema="line_support")
    op.create_index_concurrently(
        "ix_system_log_level_created",
        "system_log",
        ["level", sa.text("created_at DESC")],
        schema="line_support",
    )
    op.create_index_concurrently(
        "ix_document_user_created", "document", ["user_id", sa.text("created_at DESC")], schema="line_support"
    )

    op.create_index_concurrently(
        "idx_whatsapp_messages_customer_date",
        "whatsapp_messages",
        ["customer_id", sa.text("created_at DESC")],
        schema="whatsapp_agent",
    )
    op.create_index_concurrently(
        "idx_whatsapp_messages_restaurant_date",
        "whatsapp_messages",
        ["restaurant_id", sa.text("created_at DESC")],
        schema="whatsapp_agent",
        postgresql_include=["direction"],
    )
    op.create_index_concurrently(
        "idx_whatsapp_messages_direction_status",
        "whatsapp_messages",
        ["direction", "status"],
        schema="whatsapp_agent",
    )
    op.create_index_concurrently(
        "idx_ai_interactions_customer_date",
        "ai_interactions",
        ["customer_id", sa.text("created_at DESC")],
        schema="whatsapp_agent",
    )

    op.create_index_concurrently(
        "ix_messages_bot_created_at", "messages", ["bot_id", "created_at"], schema="telegram_bots"
    )
    op.create_index_concurrently(
        "ix_messages_chat_created_at", "messages", ["chat_db_id", "created_at"], schema="telegram_bots"
    )
    op.create_index_concurrently(
        "ix_messages_chat_telegram_msg",
        "messages",
        ["chat_db_id", "telegram_message_id"],
        schema="telegram_bots",
    )
    op.create_index_concurrently(
        "ix_messages_reply_lookup",
        "messages",
        ["chat_db_id", "bot_id", "telegram_message_id"],
        schema="telegram_bots",
    )
    op.create_index_concurrently(
        "ix_messages_incoming", "messages", ["bot_id", "created_at", "chat_db_id"], schema="telegram_bots"
    )
    op.create_index_concurrently("ix_messages_created_at", "messages", ["created_at"], schema="telegram_bots")
    op.create_index_concurrently(
        "uq_bot_stances_bot_topic", "bot_stances", ["bot_id", "topic"], schema="telegram_bots", unique=True
    )
    op.create_index_concurrently(
        "ix_stances_bot_updated", "bot_stances", ["bot_id", "updated_at"], schema="telegram_bots"
    )
    op.create_index_concurrently(
        "uq_bot_holdings_bot_symbol",
        "bot_holdings",
        ["bot_id", "symbol"],
        schema="telegram_bots",
        unique=True,
    )
    op.create_index_concurrently(
        "ix_holdings_bot_updated", "bot_holdings", ["bot_id", "updated_at"], schema="telegram_bots"
    )
    op.create_index_concurrently(
        "ix_memories_bot_type", "bot_memories", ["bot_id", "memory_type"], schema="telegram_bots"
    )
    op.create_index_concurrently(
        "ix_memories_bot_relevance", "bot_memories", ["bot_id", "relevance_score"], schema="telegram_bots"
    )

    op.create_index_concurrently(
        "idx_user_timestamp",
        "product_searches",
        ["user_id", sa.text("search_timestamp DESC")],
        schema="market_research",
    )
    op.create_index_concurrently(
        "idx_user_status_created",
        "market_analyses",
        ["user_id", "status", sa.text("created_at DESC")],
        schema="market_research",
    )
    op.create_index_concurrently(
        "idx_analysis_type_status", "market_analyses", ["analysis_type", "status"], schema="market_research"
    )
    op.create_index_concurrently("idx_category_price", "products", ["category", "price"], schema="market_research")
    op.create_index_concurrently(
        "idx_products_created",
        "products",
        ["created_at"],
        schema="market_research",
        postgresql_include=["category", "price", "review_rating"],
    )
    op.create_index_concurrently(
        "idx_product_categories_category",
        "product_categories",
        ["category", "product_id"],
        schema="market_research",
    )
    op.create_index_concurrently(
        "idx_search_query_hash",
        "product_search_results",
        ["search_query_hash", sa.text("relevance_score DESC")],
        schema="market_research",
    )

    op.create_index_concurrently(
        "ix_user_sessions_session_id", "user_sessions", ["session_id"], schema="rag_chat", unique=True
    )
    op.create_index_concurrently("ix_user_sessions_user_id", "user_sessions", ["user_id"], schema="rag_chat")
    op.create_index_concurrently("ix_user_sessions_expires_at", "user_sessions", ["expires_at"], schema="rag_chat")
    op.create_index_concurrently(
        "ix_conversations_user_session_id", "conversations", ["user_session_id"], schema="rag_chat"
    )
    op.create_index_concurrently("ix_conversations_created_at", "conversations", ["created_at"], schema="rag_chat")
    op.create_index_concurrently("ix_conversations_expires_at", "conversations", ["expires_at"], schema="rag_chat")
    op.create_index_concurrently("ix_messages_conversation_id", "messages", ["conversation_id"], schema="rag_chat")
    op.create_index_concurrently("ix_messages_timestamp", "messages", ["timestamp"], schema="rag_chat")
    op.create_index_concurrently("ix_messages_expires_at", "messages", ["expires_at"], schema="rag_chat")
    op.create_index_concurrently("ix_citations_message_id", "citations", ["message_id"], schema="rag_chat")


def downgrade() -> None:
    op.drop_index_concurrently("ix_citations_message_id", "citations", schema="rag_chat")
    op.drop_index_concurrently("ix_messages_expires_at", "messages", schema="rag_chat")
    op.drop_index_concurrently("ix_messages_timestamp", "messages", schema="rag_chat")
    op.drop_index_concurrently("ix_messages_conversation_id", "messages", schema="rag_chat")
    op.drop_index_concurrently("ix_conversations_expires_at", "conversations", schema="rag_chat")
    op.drop_index_concurrently("ix_conversations_created_at", "conversations", schema="rag_chat")
    op.drop_index_concurrently("ix_conversations_user_session_id", "conversations", schema="rag_chat")
    op.drop_index_concurrently("ix_user_sessions_expires_at", "user_sessions", schema="rag_chat")
    op.drop_index_concurrently("ix_user_sessions_user_id", "user_sessions", schema="rag_chat")
    op.drop_index_concurrently("ix_user_sessions_session_id", "user_sessions", schema="rag_chat")

    op.drop_index_concurrently("idx_search_query_hash", "product_search_results", schema="market_research")
    op.drop_index_concurrently("idx_product_categories_category", "product_categories", schema="market_research")
    op.drop_index_concurrently("idx_products_created", "products", schema="market_research")
    op.drop_index_concurrently("idx_category_price", "products", schema="market_research")
    op.drop_index_concurrently("idx_analysis_type_status", "market_analyses", schema="market_research")
    op.drop_index_concurrently("idx_user_status_created", "market_analyses", schema="market_research")
    op.drop_index_concurrently("idx_user_timestamp", "product_searches", schema="market_research")

    op.drop_index_concurrently("ix_memories_bot_relevance", "bot_memories", schema="telegram_bots")
    op.drop_index_concurrently("ix_memories_bot_type", "bot_memories", schema="telegram_bots")
    op.drop_index_concurrently("ix_holdings_bot_updated", "bot_holdings", schema="telegram_bots")
    op.drop_index_concurrently("uq_bot_holdings_bot_symbol", "bot_holdings", schema="telegram_bots")
    op.drop_index_concurrently("ix_stances_bot_updated", "bot_stances", schema="telegram_bots")
    op.drop_index_concurrently("uq_bot_stances_bot_topic", "bot_stances", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_created_at", "messages", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_incoming", "messages", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_reply_lookup", "messages", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_chat_telegram_msg", "messages", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_chat_created_at", "messages", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_bot_created_at", "messages", schema="telegram_bots")

    op.drop_index_concurrently("idx_ai_interactions_customer_date", "ai_interactions", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_whatsapp_messages_direction_status", "whatsapp_messages", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_whatsapp_messages_restaurant_date", "whatsapp_messages", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_whatsapp_messages_customer_date", "whatsapp_messages", schema="whatsapp_agent")

    op.drop_index_concurrently("ix_document_user_created", "document", schema="line_support")
    op.drop_index_concurrently("ix_system_log_level_created", "system_log", schema="line_support")
    op.drop_index_concurrently("ix_conversation_language", "conversation", schema="line_support")
    op.drop_index_concurrently("ix_conversation_user_created", "conversation", schema="line_support")
