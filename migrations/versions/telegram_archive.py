"""A place for old messages of bots, and all_messages, which shows them with the others.

Revision ID: telegram_archive
Revises: rag_time_to_live
"""

from __future__ import annotations

from schema_kit import op

revision: str = "telegram_archive"
down_revision: str | None = "rag_time_to_live"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_archive_table(
        "messages",
        schema="telegram_bots",
        indexes=(
            "ix_messages_bot_created_at",
            "ix_messages_chat_created_at",
            "ix_messages_chat_telegram_msg",
            "ix_messages_reply_lookup",
            "ix_messages_incoming",
            "ix_messages_created_at",
            "ix_messages_active_bots",
        ),
        view="all_messages",
    )


def downgrade() -> None:
    op.drop_archive_table("messages", schema="telegram_bots", view="all_messages")
