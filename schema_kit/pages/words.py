"""Figures as people read them: dates, sizes that came or went, lengths of time. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime

from schema_kit.pages.axes import MONTHS
from schema_kit.sizes import pretty


def moment(at: datetime) -> str:
    """``30 Nov 2026, 09:12 UTC``."""
    own = at.astimezone(UTC)
    return f"{day(own)}, {own:%H:%M} UTC"


def day(at: date) -> str:
    """``30 Nov 2026``."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def change(size: float | None) -> str:
    """``+12 MB``, ``−3 MB``, ``0``; a dash where it is not known."""
    if size is None:
        return "–"
    whole = round(size)
    return f"{'+' if whole > 0 else '−'}{pretty(abs(whole))}" if whole else "0"


def size(of: float | None) -> str:
    """``12 MB``; a dash where it is not known."""
    return "–" if of is None else pretty(round(of))


def count(number: int, one: str, several: str = "") -> str:
    """``1 partition``, ``2,000 partitions``."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def milliseconds(length: float) -> str:
    """``0.4 ms``, ``1,234 ms``, ``95 s``."""
    if length >= 10_000:
        return seconds(length / 1000)
    return f"{length:,.0f} ms" if length >= 100 else f"{length:.1f} ms"


def seconds(length: float) -> str:
    """``0.4 s``, ``95 s``, ``12 min``, ``3.5 h``."""
    if length < 120:
        return f"{length:.1f} s" if length < 10 else f"{length:.0f} s"
    return f"{length / 60:,.0f} min" if length < 7200 else f"{length / 3600:,.1f} h"


def cut(text: str, most: int) -> str:
    """Return a text, and an ellipsis for what is longer."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
