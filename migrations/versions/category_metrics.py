"""The metrics of each category over the last 90 days, computed once for all who read them.

`schema_kit refresh market_research.category_metrics`, every hour, refreshes them while they are read: the unique index
is what PostgreSQL compares old and new rows by.

Revision ID: category_metrics
Revises: telegram_message_indexes
"""

from __future__ import annotations

from schema_kit import op

revision: str = "category_metrics"
down_revision: str | None = "telegram_message_indexes"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE MATERIALIZED VIEW market_research.category_metrics AS
        SELECT category, count(*) AS products, avg(price) AS average_price,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS median_price,
               avg(review_rating) AS average_rating, now() AS computed_at
        FROM market_research.products WHERE created_at >= now() - interval '90 days' GROUP BY category
        """
    )
    op.execute("CREATE UNIQUE INDEX category_metrics_category_key ON market_research.category_metrics (category)")


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW market_research.category_metrics")
