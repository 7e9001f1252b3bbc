"""Conversations are kept for a year, counted in Bangkok.

`schema_kit partitions maintain`, once a day, takes a month out when its last message is a year old, and drops it 30
days later. Until then it is a table of its own, and the downgrade puts it back. What is to be kept longer is archived
(op.set_archive_policy) or exported (`schema_kit archive export`) before.

Revision ID: conversation_retention
Revises: product_searches_lifecycle
"""

from __future__ import annotations

from schema_kit import op

revision: str = "conversation_retention"
down_revision: str | None = "product_searches_lifecycle"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.set_partition_policy(
        "conversation",
        schema="line_support",
        retention="12 months",
        retention_keep_table=False,
        retention_grace="30 days",
    )


def downgrade() -> None:
    op.drop_retention("conversation", schema="line_support")
