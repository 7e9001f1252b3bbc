"""Time what an application asks of its database: percentiles by statement, slow ones, repeated ones, the pool.

    from schema_kit import timings

    watched = timings.watch(engine, slow=0.1)
    ...
    print(watched.report())

Needs nothing but SQLAlchemy; `pip install 'schema-kit[timings]'` brings prometheus_client for `watched.export()`. No
value of a parameter is kept or logged. https://docs.sqlalchemy.org/en/20/core/events.html
"""

from __future__ import annotations

from schema_kit.timings.distribution import Timed
from schema_kit.timings.watching import Pool, Repeated, Slow, Watched, unit, watch

__all__ = ["Pool", "Repeated", "Slow", "Timed", "Watched", "unit", "watch"]
