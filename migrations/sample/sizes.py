"""How many rows each table gets."""

from __future__ import annotations

from migrations.sample.topics import STANCE_TOPICS, SYMBOLS

SHARES = {
    "line_support.users": 0.012,
    "line_support.system_log": 0.02,
    "line_support.webhook_event": 0.16,
    "line_support.document": 0.002,
    "whatsapp_agent.customers": 0.02,
    "whatsapp_agent.whatsapp_messages": 0.16,
    "whatsapp_agent.ai_interactions": 0.03,
    "telegram_bots.messages": 0.16,
    "telegram_bots.bot_memories": 0.005,
    "market_research.product_searches": 0.10,
    "market_research.market_analyses": 0.005,
    "market_research.product_search_results": 0.03,
    "rag_chat.user_sessions": 0.004,
    "rag_chat.conversations": 0.006,
    "rag_chat.messages": 0.04,
    "rag_chat.citations": 0.04,
}
"""How much of the whole each table gets. What nobody gets is line_support.conversation's, about a fifth."""

FEWEST_ROWS = 3_000


def sizes(rows: int) -> dict[str, int]:
    """The rows of each table: *rows* together."""
    if rows < FEWEST_ROWS:
        raise ValueError(f"five systems need {FEWEST_ROWS} rows or more, not {rows}")
    bots = _between(50, rows // 10_000, 200)
    products = max(64, rows // 100)
    found = {
        **{name: max(1, round(rows * share)) for name, share in SHARES.items()},
        "whatsapp_agent.restaurants": _between(4, rows // 20_000, 2_000),
        "telegram_bots.bots": bots,
        "telegram_bots.chats": _between(10, rows // 2_000, 5_000),
        "telegram_bots.settings": 20,
        "telegram_bots.bot_stances": _between(bots, rows // 100, bots * len(STANCE_TOPICS)),
        "telegram_bots.bot_holdings": _between(bots, rows // 100, bots * len(SYMBOLS)),
        "market_research.products": products,
        "market_research.product_categories": products + products // 2,
    }
    return {**found, "line_support.conversation": rows - sum(found.values())}


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))
