"""Answers that are kept in Redis for a while, and what happens when Redis is down: the database answers.

    caches = Caches("redis://cache.internal:6379/0")
    caches.get("profiles", str(bot.id), lambda: load_profile(bot.id))

Without a URL entries are kept in this process. https://dogpilecache.sqlalchemy.org
"""

from __future__ import annotations

import json
import uuid
from collections import Counter as Asked
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dogpile.cache import CacheRegion, make_region
from dogpile.cache.api import CantDeserializeException
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.retry import Retry

from migrations.application.guarded import Guard, Guarded

REQUESTS = Counter("cache_requests", "Entries asked for, by cache and result: hit or miss.", ["cache", "result"])

LIFETIMES: Mapping[str, int] = {
    "products": 3600,
    "analyses": 7200,
    "answers": 3600,
    "embeddings": 86_400,
    "profiles": 300,
}
"""Seconds that an entry of each cache is kept."""

Value = TypeVar("Value")


class Caches:
    """The systems' caches, one region each. Values are what JSON holds: texts, numbers, lists, dicts.

    Args:
        url: `redis://`, `rediss://` or `unix://`; None keeps entries in this process, for development and tests.
        timeout: seconds that a call of Redis may take.
        pause: seconds for which Redis is not asked after a call that failed, so that not every request waits.
    """

    def __init__(self, url: str | None = None, *, timeout: float = 0.2, pause: float = 5.0) -> None:
        self._guard = Guard(pause)
        self.regions = {name: self._region(name, lifetime, url, timeout) for name, lifetime in LIFETIMES.items()}
        self._users = self._region("users", None, url, timeout)
        self._asked = Asked[tuple[str, str]]()

    def get(self, cache: str, key: str, create: Callable[[], Value], *, user: object = None) -> Value:
        """The entry, or what *create* returns, which is kept. Of threads that miss at once, one creates.

        Args:
            cache: one of LIFETIMES.
            key: which entry.
            create: asks the database or the model; what it raises is raised, and nothing is kept.
            user: whose entry it is, so that `forget` reaches it; None for one that is everyone's.
        """
        made = False

        def creator() -> Value:
            nonlocal made
            made = True
            return create()

        owner = "" if user is None else f"{self._users.get_or_create(str(user), _generation)}:"
        value: Value = self.regions[cache].get_or_create(owner + key, creator)
        result = "miss" if made else "hit"
        REQUESTS.labels(cache, result).inc()
        self._asked[cache, result] += 1
        return value

    def forget(self, user: object) -> None:
        """Make all entries of a user unreachable, in one call however many there are; their lifetimes end them.

        Call it after the commit: before it, another process keeps what it still reads. A user's keys begin with a
        generation. Without it a new one is made, which no earlier key begins with. If Redis is down, this process
        repeats the call before it next reads from Redis.
        """
        self._users.delete(str(user))

    def hit_ratio(self, cache: str) -> float | None:
        """The share of requests that were hits; None where there was none."""
        hits, misses = (self._asked[cache, result] for result in ("hit", "miss"))
        return hits / (hits + misses) if hits + misses else None

    def _region(self, name: str, lifetime: int | None, url: str | None, timeout: float) -> CacheRegion:
        region = make_region(name, key_mangler=f"{name}:{{}}".format, serializer=_dumps, deserializer=_loads)
        if url is None:
            return region.configure("dogpile.cache.memory_pickle", expiration_time=lifetime)
        arguments = {
            "url": url,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "redis_expiration_time": lifetime or 0,
            "connection_kwargs": {"retry": Retry(NoBackoff(), 0)},
        }
        proxy = Guarded(self._guard)
        return region.configure("dogpile.cache.redis", expiration_time=lifetime, arguments=arguments, wrap=[proxy])


def _generation() -> str:
    return uuid.uuid4().hex


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _loads(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise CantDeserializeException from error
