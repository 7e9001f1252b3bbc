"""What the systems ask takes the statements that it is said to take, and answers what plain SQL answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrations.application import cached, conversations, customers, market
from migrations.application.caches import Caches
from migrations.models import (
    Bot,
    Citation,
    Customer,
    LineConversation,
    MarketAnalysis,
    ProductSearchResult,
    RagMessage,
    WebhookEvent,
    WhatsappMessage,
)
from schema_kit import timings
from tests.support.application import counting, engine, systems
from tests.support.database import Database
from tests.support.pack import filled, migrate

pytestmark = [pytest.mark.application, pytest.mark.pack, pytest.mark.majors]


def restaurants(session: Session) -> None:
    """Each question about customers, next to the same in a loop."""
    watched = timings.watch(session.get_bind(), trace=False)
    (restaurant,) = session.scalars(
        sa.select(Customer.restaurant_id).group_by(Customer.restaurant_id).order_by(sa.func.count().desc()).limit(1)
    )
    with counting(watched) as sent:
        page = customers.with_message_counts(session, restaurant, limit=7, skip=1)
        assert len(page) == 7
    assert sent == [1]
    for one in page:
        customer = session.get_one(Customer, one.id)
        times = [message.created_at for message in customer.messages]
        assert (customer.is_deleted, one.name, one.status) == (False, customer.name, customer.status)
        assert (one.messages, one.last_message_at) == (len(times), max(times, default=None))
    assert [one.created_at for one in page] == sorted((one.created_at for one in page), reverse=True)
    busiest = max(page, key=lambda one: one.messages)
    session.expunge_all()
    with counting(watched) as sent:
        found = customers.with_conversation(session, busiest.id)
        assert found is not None
        assert [message.customer_id for message in found[1]] == [busiest.id] * busiest.messages
        assert len({message.content for message in found[1]}) > 1
    assert sent == [2]
    assert [message.created_at for message in found[1]] == sorted(message.created_at for message in found[1])
    since = datetime.now(UTC) - timedelta(days=30)
    with counting(watched) as sent:
        analytics = customers.analytics(session, restaurant, since)
    assert sent == [1]
    rows = session.scalars(
        sa.select(WhatsappMessage).where(
            WhatsappMessage.restaurant_id == restaurant, WhatsappMessage.created_at >= since
        )
    ).all()
    guests = session.scalars(
        sa.select(Customer).where(Customer.restaurant_id == restaurant, ~Customer.is_deleted)
    ).all()
    ratings = [guest.rating for guest in guests if guest.rating is not None]
    assert (analytics.messages, analytics.customers) == (len(rows), len(guests))
    assert analytics.outbound == sum(row.direction == "outbound" for row in rows)
    assert analytics.new_customers == sum(guest.created_at >= since for guest in guests)
    assert analytics.average_rating == pytest.approx(Decimal(sum(ratings)) / len(ratings))
    assert analytics.response_rate == pytest.approx(analytics.outbound / analytics.inbound)
    nothing = customers.analytics(session, restaurant, datetime.now(UTC) + timedelta(days=1))
    assert (nothing.messages, nothing.response_rate) == (0, None)
    watched.close()


def test_customers(database: Database) -> None:
    with Session(systems(database)) as session:
        restaurants(session)
        gone = session.scalars(sa.select(Customer).limit(1)).one()
        gone.is_deleted = True
        session.flush()
        assert customers.with_conversation(session, gone.id) is None


@pytest.mark.exhaustive
def test_the_same_at_the_packs_head(database: Database) -> None:
    filled(database, 3000)
    migrate(database, "upgrade", "head")
    with Session(engine(database)) as session:
        restaurants(session)
        assert {one.category for one in market.metrics(session)}
        user = session.scalars(sa.select(LineConversation.user_id).limit(1)).one()
        assert conversations.last_messages(session, user)


def test_conversations_and_products(database: Database) -> None:
    with Session(systems(database)) as session:
        watched = timings.watch(session.get_bind(), trace=False)
        user = session.scalars(sa.select(LineConversation.user_id).limit(1)).one()
        with counting(watched) as sent:
            last = conversations.last_messages(session, user, 3)
        newest = sa.select(LineConversation.id).where(LineConversation.user_id == user)
        assert [message.id for message in last] == session.scalars(
            newest.order_by(LineConversation.created_at.desc()).limit(3)
        ).all()
        assert sent == [1]

        thread = session.scalars(
            sa.select(RagMessage.conversation_id).group_by(RagMessage.conversation_id).order_by(sa.func.count().desc())
        ).first()
        assert thread is not None
        seen, page = list[int](), conversations.history(session, thread, size=2)
        while page:
            seen += [message.id for message in page]
            page = conversations.history(session, thread, before=(page[-1].timestamp, page[-1].id), size=2)
        every = sa.select(RagMessage.id).where(RagMessage.conversation_id == thread)
        assert seen == session.scalars(every.order_by(RagMessage.timestamp.desc(), RagMessage.id.desc())).all()

        message = session.get_one(
            RagMessage,
            (
                seen[0],
                session.scalars(every.with_only_columns(RagMessage.timestamp).where(RagMessage.id == seen[0])).one(),
            ),
        )
        before = len(message.citations)
        assert conversations.cite(session, message, [{"document_name": "a", "excerpt": "b"}] * 3) == 3
        session.expire(message)
        assert len(message.citations) == before + 3
        assert session.scalar(sa.select(sa.func.count()).where(Citation.message_timestamp.is_(None))) == 0
        events = session.scalar(sa.select(sa.func.count(WebhookEvent.id)))
        assert conversations.received(session, [{"event_type": "follow", "payload": {}}] * 5) == 5
        assert session.scalar(sa.select(sa.func.count(WebhookEvent.id))) == events + 5  # type: ignore[operator]

        with counting(watched) as sent:
            metrics = market.metrics(session)
        assert sent == [1]
        assert all(one.products > 0 and one.median_price > 0 for one in metrics)
        watched.close()


def test_what_is_kept_is_asked_for_once(database: Database) -> None:
    with Session(systems(database)) as session:
        caches, watched = Caches(), timings.watch(session.get_bind(), trace=False)
        bot = session.scalars(sa.select(Bot.id).limit(1)).one()
        analysis = session.scalars(sa.select(MarketAnalysis).where(MarketAnalysis.status == "completed").limit(1)).one()
        result = session.scalars(sa.select(ProductSearchResult).limit(1)).one()
        result.search_query_hash = cached.md5("lamp")
        filters = {"category": result.product.category, "min_price": 0, "max_price": 1_000_000}
        user, kind = analysis.user_id, analysis.analysis_type
        session.flush()
        session.expunge_all()
        with counting(watched) as sent:
            for _ in range(3):
                profile = cached.bot_profile(caches, session, bot)
                results = cached.market_analysis(caches, session, user, kind)
                products = cached.product_search(caches, session, user, "lamp", filters)
        assert sent == [3]
        assert profile is not None
        assert profile["enabled"] in (True, False)
        assert results == market.latest_analysis(session, user, kind)
        assert result.product_id in {product["id"] for product in products}
        caches.forget(user)
        with counting(watched) as sent:
            cached.bot_profile(caches, session, bot)
            cached.market_analysis(caches, session, user, kind)
            cached.product_search(caches, session, user, "lamp", filters)
        assert sent == [2]
        watched.close()
