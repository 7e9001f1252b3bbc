"""What people and bots write, in eleven languages.

No text holds a quote, a backslash, a tab or a line break: it goes as it is into COPY and into JSON.
Lists begin with what is common: sentences are made with their first words more often than with their last.
"""

from __future__ import annotations

from functools import cache
from random import Random

from migrations.sample.east_asian import CHINESE, JAPANESE, KOREAN
from migrations.sample.english import ENGLISH
from migrations.sample.european import FRENCH, GERMAN, SPANISH
from migrations.sample.language import Language
from migrations.sample.southeast_asian import INDONESIAN, MALAY, VIETNAMESE
from migrations.sample.thai import THAI
from migrations.sample.topics import SYMBOLS

LANGUAGES = {
    language.code: language
    for language in (
        *(THAI, ENGLISH, JAPANESE, KOREAN, CHINESE, VIETNAMESE),
        *(INDONESIAN, MALAY, SPANISH, FRENCH, GERMAN),
    )
}

SENTENCES = {"asks": 2000, "answers": 1500, "questions": 300, "passages": 400, "chatter": 300}
"""How many sentences of a kind one language has; Thai has three times as many."""


@cache
def sentences(code: str, kind: str) -> tuple[str, ...]:
    """Finished sentences of one kind, the same ones every time."""
    language = LANGUAGES[code]
    rng = Random(f"{code}:{kind}")
    templates: tuple[str, ...] = getattr(language, kind)
    wanted = SENTENCES[kind] * (3 if language is THAI else 1)
    return tuple(_sentence(language, rng.choice(templates), rng) for _ in range(wanted))


def _sentence(language: Language, template: str, rng: Random) -> str:
    return template.format(
        item=_first_ones_first(language.items, rng),
        count=_first_ones_first(language.counts, rng),
        place=_first_ones_first(language.places, rng),
        time=rng.choice(language.times),
        topic=_first_ones_first(language.topics, rng),
        symbol=_first_ones_first(SYMBOLS, rng),
    )


def _first_ones_first(words: tuple[str, ...], rng: Random) -> str:
    return words[int((len(words) + 1) ** rng.random()) - 1]
