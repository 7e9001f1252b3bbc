"""Months of questions and answers.

Citations refer to messages, and a foreign key to a partitioned table must name the column it is partitioned
by: citations get message_timestamp, which the database fills.

Revision ID: partition_rag_messages
Revises: partition_product_searches
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_rag_messages"
down_revision: str | None = "partition_product_searches"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned(
        "messages", "timestamp", "1 month", schema="rag_chat", incoming_foreign_keys="composite", strategy="attach"
    )


def downgrade() -> None:
    op.unpartition("messages", schema="rag_chat")
