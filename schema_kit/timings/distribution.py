"""How long something took, many times: counts in buckets that grow by five per cent, so percentiles are that close."""

from __future__ import annotations

import math
from collections import Counter

_GROWTH = math.log(1.05)


class Distribution:
    """Seconds, counted.

    A percentile is the middle of its bucket, so it is off by at most 2.5 per cent. Memory grows with the logarithm of
    the range: 1 microsecond to 1 hour are 450 buckets.
    """

    __slots__ = ("buckets", "count", "longest", "total")

    def __init__(self) -> None:
        self.buckets: Counter[int] = Counter()
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

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
        self.count += other.count
        self.total += other.total
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
