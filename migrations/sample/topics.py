"""What people and bots write about."""

from __future__ import annotations

SYMBOLS = ("BTC", "ETH", "SOL", "PTT", "AOT", "CPALL", "AAPL", "NVDA", "TSLA", "GOLD", "KBANK", "DOGE")

STANCE_TOPICS = (
    *(
        "interest rates",
        "gold",
        "bitcoin",
        "street food",
        "football",
        "electric cars",
        "remote work",
        "tourism",
    ),
    *("rainy season", "property", "coffee prices", "oil"),
)
STANCES = ("strongly for", "for", "undecided", "against", "strongly against")
MEMORY_TYPES = ("fact", "preference", "event", "relationship", "opinion")
ANALYSIS_TYPES = ("trend", "competition", "pricing", "sentiment", "demand")
AI_MODELS = ("small-chat-2", "large-chat-3", "large-chat-4")
