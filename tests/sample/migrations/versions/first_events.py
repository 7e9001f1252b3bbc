"""The first events: ordinary work, in a revision of its own.

Revision ID: first_events
Revises: groundwork
"""

from __future__ import annotations

from schema_kit import op

revision: str = "first_events"
down_revision: str | None = "groundwork"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO events (kind, created_at) "
        "SELECT 'visit', '2026-06-01 00:00:00+00'::timestamptz + n * interval '1 day' FROM generate_series(1, 60) n"
    )


def downgrade() -> None:
    op.execute("DELETE FROM events")
