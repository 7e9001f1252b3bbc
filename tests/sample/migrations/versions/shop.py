"""The shop as it was before: plain tables, with rows in them.

Revision ID: shop
Revises:
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ENUM

from schema_kit import op

revision: str = "shop"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.execute("CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped')")
    customers = op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.String(40)),
        sa.PrimaryKeyConstraint("id", name="customers_pkey"),
    )
    orders = op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger),
        sa.Column("state", ENUM(name="order_state", create_type=False), nullable=False),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(40)),
        sa.Column("coupon", sa.Text),
    )
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])
    op.create_index("ix_orders_coupon", "orders", ["coupon"])
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="carts_pkey"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="carts_customer_id_fkey"),
    )
    op.bulk_insert(customers, [{"id": i, "email": f"{i}@example.org", "name": f"Customer {i}"} for i in range(1, 21)])
    op.bulk_insert(
        orders,
        [
            {
                "id": i,
                "customer_id": 1 + i % 20,
                "state": ("open", "paid", "shipped")[i % 3],
                "total": Decimal(i) / 4,
                "placed_at": BEGAN + timedelta(days=i),
                "note": f"Order {i}",
                "coupon": None if i % 5 else "SPRING",
            }
            for i in range(1, 101)
        ],
    )
    # As it was once left: only new rows are held to it.
    op.create_check_constraint(
        "orders_placed_at_check", "orders", "placed_at > '2000-01-01'", postgresql_not_valid=True
    )
    op.execute("CREATE MATERIALIZED VIEW sales AS SELECT customer_id, sum(total) FROM orders GROUP BY customer_id")
    op.execute("CREATE UNIQUE INDEX sales_key ON sales (customer_id)")


def downgrade() -> None:
    op.execute("DROP MATERIALIZED VIEW sales")
    op.drop_table("carts")
    op.drop_table("orders")
    op.drop_table("customers")
    op.execute("DROP TYPE order_state")
