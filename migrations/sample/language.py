"""What a language is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """Words and the sentences they are put into."""

    code: str
    items: tuple[str, ...]
    counts: tuple[str, ...]
    places: tuple[str, ...]
    times: tuple[str, ...]
    topics: tuple[str, ...]
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    closings: tuple[str, ...]
    questions: tuple[str, ...]
    passages: tuple[str, ...]
    chatter: tuple[str, ...]
