"""Sizes as psql prints them."""

from __future__ import annotations

_LAST = "PB"


def pretty(size: int) -> str:
    """Bytes as pg_size_pretty() and psql have them: ``10239 bytes``, ``10 kB``, ``12 MB``; unknown, below 0."""
    if size < 0:
        return "unknown"
    if size < 10 * 1024:
        return f"{size} bytes"
    size >>= 9  # one bit more than is shown, to round by
    for unit in ("kB", "MB", "GB", "TB", _LAST):
        if unit == _LAST or size < 20 * 1024 - 1:
            break
        size >>= 10
    return f"{(size + 1) // 2} {unit}"
