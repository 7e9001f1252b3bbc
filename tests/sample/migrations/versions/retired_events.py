"""A month of events leaves its set, and another one goes for good.

Revision ID: retired_events
Revises: spring
"""

from __future__ import annotations

from schema_kit import op

revision: str = "retired_events"
down_revision: str | None = "spring"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.detach_partition_concurrently("events", "events_p20270101")
    op.drop_partition_concurrently("events", "events_p20270201")


def downgrade() -> None:
    op.attach_partition_concurrently("events", "events_p20270101", "2027-01-01 00:00+01", "2027-02-01 00:00+01")
