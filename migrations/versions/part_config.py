"""Where partitioning policy lives from now on.

Revision ID: part_config
Revises: partial_indexes
"""

from __future__ import annotations

from schema_kit import op

revision: str = "part_config"
down_revision: str | None = "partial_indexes"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_part_config()


def downgrade() -> None:
    op.drop_part_config()
