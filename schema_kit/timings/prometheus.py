"""What was timed, in Prometheus' words: read when it is scraped, so that a statement pays nothing for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector as Collected

from schema_kit.normalized import verb

if TYPE_CHECKING:
    from schema_kit.timings.watching import Watched

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Collector(Collected):
    """The metrics of a watched engine; labels have few values: the first word of a statement, never its text."""

    def __init__(self, watched: Watched, registry: CollectorRegistry | None = None) -> None:
        self._watched = watched
        (registry or REGISTRY).register(self)

    def collect(self) -> Iterator[Metric]:
        """Read them now."""
        watched = self._watched
        seconds = HistogramMetricFamily("db_query_duration_seconds", "How long statements took.", labels=["operation"])
        for word, times in sorted(watched.by(verb).items()):
            buckets = [(str(bound), float(times.at_most(bound))) for bound in _BOUNDS]
            seconds.add_metric([word], [*buckets, ("+Inf", float(times.count))], times.total)
        yield seconds
        errors = sum(timed.errors for timed in watched.statements())
        yield CounterMetricFamily("db_slow_queries_total", "Calls above the threshold.", value=watched.slow_calls)
        yield CounterMetricFamily("db_query_errors_total", "Statements that failed.", value=errors)
        repeated = len(watched.repeated())
        yield GaugeMetricFamily("db_repeated_queries", "Statements that a unit of work repeats.", value=repeated)
        size = GaugeMetricFamily("db_connection_pool_size", "Connections of the pool, by state.", labels=["state"])
        for state, connections in watched.pool()._asdict().items():
            if connections is not None:
                size.add_metric([state], connections)
        yield size
