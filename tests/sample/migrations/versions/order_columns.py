"""Totals in cents, an id for other systems, longer notes; coupons are gone.

Revision ID: order_columns
Revises: order_constraints
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "order_columns"
down_revision: str | None = "order_constraints"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column_concurrently("orders", sa.Column("cents", sa.BigInteger))
    op.update_in_batches("orders", {"cents": sa.text("total * 100")}, batch_size=50)
    op.add_column_concurrently("orders", sa.Column("currency", sa.String(3), nullable=False, server_default="EUR"))
    op.add_column_concurrently(
        "orders", sa.Column("token", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid())
    )
    op.alter_column_concurrently("orders", "note", type_=sa.Text(), existing_type=sa.String(40), server_default="")
    op.drop_column_concurrently("orders", "coupon")


def downgrade() -> None:
    # The coupons' values are gone, and notes stay text: to make them shorter would write every row again.
    op.add_column_concurrently("orders", sa.Column("coupon", sa.Text))
    op.create_index_concurrently("ix_orders_coupon", "orders", ["coupon"])
    op.alter_column_concurrently("orders", "note", server_default=None)
    op.drop_column_concurrently("orders", "token")
    op.drop_column_concurrently("orders", "currency")
    op.drop_column_concurrently("orders", "cents")
