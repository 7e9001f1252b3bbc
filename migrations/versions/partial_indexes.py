"""Indexes on the rows that are looked up, and on what is looked up of them.

Every predicate is immutable. A cooldown is indexed when it is set, not while it runs: a predicate with the
clock in it would freeze the day of the migration.

Revision ID: partial_indexes
Revises: text_search_indexes
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "partial_indexes"
down_revision: str | None = "text_search_indexes"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index_concurrently(
        "ix_webhook_event_unprocessed",
        "webhook_event",
        ["received_at"],
        schema="line_support",
        postgresql_where=sa.text("NOT processed"),
    )

    op.create_index_concurrently(
        "idx_customers_phone_restaurant",
        "customers",
        ["phone_number", "restaurant_id"],
        schema="whatsapp_agent",
        postgresql_where=sa.text("NOT is_deleted"),
    )
    op.create_index_concurrently(
        "idx_customers_status_restaurant",
        "customers",
        ["restaurant_id", "status"],
        schema="whatsapp_agent",
        postgresql_where=sa.text("NOT is_deleted"),
    )
    op.create_index_concurrently(
        "idx_customers_created_restaurant",
        "customers",
        ["restaurant_id", sa.text("created_at DESC")],
        schema="whatsapp_agent",
        postgresql_where=sa.text("NOT is_deleted"),
    )
    op.create_index_concurrently(
        "idx_customers_feedback_sentiment",
        "customers",
        ["restaurant_id", "feedback_sentiment"],
        schema="whatsapp_agent",
        postgresql_where=sa.text("NOT is_deleted"),
    )

    op.create_index_concurrently(
        "ix_messages_active_bots",
        "messages",
        ["bot_id", "created_at"],
        schema="telegram_bots",
        postgresql_where=sa.text("bot_id IS NOT NULL"),
    )
    op.create_index_concurrently(
        "ix_stances_active_cooldown",
        "bot_stances",
        ["bot_id", "topic"],
        schema="telegram_bots",
        postgresql_where=sa.text("cooldown_until IS NOT NULL"),
    )

    op.create_index_concurrently(
        "idx_query_hash", "product_searches", [sa.text("md5(query)")], schema="market_research"
    )


def downgrade() -> None:
    op.drop_index_concurrently("idx_query_hash", "product_searches", schema="market_research")

    op.drop_index_concurrently("ix_stances_active_cooldown", "bot_stances", schema="telegram_bots")
    op.drop_index_concurrently("ix_messages_active_bots", "messages", schema="telegram_bots")

    op.drop_index_concurrently("idx_customers_feedback_sentiment", "customers", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_customers_created_restaurant", "customers", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_customers_status_restaurant", "customers", schema="whatsapp_agent")
    op.drop_index_concurrently("idx_customers_phone_restaurant", "customers", schema="whatsapp_agent")

    op.drop_index_concurrently("ix_webhook_event_unprocessed", "webhook_event", schema="line_support")
