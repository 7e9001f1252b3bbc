"""What product search and market analysis ask."""

from __future__ import annotations

from tests.benchmarks.query_set.query import Query

MARKET_RESEARCH = (
    Query(
        "market_research",
        "products of a search, by relevance then newest",
        100,
        """
        SELECT p.id, p.title, p.price, r.relevance_score
        FROM market_research.product_search_results AS r JOIN market_research.products AS p ON p.id = r.product_id
        WHERE r.search_query_hash = %(hash)s AND p.category = %(category)s AND p.price BETWEEN 100 AND 1500
        ORDER BY r.relevance_score DESC, p.created_at DESC LIMIT 20 OFFSET %(skip)s
        """,
        """
        SELECT r.search_query_hash AS hash, p.category, CASE WHEN r.id %% 4 = 0 THEN 5 ELSE 0 END AS skip
        FROM market_research.product_search_results AS r JOIN market_research.products AS p ON p.id = r.product_id
        ORDER BY hashint8(r.id) LIMIT %(wanted)s
        """,
    ),
    Query(
        "market_research",
        "metrics per category, 90 days",
        500,
        """
        SELECT category, count(*), avg(price), percentile_cont(0.5) WITHIN GROUP (ORDER BY price), avg(review_rating)
        FROM market_research.products WHERE created_at >= %(since)s GROUP BY category ORDER BY category
        """,
        """
        SELECT max(created_at) - interval '90 days' - nth * interval '1 hour' AS since
        FROM market_research.products, generate_series(0, %(wanted)s - 1) AS nth GROUP BY nth ORDER BY nth
        """,
    ),
    Query(
        "market_research",
        "searches whose filters contain",
        200,
        """
        SELECT id, query, filters, search_timestamp FROM market_research.product_searches
        WHERE filters @> %(filters)s::jsonb ORDER BY search_timestamp DESC LIMIT 50
        """,
        """
        SELECT filters::text FROM (
            SELECT DISTINCT filters FROM market_research.product_searches
            WHERE filters ? 'brand' AND filters ? 'max_price'
        ) AS _ ORDER BY hashtext(filters::text), 1 LIMIT %(wanted)s
        """,
    ),
    Query(
        "market_research",
        "latest searches of a user",
        200,
        """
        SELECT id, query, search_timestamp FROM market_research.product_searches
        WHERE user_id = %(user_id)s ORDER BY search_timestamp DESC LIMIT 20
        """,
        "SELECT user_id FROM market_research.product_searches ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "market_research",
        "searches for the same text",
        200,
        """
        SELECT count(*), max(search_timestamp), avg(processing_time_ms) FROM market_research.product_searches
        WHERE md5(query) = %(hash)s
        """,
        "SELECT md5(query) AS hash FROM market_research.product_searches ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "market_research",
        "latest analyses of a user",
        200,
        """
        SELECT id, analysis_type, results, created_at FROM market_research.market_analyses
        WHERE user_id = %(user_id)s AND status = 'completed' ORDER BY created_at DESC LIMIT 10
        """,
        "SELECT user_id FROM market_research.market_analyses ORDER BY id LIMIT %(wanted)s",
    ),
    Query(
        "market_research",
        "analyses of a type that wait",
        200,
        """
        SELECT id, created_at FROM market_research.market_analyses
        WHERE analysis_type = %(type)s AND status = 'pending' ORDER BY created_at, id LIMIT 20
        """,
        "SELECT analysis_type AS type FROM market_research.market_analyses GROUP BY 1 ORDER BY 1 LIMIT %(wanted)s",
    ),
    Query(
        "market_research",
        "products of a category, all that it is found under",
        200,
        """
        SELECT product_id FROM market_research.product_categories
        WHERE category = %(category)s ORDER BY product_id LIMIT 20
        """,
        "SELECT category FROM market_research.product_categories GROUP BY 1 ORDER BY 1 LIMIT %(wanted)s",
    ),
)
