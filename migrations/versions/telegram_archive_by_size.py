"""Messages go to the archive by size, too: the oldest weeks while there are more than a million live messages.

The present week and the one before it stay, however many messages they have.

Revision ID: telegram_archive_by_size
Revises: category_metrics
"""

from __future__ import annotations

from schema_kit import op

revision: str = "telegram_archive_by_size"
down_revision: str | None = "category_metrics"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.set_archive_policy("messages", "30 days", schema="telegram_bots", max_rows=1_000_000)


def downgrade() -> None:
    op.set_archive_policy("messages", "30 days", schema="telegram_bots")
