"""Messages of more than 30 days ago go to the archive.

A week goes when its last message is 30 days old, so that messages holds 30 to 37 days. `schema_kit archive run`
or `schema_kit partitions maintain`, once a day, is what moves it: a partition changes its parent, and no row is copied.

Revision ID: telegram_archive_policy
Revises: telegram_archive
"""

from __future__ import annotations

from schema_kit import op

revision: str = "telegram_archive_policy"
down_revision: str | None = "telegram_archive"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.set_archive_policy("messages", "30 days", schema="telegram_bots")


def downgrade() -> None:
    op.restore_archive_table("messages", schema="telegram_bots")
