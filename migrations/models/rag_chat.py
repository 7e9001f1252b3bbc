"""Question answering over documents, with sessions that expire."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from migrations.models.declarative import Base, BigId, Now, PartitionKey
from schema_kit.declare import expiring, partitioned
from schema_kit.model import Tree

MESSAGE: Tree = {"citations": {}}
CONVERSATION: Tree = {"messages": MESSAGE}
"""What expires with a message, and with a conversation."""


class UserSession(Base):
    """A visit, known to the browser by its session_id."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        Index("ix_user_sessions_session_id", "session_id", unique=True),
        Index("ix_user_sessions_user_id", "user_id"),
        Index("ix_user_sessions_expires_at", "expires_at"),
        expiring("expires_at", tree={"conversations": CONVERSATION}),
        {"schema": "rag_chat"},
    )

    id: Mapped[BigId]
    session_id: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    user_id: Mapped[str]
    created_at: Mapped[Now]
    expires_at: Mapped[datetime]

    conversations: Mapped[list[RagConversation]] = relationship(back_populates="user_session", passive_deletes=True)


class RagConversation(Base):
    """A thread of questions and answers."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("ix_conversations_user_session_id", "user_session_id"),
        Index("ix_conversations_created_at", "created_at"),
        Index("ix_conversations_expires_at", "expires_at"),
        expiring("expires_at", tree=CONVERSATION),
        {"schema": "rag_chat"},
    )

    id: Mapped[BigId]
    user_session_id: Mapped[int] = mapped_column(
        ForeignKey("rag_chat.user_sessions.id", name="conversations_user_session_id_fkey", ondelete="CASCADE")
    )
    title: Mapped[str | None]
    created_at: Mapped[Now]
    expires_at: Mapped[datetime]

    user_session: Mapped[UserSession] = relationship(back_populates="conversations")
    messages: Mapped[list[RagMessage]] = relationship(back_populates="conversation", passive_deletes=True)


class RagMessage(Base):
    """A question or an answer."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_conversation_id", "conversation_id"),
        Index("ix_messages_timestamp", "timestamp"),
        Index("ix_messages_expires_at", "expires_at"),
        partitioned("timestamp", "1 month"),
        expiring("expires_at", tree=MESSAGE),
        {"schema": "rag_chat"},
    )

    id: Mapped[BigId]
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("rag_chat.conversations.id", name="messages_conversation_id_fkey", ondelete="CASCADE")
    )
    role: Mapped[str]
    content: Mapped[str]
    timestamp: Mapped[PartitionKey]
    expires_at: Mapped[datetime]

    conversation: Mapped[RagConversation] = relationship(back_populates="messages")
    citations: Mapped[list[Citation]] = relationship(back_populates="message", passive_deletes=True)


class Citation(Base):
    """Where an answer was read.

    message_timestamp repeats the message's time: a foreign key to a partitioned table must name the column it
    is partitioned by. The database fills it, and MATCH FULL leaves no row that has one half of the key.
    """

    __tablename__ = "citations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["message_id", "message_timestamp"],
            ["rag_chat.messages.id", "rag_chat.messages.timestamp"],
            name="citations_message_id_fkey",
            match="FULL",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("ix_citations_message_id", "message_id"),
        {"schema": "rag_chat"},
    )

    id: Mapped[BigId]
    message_id: Mapped[int]
    document_name: Mapped[str]
    page_number: Mapped[int | None] = mapped_column(Integer)
    excerpt: Mapped[str]
    relevance_score: Mapped[float | None]
    created_at: Mapped[Now]
    message_timestamp: Mapped[datetime | None]

    message: Mapped[RagMessage] = relationship(back_populates="citations")
