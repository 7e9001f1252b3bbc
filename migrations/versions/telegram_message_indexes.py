"""Look-ups of a message by what Telegram calls it, and of the answers to it, whatever the chat.

No other index begins with either column. The archive gets them, too, so that its partitions stay like the table's.

Revision ID: telegram_message_indexes
Revises: conversation_retention
"""

from __future__ import annotations

from schema_kit import op

revision: str = "telegram_message_indexes"
down_revision: str | None = "conversation_retention"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = ("telegram_message_id", "reply_to_message_id")


def upgrade() -> None:
    for column in COLUMNS:
        name = f"ix_messages_{column}"
        op.create_index_concurrently(name, "messages", [column], schema="telegram_bots")
        op.create_index_concurrently(f"messages_archive_{name}", "messages_archive", [column], schema="telegram_bots")


def downgrade() -> None:
    for column in reversed(COLUMNS):
        name = f"ix_messages_{column}"
        op.drop_index_concurrently(f"messages_archive_{name}", "messages_archive", schema="telegram_bots")
        op.drop_index_concurrently(name, "messages", schema="telegram_bots")
