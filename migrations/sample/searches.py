"""Texts that are searched for."""

from __future__ import annotations

from migrations.sample.goods import BRANDS, CATEGORIES, QUALIFIERS
from migrations.sample.wheels import CATEGORY_WHEEL

_NTH_OF_CATEGORY = tuple(CATEGORY_WHEEL[:slot].count(name) for slot, name in enumerate(CATEGORY_WHEEL))


def search_slot(number: int) -> int:
    """Where a search stands on the wheel of categories."""
    return number * 7 % len(CATEGORY_WHEEL)


def search_text(number: int) -> str:
    slot = search_slot(number)
    nouns = CATEGORIES[CATEGORY_WHEEL[slot]]
    series, noun = divmod(number // len(CATEGORY_WHEEL) * 8 + _NTH_OF_CATEGORY[slot], len(nouns))
    series, brand = divmod(series, len(BRANDS))
    series, qualifier = divmod(series, len(QUALIFIERS))
    text = f"{BRANDS[brand].lower()} {nouns[noun]} {QUALIFIERS[qualifier]}"
    return f"{text} {series + 1}" if series else text
