"""The queries that the five systems live on, as data.

A target is a p95 in milliseconds. Where a system names none for a query, its threshold for slow queries stands in:
100 ms for the restaurants, 200 ms for searches, 500 ms for the chat over documents.
"""

from __future__ import annotations

from tests.benchmarks.query_set.line_support import LINE_SUPPORT
from tests.benchmarks.query_set.market_research import MARKET_RESEARCH
from tests.benchmarks.query_set.query import Parameters, Query
from tests.benchmarks.query_set.rag_chat import RAG_CHAT
from tests.benchmarks.query_set.telegram_bots import TELEGRAM_BOTS
from tests.benchmarks.query_set.whatsapp_agent import WHATSAPP_AGENT

QUERIES = (*LINE_SUPPORT, *WHATSAPP_AGENT, *TELEGRAM_BOTS, *MARKET_RESEARCH, *RAG_CHAT)

__all__ = ["QUERIES", "Parameters", "Query"]
