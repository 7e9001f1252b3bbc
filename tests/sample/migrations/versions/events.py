"""A table that some installations have already, since an earlier tool made it there.

Revision ID: events
Revises: shop
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "events"
down_revision: str | None = "shop"
branch_labels: str | None = None
depends_on: str | None = None


metadata = sa.MetaData()
sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    schema="public",
)


def upgrade() -> None:
    op.create_baseline(metadata)


def downgrade() -> None:
    op.drop_baseline(metadata)
