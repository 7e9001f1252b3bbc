"""Keys and checks that the orders never had.

Revision ID: order_constraints
Revises: events_by_month
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "order_constraints"
down_revision: str | None = "events_by_month"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_primary_key_concurrently("orders_pkey", "orders", ["id"])
    op.create_unique_constraint_concurrently("customers_email_key", "customers", ["email"])
    op.set_not_null_concurrently("orders", "customer_id")
    op.create_foreign_key_concurrently(
        "orders_customer_id_fkey", "orders", "customers", ["customer_id"], ["id"], ondelete="CASCADE"
    )
    op.create_check_constraint_concurrently("orders_total_check", "orders", sa.column("total") >= 0)
    op.validate_constraint("orders_placed_at_check", "orders")


def downgrade() -> None:
    # A constraint that was validated stays so; the others go at once, without a scan.
    op.drop_constraint_concurrently("orders_total_check", "orders")
    op.drop_constraint_concurrently("orders_customer_id_fkey", "orders")
    op.alter_column_concurrently("orders", "customer_id", nullable=True)
    op.drop_constraint_concurrently("customers_email_key", "customers")
    op.drop_constraint_concurrently("orders_pkey", "orders")
