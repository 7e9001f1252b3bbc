"""Months of webhook events, cut at midnight in Bangkok.

Revision ID: partition_webhook_event
Revises: partition_conversation
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_webhook_event"
down_revision: str | None = "partition_conversation"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned(
        "webhook_event", "received_at", "1 month", schema="line_support", timezone="Asia/Bangkok", strategy="attach"
    )


def downgrade() -> None:
    op.unpartition("webhook_event", schema="line_support")
