"""A fleet of 50 to 200 bots that write messages.

Bots, chats and settings fit in a few pages: there a sequential scan is the right plan, and they have no
indexes but their keys.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from migrations.models.declarative import ArchivedId, Base, BigId, Now, PartitionKey
from schema_kit.declare import archived, partitioned


class Bot(Base):
    """One writer of the fleet."""

    __tablename__ = "bots"
    __table_args__ = ({"schema": "telegram_bots"},)

    id: Mapped[BigId]
    name: Mapped[str]
    username: Mapped[str] = mapped_column(unique=True)
    persona: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Now]

    stances: Mapped[list[BotStance]] = relationship(back_populates="bot", passive_deletes=True)
    holdings: Mapped[list[BotHolding]] = relationship(back_populates="bot", passive_deletes=True)
    memories: Mapped[list[BotMemory]] = relationship(back_populates="bot", passive_deletes=True)


class Chat(Base):
    """A group that bots write in."""

    __tablename__ = "chats"
    __table_args__ = ({"schema": "telegram_bots"},)

    id: Mapped[BigId]
    telegram_chat_id: Mapped[int] = mapped_column(unique=True)
    title: Mapped[str | None]
    enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Now]


class Setting(Base):
    """A switch of the whole fleet."""

    __tablename__ = "settings"
    __table_args__ = ({"schema": "telegram_bots"},)

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(unique=True)
    value: Mapped[dict[str, Any] | None]
    updated_at: Mapped[Now]


class TelegramMessage(Base):
    """A message in a chat: a bot's, or, without a bot, a person's."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_bot_created_at", "bot_id", "created_at"),
        Index("ix_messages_chat_created_at", "chat_db_id", "created_at"),
        Index("ix_messages_chat_telegram_msg", "chat_db_id", "telegram_message_id"),
        Index("ix_messages_reply_lookup", "chat_db_id", "bot_id", "telegram_message_id"),
        Index("ix_messages_incoming", "bot_id", "created_at", "chat_db_id"),
        Index("ix_messages_telegram_message_id", "telegram_message_id"),
        Index("ix_messages_reply_to_message_id", "reply_to_message_id"),
        # The whole fleet's last minute: no other index begins with the time.
        Index("ix_messages_created_at", "created_at"),
        Index(
            "ix_messages_active_bots",
            "bot_id",
            "created_at",
            postgresql_where=text("bot_id IS NOT NULL"),
        ),
        partitioned("created_at", "1 week"),
        archived("30 days", max_rows=1_000_000),
        {"schema": "telegram_bots"},
    )

    id: Mapped[BigId]
    bot_id: Mapped[int | None] = mapped_column(ForeignKey("telegram_bots.bots.id", name="messages_bot_id_fkey"))
    chat_db_id: Mapped[int] = mapped_column(ForeignKey("telegram_bots.chats.id", name="messages_chat_db_id_fkey"))
    telegram_message_id: Mapped[int | None]
    reply_to_message_id: Mapped[int | None]
    text: Mapped[str]
    created_at: Mapped[PartitionKey]

    bot: Mapped[Bot | None] = relationship()
    chat: Mapped[Chat] = relationship()


class TelegramMessageArchive(Base):
    """Messages of more than 30 days ago, in the weeks that they were written in.

    A week brings its foreign keys along; the archive itself has none. telegram_bots.all_messages shows both.
    """

    __tablename__ = "messages_archive"
    __table_args__ = (
        Index("messages_archive_ix_messages_bot_created_at", "bot_id", "created_at"),
        Index("messages_archive_ix_messages_chat_created_at", "chat_db_id", "created_at"),
        Index("messages_archive_ix_messages_chat_telegram_msg", "chat_db_id", "telegram_message_id"),
        Index("messages_archive_ix_messages_reply_lookup", "chat_db_id", "bot_id", "telegram_message_id"),
        Index("messages_archive_ix_messages_incoming", "bot_id", "created_at", "chat_db_id"),
        Index("messages_archive_ix_messages_telegram_message_id", "telegram_message_id"),
        Index("messages_archive_ix_messages_reply_to_message_id", "reply_to_message_id"),
        Index("messages_archive_ix_messages_created_at", "created_at"),
        Index(
            "messages_archive_ix_messages_active_bots",
            "bot_id",
            "created_at",
            postgresql_where=text("bot_id IS NOT NULL"),
        ),
        {
            "schema": "telegram_bots",
            "comment": "Rows that left telegram_bots.messages",
            "postgresql_partition_by": "RANGE (created_at)",
        },
    )

    id: Mapped[ArchivedId]
    bot_id: Mapped[int | None]
    chat_db_id: Mapped[int]
    telegram_message_id: Mapped[int | None]
    reply_to_message_id: Mapped[int | None]
    text: Mapped[str]
    created_at: Mapped[PartitionKey]


class BotStance(Base):
    """What a bot thinks about a topic, and until when it keeps quiet about it."""

    __tablename__ = "bot_stances"
    __table_args__ = (
        Index("uq_bot_stances_bot_topic", "bot_id", "topic", unique=True),
        Index("ix_stances_bot_updated", "bot_id", "updated_at"),
        # A predicate with the clock in it would freeze the day of the migration.
        Index(
            "ix_stances_active_cooldown",
            "bot_id",
            "topic",
            postgresql_where=text("cooldown_until IS NOT NULL"),
        ),
        {"schema": "telegram_bots"},
    )

    id: Mapped[BigId]
    bot_id: Mapped[int] = mapped_column(
        ForeignKey("telegram_bots.bots.id", name="bot_stances_bot_id_fkey", ondelete="CASCADE")
    )
    topic: Mapped[str]
    stance: Mapped[str]
    confidence: Mapped[float | None]
    cooldown_until: Mapped[datetime | None]
    updated_at: Mapped[Now]

    bot: Mapped[Bot] = relationship(back_populates="stances")


class BotHolding(Base):
    """What a bot says it owns."""

    __tablename__ = "bot_holdings"
    __table_args__ = (
        Index("uq_bot_holdings_bot_symbol", "bot_id", "symbol", unique=True),
        Index("ix_holdings_bot_updated", "bot_id", "updated_at"),
        {"schema": "telegram_bots"},
    )

    id: Mapped[BigId]
    bot_id: Mapped[int] = mapped_column(
        ForeignKey("telegram_bots.bots.id", name="bot_holdings_bot_id_fkey", ondelete="CASCADE")
    )
    symbol: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(Numeric(20, 8), server_default=text("0"))
    average_price: Mapped[Decimal | None] = mapped_column(Numeric(20, 8))
    updated_at: Mapped[Now]

    bot: Mapped[Bot] = relationship(back_populates="holdings")


class BotMemory(Base):
    """What a bot remembers, and how much it matters."""

    __tablename__ = "bot_memories"
    __table_args__ = (
        Index("ix_memories_bot_type", "bot_id", "memory_type"),
        Index("ix_memories_bot_relevance", "bot_id", "relevance_score"),
        {"schema": "telegram_bots"},
    )

    id: Mapped[BigId]
    bot_id: Mapped[int] = mapped_column(
        ForeignKey("telegram_bots.bots.id", name="bot_memories_bot_id_fkey", ondelete="CASCADE")
    )
    memory_type: Mapped[str]
    content: Mapped[str]
    relevance_score: Mapped[float] = mapped_column(server_default=text("0"))
    created_at: Mapped[Now]

    bot: Mapped[Bot] = relationship(back_populates="memories")
