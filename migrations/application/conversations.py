"""Messages of the chats: the last ones of a user, and history by pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrations.models import Citation, LineConversation, RagMessage, WebhookEvent
from schema_kit import bulk


@dataclass(frozen=True, slots=True)
class Message:
    """What a LINE user or the bot wrote."""

    id: int
    role: str
    message: str
    created_at: datetime


LAST_MESSAGES = (
    sa.select(LineConversation.id, LineConversation.role, LineConversation.message, LineConversation.created_at)
    .where(LineConversation.user_id == sa.bindparam("user"))
    .order_by(LineConversation.created_at.desc())
    .limit(sa.bindparam("many"))
)
"""One statement text for all users, so that a connection prepares it once and keeps one plan."""


def last_messages(session: Session, user: int, many: int = 10) -> list[Message]:
    """The last messages of a LINE user, the newest first.

    PostgreSQL plans such a query over each month of `conversation`, which costs more than running it. psycopg prepares
    a statement that a connection sends for the sixth time, and after five more PostgreSQL keeps one plan for all users,
    which takes a quarter of the server's time. So leave psycopg's `prepare_threshold` as it is; through PgBouncer in
    transaction mode that requires its `max_prepared_statements`.

    Args:
        session: a session.
        user: the user's id in `line_support.users`.
        many: how many messages, at most.

    Example: `last_messages(session, user.id)`
    """
    return [Message(*row) for row in session.execute(LAST_MESSAGES, {"user": user, "many": many})]


def history(
    session: Session, conversation: int, *, before: tuple[datetime, int] | None = None, size: int = 20
) -> Sequence[RagMessage]:
    """A page of a conversation's history, the newest message first.

    A page begins by the key of the last message seen, so no message is shown twice or left out while others arrive.

    Args:
        session: a session.
        conversation: which one of `rag_chat.conversations`.
        before: timestamp and id of the last message of the page before; None for the first page.
        size: messages a page.

    Example: `history(session, 7, before=(page[-1].timestamp, page[-1].id))`
    """
    key = sa.tuple_(RagMessage.timestamp, RagMessage.id)
    found = sa.select(RagMessage).where(RagMessage.conversation_id == conversation)
    if before is not None:
        found = found.where(key < sa.tuple_(*before))
    return session.scalars(found.order_by(RagMessage.timestamp.desc(), RagMessage.id.desc()).limit(size)).all()


def cite(session: Session, message: RagMessage, citations: Iterable[Mapping[str, Any]]) -> int:
    """Write an answer's citations by COPY; how many there were.

    Args:
        session: a session; nothing is committed.
        message: the answer, flushed, so that it has its key.
        citations: a mapping each, all with the same keys: document_name, excerpt, and what else `Citation` has.

    Example: `cite(session, answer, [{"document_name": "menu.pdf", "excerpt": "..."}])`
    """
    key = {"message_id": message.id, "message_timestamp": message.timestamp}
    return int(bulk.copy_in(session, Citation, ({**key, **one} for one in citations)))


def received(session: Session, events: Iterable[Mapping[str, Any]]) -> int:
    """Write a batch of LINE's webhook events by COPY; how many there were.

    Args:
        session: a session; nothing is committed.
        events: a mapping each: event_type, payload.

    Example: `received(session, [{"event_type": "message", "payload": event} for event in body["events"]])`
    """
    return int(bulk.copy_in(session, WebhookEvent, ({"processed": False, **one} for one in events)))
