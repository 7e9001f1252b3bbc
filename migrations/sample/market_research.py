"""The rows of market_research."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from random import Random

from migrations.sample.goods import BRANDS, CATEGORIES, COLOURS
from migrations.sample.numbers import ANALYSIS, NULL, SEARCH, SHOPPER, ranked, uuid_text, wheel
from migrations.sample.searches import search_slot
from migrations.sample.topics import ANALYSIS_TYPES
from migrations.sample.wheels import CATEGORY_WHEEL
from migrations.sample.world import World


def _filters(rng: Random, category: str) -> str:
    parts = [f'"category": "{category}"']
    if rng.random() < 0.5:
        parts.append(f'"brand": "{rng.choice(BRANDS)}"')
    if rng.random() < 0.4:
        parts.append(f'"max_price": {rng.choice((200, 500, 1000, 2000, 5000))}')
    if rng.random() < 0.25:
        parts.append(f'"colour": "{rng.choice(COLOURS)}"')
    if rng.random() < 0.2:
        parts.append('"in_stock": true')
    return f"{{{', '.join(parts)}}}"


def _shoppers(world: World) -> int:
    return max(20, sum(world.sizes.values()) // 200)


def product_searches(world: World) -> Iterator[str]:
    rng, text, searches = world.rng("market_research.product_searches"), world.clock.text, world.searches
    random, choice, shoppers = rng.random, rng.choice, _shoppers(world)
    filters = {category: [_filters(rng, category) for _ in range(300)] for category in CATEGORIES}
    for number, (second, micros) in enumerate(world.moments("market_research.product_searches", day=0)):
        search = ranked(random(), len(searches))
        asked = choice(filters[CATEGORY_WHEEL[search_slot(search)]]) if random() < 0.7 else "{}"
        yield (
            f"{uuid_text(SEARCH, number)}\t{uuid_text(SHOPPER, ranked(random(), shoppers))}\t"
            f"{searches[search]}\t{asked}\t{world.found_per_search}\t"
            f"{text(second, micros)}\t{20 + ranked(random(), 3_000)}\n"
        )


ANALYSIS_STATUS = wheel({"completed": 88, "failed": 6, "running": 3, "pending": 3})


def market_analyses(world: World) -> Iterator[str]:
    rng, text, shoppers = world.rng("market_research.market_analyses"), world.clock.text, _shoppers(world)
    for number, (second, micros) in enumerate(world.moments("market_research.market_analyses", day=0)):
        nouns = rng.sample(CATEGORIES[rng.choice(CATEGORY_WHEEL)], k=2)
        status = rng.choice(ANALYSIS_STATUS)
        took = 5 + ranked(rng.random(), 600)
        done = f"{text(second + took, micros)}\t{took} seconds" if status == "completed" else f"{NULL}\t{NULL}"
        results = f'{{"score": {rng.random():.3f}, "competitors": {rng.randint(0, 40)}}}'
        yield (
            f"{uuid_text(ANALYSIS, number)}\t{uuid_text(SHOPPER, ranked(rng.random(), shoppers))}\t"
            f'["{nouns[0]}", "{nouns[1]}"]\t{rng.choice(ANALYSIS_TYPES)}\t{status}\t'
            f"{results if status == 'completed' else NULL}\t{text(second, micros)}\t{done}\n"
        )


def products(world: World) -> Iterator[str]:
    rng, text = world.rng("market_research.products"), world.clock.text
    for number, (second, micros) in enumerate(world.moments("market_research.products", day=0)):
        category = CATEGORY_WHEEL[number % len(CATEGORY_WHEEL)]
        title = f"{rng.choice(BRANDS)} {rng.choice(CATEGORIES[category])} {rng.choice(COLOURS)}"
        rating = f"{5 - ranked(rng.random(), 40, even=5.0) / 10:.2f}" if rng.random() < 0.9 else NULL
        yield (f"{number + 1}\t{title}\t{rng.lognormvariate(6, 1):.2f}\t{category}\t{rating}\t{text(second, micros)}\n")


def product_categories(world: World) -> Iterator[str]:
    products = world.sizes["market_research.products"]
    half = len(CATEGORY_WHEEL) // 2
    names = tuple(CATEGORIES)
    for number in range(world.sizes["market_research.product_categories"]):
        product = number % products
        category = CATEGORY_WHEEL[product % (2 * half)]
        if number >= products:
            category = names[(names.index(category) + 1) % len(names)]
        yield f"{number + 1}\t{product + 1}\t{category}\n"


def product_search_results(world: World) -> Iterator[str]:
    rng = world.rng("market_research.product_search_results")
    wheel, found = len(CATEGORY_WHEEL), world.found_per_search
    turns = world.sizes["market_research.products"] // wheel
    hashes = [md5(search.encode(), usedforsecurity=False).hexdigest() for search in world.searches]
    for number in range(world.sizes["market_research.product_search_results"]):
        search, place = divmod(number, found)
        product = search_slot(search) + wheel * ((search * 31 + place) % turns)
        relevance = 0.99 - 0.02 * (place + rng.random())
        yield f"{number + 1}\t{product + 1}\t{hashes[search]}\t{relevance:.6f}\n"
