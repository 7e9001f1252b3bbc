"""Faults that are known and not mended yet: (part of the scenario's name, kind, part of the text) -> which."""

from __future__ import annotations

EXPECTED: dict[tuple[str, str, str], int] = {}
