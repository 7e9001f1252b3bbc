"""What is older than a year goes to an archive, and a view shows both.

Revision ID: event_archive
Revises: retired_events
"""

from __future__ import annotations

from schema_kit import op

revision: str = "event_archive"
down_revision: str | None = "retired_events"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_archive_table("events", view="all_events", compression="pglz")
    op.set_archive_policy("events", "1 year")


def downgrade() -> None:
    op.drop_archive_policy("events")
    op.drop_archive_table("events", view="all_events")
