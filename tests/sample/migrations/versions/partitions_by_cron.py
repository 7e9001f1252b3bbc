"""Partitions are maintained inside the server, where pg_cron is at hand: by pg_partman's functions in SQL.

Revision ID: partitions_by_cron
Revises: event_retention
"""

from __future__ import annotations

from schema_kit import op

revision: str = "partitions_by_cron"
down_revision: str | None = "event_retention"
branch_labels: str | None = None
depends_on: str | None = None

WHERE_IT_IS = """DO $do$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_cron') THEN
        PERFORM cron.{};
    END IF;
END $do$"""


def upgrade() -> None:
    op.install_partman_sql()
    op.execute(WHERE_IT_IS.format("schedule('partitions', '@hourly', 'CALL partman.run_maintenance_proc()')"))


def downgrade() -> None:
    op.execute(WHERE_IT_IS.format("unschedule('partitions')"))
    op.remove_partman_sql()
