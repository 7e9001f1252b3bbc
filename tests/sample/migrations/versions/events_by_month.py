"""Events by month, with an index and a check on each partition.

Revision ID: events_by_month
Revises: first_events
"""

from __future__ import annotations

from schema_kit import op

revision: str = "events_by_month"
down_revision: str | None = "first_events"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.convert_to_partitioned("events", "created_at", "1 month", timezone="Europe/Madrid", premake=2, strategy="attach")
    op.create_index_concurrently("ix_events_kind", "events", ["kind", "created_at"])
    op.drain_default_concurrently("events")  # there is none
    op.split_partition_concurrently("events", "events_p20270101")  # it is a month already
    op.create_check_constraint_concurrently("events_kind_check", "events", "length(kind) < 100")


def downgrade() -> None:
    op.drop_index_concurrently("ix_events_kind", "events")
    op.unpartition("events")
