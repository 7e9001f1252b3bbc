"""Products, what was searched for, and the metrics of categories."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrations.models import MarketAnalysis, Product, ProductSearch, ProductSearchResult

METRICS = sa.table(
    "category_metrics",
    *map(sa.column, ("category", "products", "average_price", "median_price", "average_rating", "computed_at")),
    schema="market_research",
)
"""The materialized view of revision category_metrics; models do not have it, so that autogenerate leaves it alone."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """A category over the 90 days before *computed_at*, the last refresh."""

    category: str
    products: int
    average_price: Decimal
    median_price: float
    average_rating: Decimal | None
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A product that answers a search, and how well."""

    id: int
    title: str
    price: Decimal
    relevance: float


def products_of(
    session: Session,
    search: str,
    category: str,
    prices: tuple[Decimal | int, Decimal | int],
    *,
    limit: int = 20,
    skip: int = 0,
) -> list[Found]:
    """Products that answer a search, by relevance and then the newest, in one statement.

    Args:
        session: a session.
        search: the hash of the search's text.
        category: the products' main category.
        prices: the lowest and the highest price.
        limit: how many products.
        skip: how many come before.

    Example: `products_of(session, md5, "lamps", (100, 1500))`
    """
    relevance = ProductSearchResult.relevance_score
    found = (
        sa.select(Product.id, Product.title, Product.price, relevance)
        .join(ProductSearchResult, ProductSearchResult.product_id == Product.id)
        .where(ProductSearchResult.search_query_hash == search, Product.category == category)
        .where(Product.price.between(*prices))
        .order_by(relevance.desc(), Product.created_at.desc(), Product.id)
    )
    return [Found(*row) for row in session.execute(found.limit(limit).offset(skip))]


def metrics(session: Session) -> list[Metrics]:
    """The metrics of all categories, as of the last refresh, in one statement.

    `schema_kit refresh market_research.category_metrics`, once an hour, refreshes them while they are read.

    Example: `{one.category: one.median_price for one in metrics(session)}`
    """
    return [Metrics(*row) for row in session.execute(sa.select(METRICS).order_by(METRICS.c.category))]


def searches_with(session: Session, filters: Mapping[str, Any], limit: int = 50) -> Sequence[ProductSearch]:
    """The latest searches whose filters contain these, by the GIN index, in one statement.

    Args:
        session: a session.
        filters: keys and values that a search's filters must contain.
        limit: how many searches.

    Example: `searches_with(session, {"brand": "Muji"})`
    """
    found = sa.select(ProductSearch).where(ProductSearch.filters.contains(dict(filters)))
    return session.scalars(found.order_by(ProductSearch.search_timestamp.desc()).limit(limit)).all()


def latest_analysis(session: Session, user: uuid.UUID, kind: str) -> dict[str, Any] | None:
    """The results of a user's latest analysis of a kind that is completed, in one statement; None where there is none.

    Args:
        session: a session.
        user: whose.
        kind: the analysis_type: pricing, demand, ...

    Example: `latest_analysis(session, user, "pricing")`
    """
    found = (
        sa.select(MarketAnalysis.results)
        .where(MarketAnalysis.user_id == user, MarketAnalysis.status == "completed")
        .where(MarketAnalysis.analysis_type == kind)
    )
    return session.scalar(found.order_by(MarketAnalysis.created_at.desc()).limit(1))
