"""Listen to an engine."""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.pool import QueuePool

from schema_kit.errors import DeclarationError
from schema_kit.normalized import normalized
from schema_kit.timings.distribution import Distribution, Timed

LOG = logging.getLogger("schema_kit.timings")
_UNIT = "schema_kit.timings.unit"
_STATEMENTS = 1000
OTHERS = "(other statements)"
"""What statements beyond the first thousand are counted as."""


class Slow(NamedTuple):
    """A call that took as long as the threshold or longer: when (Unix time) and how long, in seconds."""

    statement: str
    seconds: float
    at: float


class Repeated(NamedTuple):
    """A statement that one unit of work sent many times: most times in one unit, units, and the line that did it."""

    statement: str
    times: int
    units: int
    where: str | None


class Pool(NamedTuple):
    """Connections of a pool: in use, idle, and the most that it makes; None where it has no limit."""

    in_use: int
    idle: int
    limit: int | None


@dataclass
class _Unit:
    name: str | None = None
    sent: Counter[str] = field(default_factory=Counter)
    where: dict[str, str | None] = field(default_factory=dict)
    ends: dict[Callable[[_Unit], None], None] = field(default_factory=dict)


_CURRENT: ContextVar[_Unit | None] = ContextVar("schema_kit.timings.unit", default=None)


@contextmanager
def unit(name: str) -> Iterator[None]:
    """Count what is repeated over a whole request or job, whatever connections it takes.

    Without it, a unit of work is what a connection does between leaving the pool and coming back.

    Example: `with timings.unit("GET /customers"): ...`
    """
    current = _Unit(name)
    token = _CURRENT.set(current)
    try:
        yield
    finally:
        _CURRENT.reset(token)
        for end in current.ends:
            end(current)


def watch(engine: Any, *, slow: float = 0.5, repeats: int = 10, trace: bool | None = None) -> Watched:
    """Time each statement that an engine sends, from now on.

    Args:
        engine: An Engine or an AsyncEngine.
        slow: Seconds from which a call is logged (`schema_kit.timings`, WARNING) and kept; 0.1 suits production.
        repeats: How often one statement in one unit of work is a finding: ten lookups where one would do.
        trace: Send a span for each statement to OpenTelemetry; where nothing is said, if `opentelemetry` is installed.

    Raises:
        DeclarationError: *slow* is not a number of seconds, or *repeats* is less than two.
        ModuleNotFoundError: *trace* is true and `opentelemetry` is not installed.

    Example: `watched = timings.watch(engine, slow=0.1)`
    """
    if not isinstance(slow, int | float) or slow < 0:
        raise DeclarationError(f"slow={slow!r}: give seconds, 0.1 for example.")
    if not isinstance(repeats, int) or repeats < 2:
        raise DeclarationError(f"repeats={repeats!r}: one statement repeats from the second time on.")
    return Watched(getattr(engine, "sync_engine", engine), slow=slow, repeats=repeats, trace=trace)


class Watched:
    """What was seen of an engine since `watch`; safe for threads."""

    def __init__(self, engine: Engine, *, slow: float, repeats: int, trace: bool | None) -> None:
        self.engine, self.slow, self.repeats = engine, slow, repeats
        self._lock, self._began = Lock(), f"schema_kit.timings.{id(self)}"
        self._span: Callable[[str, float, bool], None] | None = None
        self.clear()
        if trace is not False:
            with suppress(*() if trace else (ModuleNotFoundError,)):
                from schema_kit.timings import tracing

                self._span = tracing.span
        self._listeners: tuple[tuple[Any, str, Callable[..., None]], ...] = (
            (engine, "before_cursor_execute", self._sends),
            (engine, "after_cursor_execute", self._sent),
            (engine, "handle_error", self._failed),
            (engine.pool, "checkin", self._returned),
        )
        for listener in self._listeners:
            event.listen(*listener)

    def close(self) -> None:
        """Stop listening; what was counted stays."""
        for listener in filter(lambda one: event.contains(*one), self._listeners):
            event.remove(*listener)

    def clear(self) -> None:
        """Forget what was counted, so that the next report is of another period."""
        with self._lock:
            self._times, self._errors = defaultdict[str, Distribution](Distribution), Counter[str]()
            self._repeated, self._slowest, self.slow_calls = dict[str, Repeated](), deque[Slow](maxlen=200), 0

    def statements(self) -> list[Timed]:
        """Return each statement, the one that took the most time in all first."""
        with self._lock:
            found = [of.timed(text, self._errors[text]) for text, of in self._times.items()]
        return sorted(found, key=lambda timed: (-timed.total, timed.statement))

    def by(self, key: Callable[[str], str]) -> dict[str, Distribution]:
        """Return the times of all statements for which *key* is the same together."""
        found = defaultdict[str, Distribution](Distribution)
        with self._lock:
            for text, times in self._times.items():
                found[key(text)].merge(times)
        return found

    def slowest(self) -> list[Slow]:
        """Return the last 200 slow calls, the longest first."""
        with self._lock:
            return sorted(self._slowest, key=lambda call: -call.seconds)

    def repeated(self) -> list[Repeated]:
        """Return statements that a unit of work repeats (N+1), the worst first."""
        with self._lock:
            return sorted(self._repeated.values(), key=lambda found: (-found.times, found.statement))

    def pool(self) -> Pool:
        """Connections in use and idle, now."""
        pool = self.engine.pool
        if not isinstance(pool, QueuePool):
            return Pool(0, 0, None)
        most = pool._max_overflow
        return Pool(pool.checkedout(), pool.checkedin(), None if most < 0 else pool.size() + most)

    def report(self, limit: int = 20) -> str:
        """Tables of the *limit* statements that took most, slow calls, repeated statements, and the pool's line."""
        lines = ["   calls  errors     total       p50       p95       p99  statement"]
        lines += [
            f"{calls:8,d}{errors:8,d}{total:9.2f} s{p50 * 1000:7.1f} ms{p95 * 1000:7.1f} ms{p99 * 1000:7.1f} ms  {text}"
            for text, calls, errors, total, p50, p95, p99, _ in self.statements()[:limit]
        ]
        if slow := self.slowest()[:limit]:
            lines += ["", f"slow, {1000 * self.slow:.0f} ms or more: {self.slow_calls:,d} calls"]
            lines += [f"{1000 * call.seconds:9.0f} ms  {call.statement}" for call in slow]
        if repeated := self.repeated()[:limit]:
            lines += ["", f"repeated {self.repeats} times or more in one unit of work"]
            lines += [f"{found.times:8,d} x  {found.statement}  ({found.where or 'unknown'})" for found in repeated]
        in_use, idle, most = self.pool()
        pool = f"pool: {in_use} in use, {idle} idle{'' if most is None else f' of at most {most}'}"
        return "\n".join([*lines, "", pool])

    def export(self, registry: Any = None) -> Any:
        """Show it to Prometheus: `db_query_duration_seconds`, `db_slow_queries_total`, `db_connection_pool_size`, ...

        Args:
            registry: prometheus_client's registry; its default one where nothing is said.

        Returns: the collector, for `registry.unregister`.

        Raises:
            ModuleNotFoundError: prometheus_client is not installed (`pip install 'schema-kit[timings]'`).
        """
        from schema_kit.timings.prometheus import Collector

        return Collector(self, registry)

    def _sends(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        context.__dict__[self._began] = time.perf_counter()

    def _sent(self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        self._add(connection.info, statement, time.perf_counter() - context.__dict__.pop(self._began))

    def _failed(self, error: ExceptionContext) -> None:
        began = vars(error.execution_context).pop(self._began, None) if error.execution_context else None
        if began is not None and error.connection is not None:
            self._add(error.connection.info, error.statement or "", time.perf_counter() - began, failed=True)

    def _add(self, info: dict[Any, Any], statement: str, seconds: float, *, failed: bool = False) -> None:
        text = normalized(statement)
        current = _CURRENT.get()
        if current is not None:
            current.ends[self._finish] = None
        elif (current := info.get(_UNIT)) is None:
            current = info[_UNIT] = _Unit()
        current.sent[text] += 1
        if current.sent[text] == self.repeats:
            current.where[text] = _caller()
        with self._lock:
            if text not in self._times and len(self._times) >= _STATEMENTS:
                text = OTHERS
            self._times[text].add(seconds)
            self._errors[text] += failed
            if seconds >= self.slow:
                self.slow_calls += 1
                self._slowest.append(Slow(text, seconds, time.time()))
        if seconds >= self.slow:
            LOG.warning("slow: %.0f ms: %s", seconds * 1000, text)
        if self._span is not None:
            self._span(text, seconds, failed)

    def _returned(self, dbapi_connection: Any, record: Any) -> None:
        if (done := record.info.pop(_UNIT, None)) is not None:
            self._finish(done)

    def _finish(self, done: _Unit) -> None:
        for text, times in ((text, times) for text, times in done.sent.items() if times >= self.repeats):
            where = " ".join(filter(None, (done.name, done.where.get(text)))) or None
            with self._lock:
                before = self._repeated.get(text)
                worst = before if before and before.times >= times else Repeated(text, times, 0, where)
                self._repeated[text] = worst._replace(units=1 + (before.units if before else 0))
            if not before:
                LOG.warning("repeated %d times in one unit of work%s: %s", times, (where and f" ({where})") or "", text)


def _caller() -> str | None:
    """File and line of the innermost frame that belongs to the application."""
    for frame, line in traceback.walk_stack(None):
        if frame.f_globals.get("__name__", "").partition(".")[0] not in {"asyncio", "schema_kit", "sqlalchemy"}:
            return f"{frame.f_code.co_filename}:{line}"
    return None
