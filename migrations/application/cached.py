"""What the systems keep, and under which key: searches, analyses, answers, embeddings, profiles of bots.

An entry that concerns one user is theirs: `caches.forget(user)` after a change makes it unreachable.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from migrations.application import market
from migrations.application.caches import Caches
from migrations.models import Bot


def md5(*parts: str) -> str:
    """The systems' hash of a key; nothing secret depends on it."""
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def product_search(
    caches: Caches,
    session: Session,
    user: uuid.UUID,
    query: str,
    filters: Mapping[str, Any],
    *,
    limit: int = 20,
    skip: int = 0,
) -> list[Any]:
    """Products that answer a search, for an hour.

    Args:
        caches: where they are kept.
        session: asks the database on a miss.
        user: who searches.
        query: the search's text; results are found under its MD5.
        filters: category, min_price and max_price.
        limit: how many products.
        skip: how many come before.

    Example: `product_search(caches, session, user, "lamp", {"category": "home", "min_price": 1, "max_price": 99})`
    """
    prices = filters["min_price"], filters["max_price"]

    def ask() -> list[Any]:
        found = market.products_of(session, md5(query), filters["category"], prices, limit=limit, skip=skip)
        return [{**asdict(one), "price": str(one.price)} for one in found]

    key = md5(json.dumps([query, {**filters}, limit, skip], sort_keys=True, default=str))
    return caches.get("products", key, ask, user=user)


def market_analysis(caches: Caches, session: Session, user: uuid.UUID, kind: str) -> dict[str, Any] | None:
    """The results of a user's latest analysis of a kind, for two hours.

    Call `caches.forget(user)` when an analysis is completed.

    Args:
        caches: where they are kept.
        session: asks the database on a miss.
        user: whose.
        kind: the analysis_type.

    Example: `market_analysis(caches, session, user, "pricing")`
    """
    return caches.get("analyses", kind, lambda: market.latest_analysis(session, user, kind), user=user)


def answer(caches: Caches, user: str, question: str, session_id: uuid.UUID, ask: Callable[[], str]) -> str:
    """The answer to a question in a session, for an hour, under MD5(question + session).

    Args:
        caches: where it is kept.
        user: the session's user.
        question: as it was asked.
        session_id: the session: its documents and history belong to the answer.
        ask: asks the model on a miss.

    Example: `answer(caches, session.user_id, question, session.session_id, lambda: model.ask(question))`
    """
    return caches.get("answers", md5(question, str(session_id)), ask, user=user)


def embedding(caches: Caches, text: str, model: str, embed: Callable[[], Sequence[float]]) -> Sequence[float]:
    """The embedding of a text, for a day: it is the same for all users.

    Args:
        caches: where it is kept.
        text: what is embedded.
        model: which model embeds; another model has other vectors.
        embed: asks the model on a miss.

    Example: `embedding(caches, text, "small", lambda: model.embed(text))`
    """
    return caches.get("embeddings", f"{model}:{md5(text)}", embed)


def bot_profile(caches: Caches, session: Session, bot: int) -> dict[str, Any] | None:
    """A bot's name, persona and whether it is enabled, for five minutes; None where there is no such bot.

    Args:
        caches: where it is kept.
        session: asks the database on a miss.
        bot: its id.

    Example: `bot_profile(caches, session, 7)["persona"]`
    """

    def ask() -> dict[str, Any] | None:
        found = session.get(Bot, bot)
        if found is None:
            return None
        return {"name": found.name, "username": found.username, "persona": found.persona, "enabled": found.enabled}

    return caches.get("profiles", str(bot), ask)
