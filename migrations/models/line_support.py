"""LINE support chatbot for small businesses: Thai first, eleven languages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from migrations.models.declarative import Base, BigId, Now, PartitionKey
from schema_kit.declare import partitioned


class LineUser(Base):
    """Somebody who writes to the bot, as LINE knows them."""

    __tablename__ = "users"
    __table_args__ = ({"schema": "line_support"},)

    id: Mapped[BigId]
    line_user_id: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str | None]
    language: Mapped[str] = mapped_column(server_default=text("'th'"))
    created_at: Mapped[Now]
    last_seen_at: Mapped[datetime | None]

    conversation: Mapped[list[LineConversation]] = relationship(back_populates="user", passive_deletes=True)
    documents: Mapped[list[Document]] = relationship(back_populates="user", passive_deletes=True)


class LineConversation(Base):
    """One message of a user or of the bot. Months are kept for a year, and then dropped whole."""

    __tablename__ = "conversation"
    __table_args__ = (
        Index("ix_conversation_user_created", "user_id", text("created_at DESC")),
        Index("ix_conversation_language", "language"),
        Index(
            "ix_conversation_message_trgm",
            "message",
            postgresql_using="gin",
            postgresql_ops={"message": "gin_trgm_ops"},
        ),
        partitioned(
            "created_at",
            "1 month",
            timezone="Asia/Bangkok",
            retention="12 months",
            retention_keep_table=False,
            retention_grace="30 days",
        ),
        {"schema": "line_support"},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(
        ForeignKey("line_support.users.id", name="conversation_user_id_fkey", ondelete="CASCADE")
    )
    role: Mapped[str]
    message: Mapped[str]
    language: Mapped[str]
    created_at: Mapped[PartitionKey]

    user: Mapped[LineUser] = relationship(back_populates="conversation")


class SystemLog(Base):
    """What went wrong, and where."""

    __tablename__ = "system_log"
    __table_args__ = (
        Index("ix_system_log_level_created", "level", text("created_at DESC")),
        {"schema": "line_support"},
    )

    id: Mapped[BigId]
    level: Mapped[str]
    message: Mapped[str]
    context: Mapped[dict[str, Any] | None]
    created_at: Mapped[Now]


class WebhookEvent(Base):
    """An event as LINE delivered it, written in batches and worked through later."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        Index("ix_webhook_event_unprocessed", "received_at", postgresql_where=text("NOT processed")),
        partitioned("received_at", "1 month", timezone="Asia/Bangkok"),
        {"schema": "line_support"},
    )

    id: Mapped[BigId]
    event_type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    processed: Mapped[bool] = mapped_column(server_default=text("false"))
    received_at: Mapped[PartitionKey]
    processed_at: Mapped[datetime | None]


class Document(Base):
    """A file that a user sent, and the text found in it."""

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_user_created", "user_id", text("created_at DESC")),
        Index(
            "ix_document_extracted_text_trgm",
            "extracted_text",
            postgresql_using="gin",
            postgresql_ops={"extracted_text": "gin_trgm_ops"},
        ),
        {"schema": "line_support"},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(
        ForeignKey("line_support.users.id", name="document_user_id_fkey", ondelete="CASCADE")
    )
    filename: Mapped[str]
    extracted_text: Mapped[str | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default=text("'{}'::jsonb"))
    created_at: Mapped[Now]

    user: Mapped[LineUser] = relationship(back_populates="documents")
