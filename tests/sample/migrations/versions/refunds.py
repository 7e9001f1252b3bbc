"""Refunded orders, fresh sales, and carts that are not used any more.

Revision ID: refunds
Revises: order_indexes
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "refunds"
down_revision: str | None = "order_indexes"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_enum_value_concurrently("order_state", "refunded", after="paid")
    op.refresh_materialized_view_concurrently("sales")
    with op.lock_policy(longest="500ms", attempts=50):
        op.drop_table_concurrently("carts")


def downgrade() -> None:
    # PostgreSQL drops no value of an enum, and the carts' rows are gone.
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="carts_pkey"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="carts_customer_id_fkey"),
    )
