"""Months of product searches: the old ones go to an archive.

Those that are there already come into their months at once, beside readers and writers.

Revision ID: partition_product_searches
Revises: partition_telegram_messages
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partition_product_searches"
down_revision: str | None = "partition_telegram_messages"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned(
        "product_searches", "search_timestamp", "1 month", schema="market_research", strategy="attach"
    )
    op.split_partition_concurrently("product_searches", schema="market_research")


def downgrade() -> None:
    op.unpartition("product_searches", schema="market_research")
