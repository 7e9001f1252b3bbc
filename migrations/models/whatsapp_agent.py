"""WhatsApp customer agent for restaurants."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from migrations.models.declarative import Base, Now, PartitionKey, UuidId
from schema_kit.declare import partitioned


class Restaurant(Base):
    """A tenant."""

    __tablename__ = "restaurants"
    __table_args__ = ({"schema": "whatsapp_agent"},)

    id: Mapped[UuidId]
    name: Mapped[str]
    phone_number: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(server_default=text("'UTC'"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Now]

    customers: Mapped[list[Customer]] = relationship(back_populates="restaurant")


class Customer(Base):
    """A guest of one restaurant. Deleted rows stay, but no look-up wants them: its indexes leave them out."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("restaurant_id", "customer_number", name="customers_restaurant_id_customer_number_key"),
        Index(
            "idx_customers_phone_restaurant",
            "phone_number",
            "restaurant_id",
            postgresql_where=text("NOT is_deleted"),
        ),
        Index(
            "idx_customers_status_restaurant",
            "restaurant_id",
            "status",
            postgresql_where=text("NOT is_deleted"),
        ),
        Index(
            "idx_customers_created_restaurant",
            "restaurant_id",
            text("created_at DESC"),
            postgresql_where=text("NOT is_deleted"),
        ),
        Index(
            "idx_customers_feedback_sentiment",
            "restaurant_id",
            "feedback_sentiment",
            postgresql_where=text("NOT is_deleted"),
        ),
        {"schema": "whatsapp_agent"},
    )

    id: Mapped[UuidId]
    customer_number: Mapped[str]
    phone_number: Mapped[str]
    restaurant_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("whatsapp_agent.restaurants.id", name="customers_restaurant_id_fkey")
    )
    name: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'active'"))
    rating: Mapped[int | None] = mapped_column(SmallInteger)
    feedback_sentiment: Mapped[str | None]
    is_deleted: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Now]

    restaurant: Mapped[Restaurant] = relationship(back_populates="customers")
    messages: Mapped[list[WhatsappMessage]] = relationship(back_populates="customer")
    ai_interactions: Mapped[list[AiInteraction]] = relationship(back_populates="customer", passive_deletes=True)


class WhatsappMessage(Base):
    """One message, in or out."""

    __tablename__ = "whatsapp_messages"
    __table_args__ = (
        Index("idx_whatsapp_messages_customer_date", "customer_id", text("created_at DESC")),
        Index(
            "idx_whatsapp_messages_restaurant_date",
            "restaurant_id",
            text("created_at DESC"),
            postgresql_include=["direction"],
        ),
        Index("idx_whatsapp_messages_direction_status", "direction", "status"),
        partitioned("created_at", "1 month"),
        {"schema": "whatsapp_agent"},
    )

    id: Mapped[UuidId]
    customer_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("whatsapp_agent.customers.id", name="whatsapp_messages_customer_id_fkey")
    )
    restaurant_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("whatsapp_agent.restaurants.id", name="whatsapp_messages_restaurant_id_fkey")
    )
    direction: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'received'"))
    content: Mapped[str]
    created_at: Mapped[PartitionKey]

    customer: Mapped[Customer] = relationship(back_populates="messages")
    restaurant: Mapped[Restaurant] = relationship()


class AiInteraction(Base):
    """What the model was asked about a customer, and what it answered."""

    __tablename__ = "ai_interactions"
    __table_args__ = (
        Index("idx_ai_interactions_customer_date", "customer_id", text("created_at DESC")),
        {"schema": "whatsapp_agent"},
    )

    id: Mapped[UuidId]
    customer_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("whatsapp_agent.customers.id", name="ai_interactions_customer_id_fkey", ondelete="CASCADE")
    )
    model: Mapped[str]
    prompt: Mapped[str]
    response: Mapped[str | None]
    tokens_used: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[Now]

    customer: Mapped[Customer] = relationship(back_populates="ai_interactions")
