"""The partitions of logins up to spring.

Revision ID: spring
Revises: logins
"""

from __future__ import annotations

from schema_kit import op

revision: str = "spring"
down_revision: str | None = "logins"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_next_partitions("logins", until="2027-06-01")


def downgrade() -> None:
    pass
