"""The plans that golden files show, by the name of the file."""

from __future__ import annotations

from collections.abc import Callable

from schema_kit.steps import Plan

CASES: dict[str, Callable[[], Plan]] = {}


def case(make: Callable[[], Plan]) -> Callable[[], Plan]:
    assert make.__name__ not in CASES
    CASES[make.__name__] = make
    return make
