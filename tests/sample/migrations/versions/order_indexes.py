"""Indexes for the queries of the site.

Revision ID: order_indexes
Revises: order_columns
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "order_indexes"
down_revision: str | None = "order_columns"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index_concurrently("ix_orders_customer", "orders", ["customer_id", sa.text("placed_at DESC")])
    op.create_index_concurrently("ix_orders_open", "orders", ["placed_at"], postgresql_where="state = 'open'")
    op.create_index_concurrently(
        "ix_customers_name", "customers", ["name"], postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
    )
    op.replace_index_concurrently("ix_orders_placed_at", "orders", ["placed_at", "id"])
    op.reindex_concurrently(table_name="customers")


def downgrade() -> None:
    op.replace_index_concurrently("ix_orders_placed_at", "orders", ["placed_at"])
    op.drop_index_concurrently("ix_customers_name", "customers")
    op.drop_index_concurrently("ix_orders_open", "orders")
    op.drop_index_concurrently("ix_orders_customer", "orders")
