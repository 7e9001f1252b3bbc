"""What the tables know of each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from random import Random

from migrations.sample.clock import Clock, Timeline
from migrations.sample.searches import search_text
from migrations.sample.sizes import sizes
from migrations.sample.wheels import CATEGORY_WHEEL


class World:
    """What the tables know of each other: how many rows there are, and when they came."""

    def __init__(self, rows: int, until: date, months: int = 18, seed: int = 1) -> None:
        if months < 1:
            raise ValueError("the rows need a month or more to lie in")
        self.sizes = sizes(rows)
        self.clock = Clock(until, months)
        self.last_second = self.clock.hours * 3600 - 1
        self._seed = seed

    def rng(self, purpose: str) -> Random:
        return Random(f"{self._seed}:{purpose}")

    def moments(self, table: str, day: int = 1, rows: int | None = None) -> Iterator[tuple[int, str]]:
        """When the rows of a table that nobody refers to came."""
        timeline = Timeline(self.clock, self.sizes[table] if rows is None else rows, day, referred_to=False)
        return timeline.moments(self.rng(f"{table}:moments"))

    def _parents(self, table: str, day: int) -> Timeline:
        return Timeline(self.clock, self.sizes[table], day)

    @cached_property
    def line_users(self) -> Timeline:
        return self._parents("line_support.users", 0)

    @cached_property
    def customers(self) -> Timeline:
        return self._parents("whatsapp_agent.customers", 1)

    @cached_property
    def rag_sessions(self) -> Timeline:
        return self._parents("rag_chat.user_sessions", 0)

    @cached_property
    def rag_conversations(self) -> Timeline:
        return self._parents("rag_chat.conversations", 1)

    @property
    def found_per_search(self) -> int:
        """How many products one search finds."""
        return min(30, self.sizes["market_research.products"] // len(CATEGORY_WHEEL))

    @cached_property
    def searches(self) -> list[str]:
        """Every text that is searched for."""
        results = self.sizes["market_research.product_search_results"]
        return [search_text(number) for number in range(-(-results // self.found_per_search))]
