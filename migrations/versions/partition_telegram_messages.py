"""Weeks of bots' messages: all but the last ones go to an archive, and 30 days are four weeks and a bit.

Those that are there already come into their weeks at once, beside readers and writers.

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
    op.convert_to_partitioned("messages", "created_at", "1 week", schema="telegram_bots", strategy="attach")
    op.split_partition_concurrently("messages", schema="telegram_bots")


def downgrade() -> None:
    op.unpartition("messages", schema="telegram_bots")
