"""The archive of events follows its table.

Revision ID: event_archive_follows
Revises: expiry
"""

from __future__ import annotations

from schema_kit import op

revision: str = "event_archive_follows"
down_revision: str | None = "expiry"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.repair_archive_table("events", view="all_events")  # nothing has changed since


def downgrade() -> None:
    pass
