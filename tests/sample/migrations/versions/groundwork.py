"""What later revisions stand on: trigram search, and the table of partition policies.

Revision ID: groundwork
Revises: events
"""

from __future__ import annotations

from schema_kit import op

revision: str = "groundwork"
down_revision: str | None = "events"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_extension("pg_trgm")
    op.create_part_config()


def downgrade() -> None:
    op.drop_part_config()
    op.drop_extension("pg_trgm")
