"""Product searches go to the archive after half a year, and leave that after two years.

`schema_kit partitions maintain`, once a day, does both: a month is taken out of the archive when its last search is two
years old, and dropped 30 days later. Until then it is a table of its own, and the downgrade puts it back. Who wants to
keep them in files writes them there before:

    schema_kit archive export market_research.product_searches_archive --to s3://bucket/searches \\
        --until 2025-01-01 --drop --yes

Revision ID: product_searches_lifecycle
Revises: product_searches_archive
"""

from __future__ import annotations

from schema_kit import op

revision: str = "product_searches_lifecycle"
down_revision: str | None = "product_searches_archive"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.set_archive_policy("product_searches", "6 months", schema="market_research")
    op.set_partition_policy(
        "product_searches_archive",
        schema="market_research",
        retention="24 months",
        retention_keep_table=False,
        retention_grace="30 days",
    )


def downgrade() -> None:
    op.drop_retention("product_searches_archive", schema="market_research")
    op.restore_archive_table("product_searches", schema="market_research")
