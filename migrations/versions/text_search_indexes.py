"""Searches inside a value: substrings of Thai text, containment in JSON.

The JSON is only asked for containment, so jsonb_path_ops: smaller and faster than the default class.

Revision ID: text_search_indexes
Revises: trigram_extension
"""

from __future__ import annotations

from schema_kit import op

revision: str = "text_search_indexes"
down_revision: str | None = "trigram_extension"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index_concurrently(
        "ix_conversation_message_trgm",
        "conversation",
        ["message"],
        schema="line_support",
        postgresql_using="gin",
        postgresql_ops={"message": "gin_trgm_ops"},
    )
    op.create_index_concurrently(
        "ix_document_extracted_text_trgm",
        "document",
        ["extracted_text"],
        schema="line_support",
        postgresql_using="gin",
        postgresql_ops={"extracted_text": "gin_trgm_ops"},
    )

    op.create_index_concurrently(
        "idx_filters_gin",
        "product_searches",
        ["filters"],
        schema="market_research",
        postgresql_using="gin",
        postgresql_ops={"filters": "jsonb_path_ops"},
    )


def downgrade() -> None:
    op.drop_index_concurrently("idx_filters_gin", "product_searches", schema="market_research")

    op.drop_index_concurrently("ix_document_extracted_text_trgm", "document", schema="line_support")
    op.drop_index_concurrently("ix_conversation_message_trgm", "conversation", schema="line_support")
