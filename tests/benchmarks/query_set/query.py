"""A query that one of the five systems lives on, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Query:
    """One query, and the parameters it is asked with."""

    system: str
    name: str
    target_ms: float | None
    sql: str
    parameters: str | Sequence[Parameters] = ({},)
    """Themselves, or the SQL that takes %(wanted)s of them from the data."""
    concurrent: bool = False
    """Whether many users ask it at once."""
    prepared: bool = False
    """Whether a connection prepares it once, as psycopg does when it is sent for the sixth time."""
