"""A Redis that may be down: what fails is a miss, is counted, and is not tried again for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dogpile.cache.api import NO_VALUE
from dogpile.cache.proxy import ProxyBackend
from prometheus_client import Counter, Gauge
from redis.exceptions import RedisError

LOG = logging.getLogger("migrations.application.caches")
ERRORS = Counter("cache_errors", "Calls of Redis that failed.")
UP = Gauge("cache_up", "1, or 0 while Redis is not answering and the database does.")


class Guard:
    """Whether Redis is asked: not for a pause after a call that failed. Shared by all regions."""

    def __init__(self, pause: float) -> None:
        self._pause, self._until = pause, 0.0
        UP.set(1)

    def call(self, what: Callable[[], Any], otherwise: Any) -> tuple[Any, bool]:
        """What a call of Redis returns, or *otherwise*; and whether it succeeded."""
        if time.monotonic() < self._until:
            return otherwise, False
        try:
            value = what()
        except RedisError as error:
            self._until = time.monotonic() + self._pause
            ERRORS.inc()
            UP.set(0)
            LOG.warning("Redis does not answer, the database does for %g s: %s", self._pause, error)
            return otherwise, False
        UP.set(1)
        return value, True


class Guarded(ProxyBackend):
    """A backend whose failures are misses."""

    def __init__(self, guard: Guard) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard, self._owed = guard, dict[str, None]()

    def get_serialized(self, key: str) -> Any:
        """An entry; before that, what could not be deleted is."""
        if self._owed:
            owed = [*self._owed]
            _, done = self._guard.call(lambda: self.proxied.delete_multi(owed), None)
            if not done:
                return NO_VALUE
            for one in owed:
                self._owed.pop(one, None)
        return self._guard.call(lambda: self.proxied.get_serialized(key), NO_VALUE)[0]

    def get_serialized_multi(self, keys: Iterable[str]) -> Sequence[Any]:
        """Several entries."""
        return [self.get_serialized(key) for key in keys]

    def set_serialized(self, key: str, value: bytes) -> None:
        """Keep an entry, if that is possible."""
        self._guard.call(lambda: self.proxied.set_serialized(key, value), None)

    def set_serialized_multi(self, mapping: Mapping[str, bytes]) -> None:
        """Keep several."""
        self._guard.call(lambda: self.proxied.set_serialized_multi(mapping), None)

    def delete(self, key: str) -> None:
        """Delete an entry, now or as soon as Redis answers."""
        if not self._guard.call(lambda: self.proxied.delete(key), None)[1]:
            self._owed[key] = None

    def delete_multi(self, keys: Iterable[str]) -> None:
        """Delete several."""
        for key in keys:
            self.delete(key)
