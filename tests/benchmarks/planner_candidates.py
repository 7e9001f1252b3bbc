"""Twenty indexes with a statement for each, which were not looked at while rules of `schema_kit advise` were made."""

from __future__ import annotations

CANDIDATES = (
    ("line_support.system_log (created_at)", "SELECT * FROM line_support.system_log WHERE created_at < '2025-06-20'"),
    ("line_support.users (last_seen_at DESC)", "SELECT id FROM line_support.users ORDER BY last_seen_at DESC LIMIT 30"),
    ("line_support.users (lower(display_name))", "SELECT * FROM line_support.users WHERE lower(display_name) = 'a'"),
    (
        "line_support.conversation (role, created_at) INCLUDE (language)",
        "SELECT language, count(*) FROM line_support.conversation WHERE role = 'user' AND created_at > '2026-11-01' "
        "GROUP BY language",
    ),
    (
        "line_support.webhook_event (processed_at) WHERE processed_at IS NULL",
        "SELECT count(*) FROM line_support.webhook_event WHERE processed_at IS NULL",
    ),
    (
        "line_support.webhook_event USING gin (payload)",
        'SELECT * FROM line_support.webhook_event WHERE payload @> \'{"nothing": "there"}\'',
    ),
    (
        "market_research.product_search_results (product_id, relevance_score)",
        "SELECT relevance_score FROM market_research.product_search_results WHERE product_id = 77",
    ),
    ("market_research.products (price)", "SELECT id FROM market_research.products WHERE price > 5000 ORDER BY price"),
    (
        "market_research.products (review_rating, price)",
        "SELECT id FROM market_research.products WHERE review_rating = 4.5 ORDER BY price LIMIT 9",
    ),
    (
        "market_research.product_categories (product_id)",
        "SELECT c.category FROM market_research.products p JOIN market_research.product_categories c "
        "ON c.product_id = p.id WHERE p.id = 91",
    ),
    (
        "market_research.product_searches (results_count)",
        "SELECT count(*) FROM market_research.product_searches WHERE results_count = 0",
    ),
    (
        "market_research.product_searches (search_timestamp) INCLUDE (processing_time_ms)",
        "SELECT avg(processing_time_ms) FROM market_research.product_searches WHERE search_timestamp >= '2026-10-20'",
    ),
    (
        "market_research.market_analyses (analysis_type, created_at)",
        "SELECT id FROM market_research.market_analyses WHERE analysis_type = 'trend' ORDER BY created_at LIMIT 5",
    ),
    (
        "rag_chat.citations (document_name, page_number)",
        "SELECT document_name, max(page_number) FROM rag_chat.citations GROUP BY document_name",
    ),
    ("rag_chat.messages (role)", "SELECT count(*) FROM rag_chat.messages WHERE role = 'assistant'"),
    (
        "telegram_bots.messages (reply_to_message_id) WHERE reply_to_message_id IS NOT NULL",
        "SELECT id FROM telegram_bots.messages WHERE reply_to_message_id = 1234",
    ),
    (
        "telegram_bots.bot_memories (memory_type, relevance_score DESC)",
        "SELECT id FROM telegram_bots.bot_memories WHERE memory_type = 'fact' ORDER BY relevance_score DESC LIMIT 10",
    ),
    (
        "whatsapp_agent.ai_interactions (tokens_used)",
        "SELECT id FROM whatsapp_agent.ai_interactions ORDER BY tokens_used DESC LIMIT 10",
    ),
    (
        "whatsapp_agent.whatsapp_messages USING brin (created_at)",
        "SELECT count(*) FROM whatsapp_agent.whatsapp_messages WHERE created_at BETWEEN '2026-01-01' AND '2026-01-08'",
    ),
    (
        "whatsapp_agent.customers (status, rating) WHERE NOT is_deleted",
        "SELECT count(*), avg(rating) FROM whatsapp_agent.customers WHERE status = 'vip' AND NOT is_deleted",
    ),
)
"""What stands behind CREATE INDEX ON, and the statement."""
