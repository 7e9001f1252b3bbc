"""Languages and categories as often as each system meets them."""

from __future__ import annotations

from migrations.sample.goods import CATEGORIES
from migrations.sample.numbers import wheel

LANGUAGE_WHEEL = wheel(
    {"th": 62, "en": 9, "zh": 5, "ja": 5, "vi": 4, "ko": 3, "id": 3, "ms": 3, "es": 2, "fr": 2, "de": 2}
)
RAG_LANGUAGES = wheel(
    {"en": 8, "th": 5, "ja": 2, "zh": 2, "es": 2, "ko": 1, "vi": 1, "id": 1, "ms": 1, "fr": 1, "de": 1}
)
RESTAURANT_LANGUAGES = wheel({"en": 5, "es": 4, "id": 4, "ms": 2, "th": 2, "fr": 1, "de": 1, "vi": 1})
CHAT_LANGUAGES = wheel({"en": 6, "th": 5, "id": 2, "vi": 1, "zh": 1, "ko": 1, "ja": 1, "es": 1})
CATEGORY_WHEEL = wheel(dict(zip(CATEGORIES, (8, 7, 5, 4, 3, 2, 2, 1), strict=True)))
