"""How long something took, many times: counts in buckets that grow by five per cent, so percentiles are that close."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

_GROWTH = math.log(1.05)


class Timed(NamedTuple):
    """One statement: calls, failures, seconds in all, percentiles."""

    statement: str
    calls: int
    errors: int
    total: float
    p50: float
    p95: float
    p99: float
    longest: float


class Distribution:
    """Seconds, counted.

    A percentile is the middle of its bucket, so it is off by at most 2.5 per cent. Memory grows with the logarithm of
    the range: 1 microsecond to 1 hour are 450 buckets.
    """

    def __init__(self) -> None:
        self.buckets, self.count, self.total, self.longest = Counter[int](), 0, 0.0, 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.buckets[math.floor(math.log(max(1e-09, seconds)) / _GROWTH)] += 1
        self.count += 1
        self.total += seconds
        if seconds > self.longest:
            self.longest = seconds

    def merge(self, other: Distribution) -> None:
        """Count what another one has counted, too."""
        self.buckets.update(other.buckets)
        self.count, self.total = self.count + other.count, self.total + other.total
        self.longest = max(self.longest, other.longest)

    def percentile(self, share: float) -> float:
        """Seconds that *share* (0 to 1) of all stay within; 0 where nothing was counted.

        Example: `distribution.percentile(0.95)`
        """
        rank, passed = math.ceil(share * self.count), 0
        for bucket in sorted(self.buckets):
            passed += self.buckets[bucket]
            if passed >= rank:
                return min(math.exp((bucket + 0.5) * _GROWTH), self.longest)
        return self.longest

    def at_most(self, seconds: float) -> int:
        """Return how many took at most *seconds*, by whole buckets."""
        return sum(n for bucket, n in self.buckets.items() if math.exp((bucket + 0.5) * _GROWTH) <= seconds)

    def timed(self, statement: str, errors: int) -> Timed:
        """Return what it comes to for a statement."""
        p50, p95, p99 = map(self.percentile, (0.5, 0.95, 0.99))
        return Timed(statement, self.count, errors, self.total, p50, p95, p99, self.longest)
