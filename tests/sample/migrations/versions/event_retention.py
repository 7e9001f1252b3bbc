"""Events go to the archive after two years, and leave their set for good after five.

Revision ID: event_retention
Revises: event_archive_follows
"""

from __future__ import annotations

from schema_kit import op

revision: str = "event_retention"
down_revision: str | None = "event_archive_follows"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.set_archive_policy("events", "2 years")
    op.set_partition_policy("events", retention="5 years")


def downgrade() -> None:
    op.drop_retention("events")
    op.restore_archive_table("events")
