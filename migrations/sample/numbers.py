"""What follows from a number: a rank, a recent row, a UUID, a word as often as its weight."""

from __future__ import annotations

from migrations.sample.clock import DAY

NULL = r"\N"


def ranked(share: float, count: int, even: float = 20.0) -> int:
    """A number below *count*, as likely as 1 / (number + even), when *share* is uniform in 0..1."""
    return min(int(even * ((count + even) / even) ** share - even), count - 1)


def recent(counts: list[int], second: int, share: float) -> int:
    """One of the rows that came within the last week, the newest more often."""
    hour = second // 3600
    newest = counts[hour]
    return newest - 1 - ranked(share, max(1, newest - counts[max(0, hour - 7 * DAY)]))


def uuid_text(kind: int, number: int) -> str:
    """A version 4 UUID that is this number's alone; *kind* tells tables apart."""
    digits = f"{(number << 4 | kind) * _UUID_FACTOR % (1 << 120):030x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:]}"


_UUID_FACTOR = 0x9E3779B97F4A7C15F39CC0605CEDC5
RESTAURANT, CUSTOMER, WHATSAPP_MESSAGE, AI_INTERACTION, SEARCH, ANALYSIS, SHOPPER, SESSION = range(8)


def wheel(weights: dict[str, int]) -> tuple[str, ...]:
    """Each word as often as its weight."""
    return tuple(word for word, weight in weights.items() for _ in range(weight))
