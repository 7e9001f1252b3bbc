"""Trigrams, for substrings of text without spaces.

A revision of its own: the extension may belong to somebody else, who made it before.

Revision ID: trigram_extension
Revises: composite_indexes
"""

from __future__ import annotations

from schema_kit import op

revision: str = "trigram_extension"
down_revision: str | None = "composite_indexes"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_extension("pg_trgm")


def downgrade() -> None:
    op.drop_extension("pg_trgm")
