"""Logins and visits: sets from the first day, their policies, and the partitions of next spring.

Revision ID: logins
Revises: refunds
"""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit import op

revision: str = "logins"
down_revision: str | None = "refunds"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_partitioned_table(
        "logins",
        sa.Column("id", sa.BigInteger, sa.Identity()),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", "at", "customer_id", name="logins_pkey"),
        control="at",
        interval="1 month",
        timezone="Europe/Madrid",
        premake=2,
        sub_partitions=op.by_hash("customer_id", 2),
    )
    op.create_partitioned_table(
        "visits",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("page", sa.Text),
        control="day",
        interval="1 week",
        premake=1,
        partition_by=op.by_list("country", {"iberia": ["es", "pt"]}, default=True),
        default_partition=True,
        postgresql_with={"fillfactor": 90},
    )
    op.set_partition_policy("logins", premake=4)


def downgrade() -> None:
    for table in ("visits", "logins"):
        op.drop_table(table)
        op.drop_partition_policy(table)
