"""Months of WhatsApp messages: a restaurant's 30 days lie in two of them.

Revision ID: partition_whatsapp_messages
Revises: partition_webhook_event
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_whatsapp_messages"
down_revision: str | None = "partition_webhook_event"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned("whatsapp_messages", "created_at", "1 month", schema="whatsapp_agent", strategy="attach")


def downgrade() -> None:
    op.unpartition("whatsapp_messages", schema="whatsapp_agent")
