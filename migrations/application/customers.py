"""Customers of a restaurant: each question in as few statements as it takes, however many customers there are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrations.models import Customer, WhatsappMessage


@dataclass(frozen=True, slots=True)
class Activity:
    """A customer, how many messages they exchanged, and when the last one was sent; None where there was none."""

    id: uuid.UUID
    name: str | None
    status: str
    created_at: datetime
    messages: int
    last_message_at: datetime | None


@dataclass(frozen=True, slots=True)
class Analytics:
    """A restaurant's messages and customers since a moment; a rate and a rating are None where nothing counts."""

    messages: int
    inbound: int
    outbound: int
    customers: int
    new_customers: int
    average_rating: Decimal | None

    @property
    def response_rate(self) -> float | None:
        """Answers for each message that came in."""
        return self.outbound / self.inbound if self.inbound else None


def with_message_counts(session: Session, restaurant: uuid.UUID, *, limit: int = 50, skip: int = 0) -> list[Activity]:
    """The newest customers of a restaurant with their message counts, in one statement.

    The page is taken first, so that only its customers' messages are counted.

    Args:
        session: a session.
        restaurant: whose customers; deleted ones are left out.
        limit: how many customers, at most.
        skip: how many newer ones come before; a deep page reads them all.

    Example: `with_message_counts(session, restaurant.id, limit=20)`
    """
    page = (
        sa.select(Customer.id, Customer.name, Customer.status, Customer.created_at)
        .where(Customer.restaurant_id == restaurant, ~Customer.is_deleted)
        .order_by(Customer.created_at.desc(), Customer.id)
        .limit(limit)
        .offset(skip)
        .subquery()
    )
    counted = (
        sa.select(page, sa.func.count(WhatsappMessage.id), sa.func.max(WhatsappMessage.created_at))
        .outerjoin(WhatsappMessage, WhatsappMessage.customer_id == page.c.id)
        .group_by(*page.c)
        .order_by(page.c.created_at.desc(), page.c.id)
    )
    return [Activity(*row) for row in session.execute(counted)]


def with_conversation(session: Session, customer: uuid.UUID) -> tuple[Customer, Sequence[WhatsappMessage]] | None:
    """One customer and the whole conversation, the oldest message first, in two statements.

    A join would send the customer once for each message.

    Args:
        session: a session.
        customer: whose; None is returned for one that is deleted or unknown, after one statement.

    Example: `customer, messages = with_conversation(session, id) or abort(404)`
    """
    found = session.scalar(sa.select(Customer).where(Customer.id == customer, ~Customer.is_deleted))
    if found is None:
        return None
    messages = sa.select(WhatsappMessage).where(WhatsappMessage.customer_id == customer)
    return found, session.scalars(messages.order_by(WhatsappMessage.created_at, WhatsappMessage.id)).all()


def analytics(session: Session, restaurant: uuid.UUID, since: datetime) -> Analytics:
    """Totals, new customers, average rating and response rate, in one statement.

    Messages are counted from an index alone, and only in the months that *since* leaves.

    Args:
        session: a session.
        restaurant: whose.
        since: from when messages and new customers count; all customers count towards total and rating.

    Example: `analytics(session, restaurant.id, now - timedelta(days=30)).response_rate`
    """
    direction = WhatsappMessage.direction
    messages = (
        sa.select(
            sa.func.count().label("total"),
            sa.func.count().filter(direction == "inbound").label("inbound"),
            sa.func.count().filter(direction == "outbound").label("outbound"),
        )
        .where(WhatsappMessage.restaurant_id == restaurant, WhatsappMessage.created_at >= since)
        .subquery()
    )
    customers = (
        sa.select(
            sa.func.count().label("total"),
            sa.func.count().filter(Customer.created_at >= since).label("new"),
            sa.func.avg(Customer.rating).label("rating"),
        )
        .where(Customer.restaurant_id == restaurant, ~Customer.is_deleted)
        .subquery()
    )
    whole = sa.select(*messages.c, *customers.c).select_from(messages.join(customers, sa.true()))
    return Analytics(*session.execute(whole).one())
