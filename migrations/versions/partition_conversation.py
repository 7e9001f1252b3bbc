"""Months of conversation, cut at midnight in Bangkok, so that old ones can be dropped whole.

What is there already comes into its months at once, beside readers and writers.

Revision ID: partition_conversation
Revises: part_config
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_conversation"
down_revision: str | None = "part_config"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned(
        "conversation", "created_at", "1 month", schema="line_support", timezone="Asia/Bangkok", strategy="attach"
    )
    op.split_partition_concurrently("conversation", schema="line_support")


def downgrade() -> None:
    op.unpartition("conversation", schema="line_support")
