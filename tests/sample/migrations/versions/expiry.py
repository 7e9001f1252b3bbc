"""Baskets that stay unpaid for a month go, and what lies in them.

Revision ID: expiry
Revises: event_archive
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "expiry"
down_revision: str | None = "event_archive"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "baskets",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("filled_at", sa.DateTime(timezone=True), index=True),
    )
    op.create_table(
        "basket_items",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("basket_id", sa.BigInteger, sa.ForeignKey("baskets.id"), nullable=False, index=True),
    )
    op.set_ttl_policy("baskets", "filled_at", age="1 month", tree={"basket_items": {}})
    op.set_ttl_policy("basket_items", "id", age="1 year", encoding="seconds")
    op.drop_ttl_policy("basket_items")
    op.ignore_health_finding("table_unlogged", "basket_items", reason="a basket may be lost")
    op.ignore_health_finding("primary_key_missing", "baskets", reason="for now")
    op.heed_health_finding("primary_key_missing", "baskets")
    op.execute("CREATE PUBLICATION baskets FOR TABLE baskets, basket_items")
    op.set_publish_via_partition_root("baskets")


def downgrade() -> None:
    op.execute("DROP PUBLICATION baskets")
    op.heed_health_finding("table_unlogged", "basket_items")
    op.drop_ttl_policy("baskets")
    op.drop_table("basket_items")
    op.drop_table("baskets")
