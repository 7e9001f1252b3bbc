"""Listen to an engine."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.base import OptionEngine
from sqlalchemy.pool import QueuePool

from schema_kit.timings.distribution import Distribution
from schema_kit.timings.statement import normalized

LOG = logging.getLogger("schema_kit.timings")
_UNIT = "schema_kit.timings.unit"
_STATEMENTS = 1000
OTHERS = "(other statements)"
"""What statements beyond the first thousand are counted as."""


@dataclass(frozen=True, slots=True)
class Timed:
    """One statement: calls, seconds in all, percentiles, failures."""

    statement: str
    calls: int
    errors: int
    total: float
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True, slots=True)
class Slow:
    """A call that took as long as the threshold or longer: when (Unix time) and how long, in seconds."""

    statement: str
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Repeated:
    """A statement that one unit of work sent many times: most times in one unit, units, and the line that did it."""

    statement: str
    times: int
    units: int
    where: str | None


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections of a pool: in use, idle, and the most that it makes; None where it has no limit."""

    in_use: int
    idle: int
    limit: int | None


@dataclass
class _Unit:
    name: str | None = None
    sent: Counter[str] = field(default_factory=Counter)
    where: dict[str, str | None] = field(default_factory=dict)


_CURRENT: ContextVar[_Unit | None] = ContextVar("schema_kit.timings.unit", default=None)
_OPEN: ContextVar[list[Callable[[_Unit], None]] | None] = ContextVar("schema_kit.timings.open", default=None)


@contextmanager
def unit(name: str) -> Iterator[None]:
    """Count what is repeated over a whole request or job, whatever connections it takes.

    Without it, a unit of work is what a connection does between leaving the pool and coming back.

    Example: `with timings.unit("GET /customers"): ...`
    """
    current, ends = _Unit(name), list[Callable[[_Unit], None]]()
    tokens = _CURRENT.set(current), _OPEN.set(ends)
    try:
        yield
    finally:
        _CURRENT.reset(tokens[0])
        _OPEN.reset(tokens[1])
        for end in dict.fromkeys(ends):
            end(current)


def watch(engine: Any, *, slow: float = 0.5, repeats: int = 10, trace: bool | None = None) -> Watched:
    """Time each statement that an engine sends, from now on.

    Args:
        engine: An Engine or an AsyncEngine.
        slow: Seconds from which a call is logged (`schema_kit.timings`, WARNING) and kept; 0.1 suits production.
        repeats: How often one statement in one unit of work is a finding: ten lookups where one would do.
        trace: Send a span for each statement to OpenTelemetry; where nothing is said, if `opentelemetry` is installed.

    Raises:
        ModuleNotFoundError: *trace* is true and `opentelemetry` is not installed.

    Example: `watched = timings.watch(engine, slow=0.1)`
    """
    return Watched(getattr(engine, "sync_engine", engine), slow=slow, repeats=repeats, trace=trace)


class Watched:
    """What was seen of an engine since `watch`; safe for threads."""

    def __init__(self, engine: Engine, *, slow: float, repeats: int, trace: bool | None) -> None:
        self.engine, self.slow, self.repeats = engine, slow, repeats
        self.slow_calls = 0
        self._lock = threading.Lock()
        self._times: dict[str, Distribution] = {}
        self._errors: Counter[str] = Counter()
        self._slowest: deque[Slow] = deque(maxlen=200)
        self._repeated: dict[str, Repeated] = {}
        self._span = _tracer(trace)
        self._listeners: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
            *((engine, name, self._sender(name)) for name in ("do_execute", "do_executemany", "do_execute_no_params")),
            (engine.pool, "checkin", self._returned),
        )
        for target, name, listener in self._listeners:
            event.listen(target, name, listener)

    def close(self) -> None:
        """Stop listening; what was counted stays."""
        for target, name, listener in self._listeners:
            if event.contains(target, name, listener):
                event.remove(target, name, listener)

    def clear(self) -> None:
        """Forget what was counted, so that the next report is of another period."""
        with self._lock:
            self._times.clear()
            self._errors.clear()
            self._slowest.clear()
            self._repeated.clear()
            self.slow_calls = 0

    def statements(self) -> list[Timed]:
        """Return each statement, the one that took the most time in all first."""
        with self._lock:
            found = [_timed(text, times, self._errors[text]) for text, times in self._times.items()]
        return sorted(found, key=lambda timed: (-timed.total, timed.statement))

    def overall(self, chosen: Callable[[str], bool] = lambda statement: True) -> Distribution:
        """Return the times of all statements together, or of those that *chosen* takes."""
        whole = Distribution()
        with self._lock:
            for text, times in self._times.items():
                if chosen(text):
                    whole.merge(times)
        return whole

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
        from schema_kit.timings.report import report

        return report(self, limit)

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

    def _sender(self, name: str) -> Callable[..., bool]:
        """Return a listener that sends a statement as the dialect's method *name* does, and times it.

        SQLAlchemy's events around a cursor cost more (`python -m tests.benchmarks.timings`). What an earlier listener
        sends itself is not seen.
        """
        engine, dialect = self.engine, self.engine.dialect
        send, options_of_it = getattr(dialect, name), isinstance(engine, OptionEngine)

        def listener(*call: Any) -> bool:
            connection = call[-1].root_connection
            if options_of_it and connection.engine is not engine:
                return False  # the engine that it shares the dialect with
            try:
                info = connection.info
            except NotImplementedError:
                return False  # the dialect's own questions, when the engine connects first
            began, failed = time.perf_counter(), True
            try:
                listeners = getattr(dialect.dispatch, name)
                if len(listeners) == 1 or not _sent_by_next(listener, listeners, call):
                    send(*call)
                failed = False
            finally:
                self._add(info, call[1], time.perf_counter() - began, failed=failed)
            return True

        return listener

    def _add(self, info: dict[Any, Any], statement: str, seconds: float, *, failed: bool) -> None:
        text = normalized(statement)
        current = _CURRENT.get()
        if current is None:
            current = info.get(_UNIT)
            if current is None:
                current = info[_UNIT] = _Unit()
        elif (ends := _OPEN.get()) is not None and self._finish not in ends:
            ends.append(self._finish)
        current.sent[text] += 1
        if current.sent[text] == self.repeats:
            current.where[text] = _caller()
        with self._lock:
            times = self._times.get(text)
            if times is None:
                text = text if len(self._times) < _STATEMENTS else OTHERS
                times = self._times.setdefault(text, Distribution())
            times.add(seconds)
            if failed:
                self._errors[text] += 1
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
        for text, times in done.sent.items():
            if times >= self.repeats:
                where = " ".join(filter(None, (done.name, done.where.get(text)))) or None
                with self._lock:
                    before = self._repeated.get(text)
                    worst = before if before and before.times >= times else Repeated(text, times, 0, where)
                    self._repeated[text] = replace(worst, units=1 + (before.units if before else 0))
                if not before:
                    at = f" ({where})" if where else ""
                    LOG.warning("repeated %d times in one unit of work%s: %s", times, at, text)


def _sent_by_next(
    listener: Callable[..., bool], listeners: Iterable[Callable[..., bool]], call: tuple[Any, ...]
) -> bool:
    """Return whether one of those that listen after *listener* has sent the statement."""
    following = iter(listeners)
    any(one is listener for one in following)
    return any(one(*call) for one in following)


def _timed(text: str, times: Distribution, errors: int) -> Timed:
    p50, p95, p99 = (times.percentile(share) for share in (0.5, 0.95, 0.99))
    return Timed(text, times.count, errors, times.total, p50, p95, p99, times.longest)


def _caller() -> str | None:
    """File and line of the innermost frame that belongs to the application."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in {"asyncio", "schema_kit", "sqlalchemy"}:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def _tracer(trace: bool | None) -> Callable[[str, float, bool], None] | None:
    if trace is False:
        return None
    try:
        from schema_kit.timings.tracing import span
    except ModuleNotFoundError:
        if trace:
            raise
        return None
    return span
