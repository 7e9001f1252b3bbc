"""A span of OpenTelemetry for each statement, below the span that is current."""

from __future__ import annotations

import time

from opentelemetry import trace

from schema_kit.normalized import verb

_TRACER = trace.get_tracer("schema_kit.timings")


def span(statement: str, seconds: float, failed: bool) -> None:
    """Tell of a statement that has just ended, by the names of OpenTelemetry's conventions for databases."""
    end = time.time_ns()
    began, named = end - int(seconds * 1e9), {"db.system.name": "postgresql", "db.query.text": statement}
    one = _TRACER.start_span(verb(statement), kind=trace.SpanKind.CLIENT, start_time=began, attributes=named)
    if failed:
        one.set_status(trace.StatusCode.ERROR)
    one.end(end)
