"""A place for old product searches.

Revision ID: product_searches_archive
Revises: telegram_archive_policy
"""

from __future__ import annotations

from schema_kit import op

revision: str = "product_searches_archive"
down_revision: str | None = "telegram_archive_policy"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_archive_table(
        "product_searches",
        schema="market_research",
        indexes=("idx_user_timestamp", "idx_query_hash", "idx_filters_gin"),
    )


def downgrade() -> None:
    op.drop_archive_table("product_searches", schema="market_research")
