"""Months of bots' messages: all but the last ones go to an archive.

Revision ID: partition_telegram_messages
Revises: partition_whatsapp_messages
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_telegram_messages"
down_revision: str | None = "partition_whatsapp_messages"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned("messages", "created_at", "1 month", schema="telegram_bots")


def downgrade() -> None:
    op.unpartition("messages", schema="telegram_bots")
