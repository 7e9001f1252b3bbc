"""Sessions, conversations and messages go when they have expired, with all that hangs on them.

Conversations and messages may expire before the session that they belong to; none of them outlives it. Citations have
no time of their own: they go with their message. `schema_kit ttl run --yes`, once a day, is what removes them.

Revision ID: rag_time_to_live
Revises: partition_rag_messages
"""

from __future__ import annotations

from schema_kit import op
from schema_kit.model import Tree

revision: str = "rag_time_to_live"
down_revision: str | None = "partition_rag_messages"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    messages: Tree = {"citations": {}}
    conversations: Tree = {"messages": messages}
    op.set_ttl_policy("messages", "expires_at", schema="rag_chat", tree=messages)
    op.set_ttl_policy("conversations", "expires_at", schema="rag_chat", tree=conversations)
    op.set_ttl_policy("user_sessions", "expires_at", schema="rag_chat", tree={"conversations": conversations})


def downgrade() -> None:
    for table in ("user_sessions", "conversations", "messages"):
        op.drop_ttl_policy(table, schema="rag_chat")
