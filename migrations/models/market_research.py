"""Product search and market analysis."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, Numeric, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from migrations.models.declarative import Base, BigId, Now, PartitionKey, UuidId
from schema_kit.declare import archived, partitioned


class ProductSearch(Base):
    """One search, as somebody typed it."""

    __tablename__ = "product_searches"
    __table_args__ = (
        Index("idx_user_timestamp", "user_id", text("search_timestamp DESC")),
        Index("idx_query_hash", text("md5(query)")),
        Index(
            "idx_filters_gin",
            "filters",
            postgresql_using="gin",
            postgresql_ops={"filters": "jsonb_path_ops"},
        ),
        partitioned("search_timestamp", "1 month"),
        archived("6 months"),
        {"schema": "market_research"},
    )

    id: Mapped[UuidId]
    user_id: Mapped[uuid.UUID]
    query: Mapped[str] = mapped_column(String(200))
    filters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    results_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    search_timestamp: Mapped[PartitionKey]
    processing_time_ms: Mapped[int | None] = mapped_column(Integer)


class ProductSearchArchive(Base):
    """Searches of more than half a year ago; after two years they go for good."""

    __tablename__ = "product_searches_archive"
    __table_args__ = (
        Index("product_searches_archive_idx_user_timestamp", "user_id", text("search_timestamp DESC")),
        Index("product_searches_archive_idx_query_hash", text("md5(query)")),
        Index(
            "product_searches_archive_idx_filters_gin",
            "filters",
            postgresql_using="gin",
            postgresql_ops={"filters": "jsonb_path_ops"},
        ),
        {
            "schema": "market_research",
            "comment": "Rows that left market_research.product_searches",
            "postgresql_partition_by": "RANGE (search_timestamp)",
        },
    )

    id: Mapped[UuidId]
    user_id: Mapped[uuid.UUID]
    query: Mapped[str] = mapped_column(String(200))
    filters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    results_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    search_timestamp: Mapped[PartitionKey]
    processing_time_ms: Mapped[int | None] = mapped_column(Integer)


class MarketAnalysis(Base):
    """An analysis that runs for a while and keeps its results."""

    __tablename__ = "market_analyses"
    __table_args__ = (
        Index("idx_user_status_created", "user_id", "status", text("created_at DESC")),
        Index("idx_analysis_type_status", "analysis_type", "status"),
        {"schema": "market_research"},
    )

    id: Mapped[UuidId]
    user_id: Mapped[uuid.UUID]
    product_keywords: Mapped[list[str]] = mapped_column(server_default=text("'[]'::jsonb"))
    analysis_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'pending'"))
    results: Mapped[dict[str, Any] | None]
    created_at: Mapped[Now]
    completed_at: Mapped[datetime | None]
    processing_duration: Mapped[timedelta | None]


class Product(Base):
    """A product as a shop offers it, under its main category."""

    __tablename__ = "products"
    __table_args__ = (
        Index("idx_category_price", "category", "price"),
        # The metrics of 90 days read no table rows at all.
        Index(
            "idx_products_created",
            "created_at",
            postgresql_include=["category", "price", "review_rating"],
        ),
        {"schema": "market_research"},
    )

    id: Mapped[BigId]
    title: Mapped[str]
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    category: Mapped[str]
    review_rating: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    created_at: Mapped[Now]

    categories: Mapped[list[ProductCategory]] = relationship(back_populates="product", passive_deletes=True)


class ProductCategory(Base):
    """Every category a product is found under."""

    __tablename__ = "product_categories"
    __table_args__ = (
        UniqueConstraint("product_id", "category", name="product_categories_product_id_category_key"),
        Index("idx_product_categories_category", "category", "product_id"),
        {"schema": "market_research"},
    )

    id: Mapped[BigId]
    product_id: Mapped[int] = mapped_column(
        ForeignKey("market_research.products.id", name="product_categories_product_id_fkey", ondelete="CASCADE")
    )
    category: Mapped[str]

    product: Mapped[Product] = relationship(back_populates="categories")


class ProductSearchResult(Base):
    """That a product answers a search, and how well; a search is known by the hash of its text."""

    __tablename__ = "product_search_results"
    __table_args__ = (
        UniqueConstraint(
            "product_id",
            "search_query_hash",
            name="product_search_results_product_id_search_query_hash_key",
        ),
        Index("idx_search_query_hash", "search_query_hash", text("relevance_score DESC")),
        {"schema": "market_research"},
    )

    id: Mapped[BigId]
    product_id: Mapped[int] = mapped_column(
        ForeignKey("market_research.products.id", name="product_search_results_product_id_fkey", ondelete="CASCADE")
    )
    search_query_hash: Mapped[str]
    relevance_score: Mapped[float]

    product: Mapped[Product] = relationship()
