"""The rows of the five systems, as lines for COPY: table by table, parents before children.

A row's parents are known by their number, so nothing of one table is remembered for the next: whose message
it is, which restaurant a customer goes to, all follows from numbers and from one seed per table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import md5
from random import Random

from migrations.sample import words
from migrations.sample.clock import DAY, Clock, Timeline
from migrations.sample.words import sentences

NULL = r"\N"

SHARES = {
    "line_support.users": 0.012,
    "line_support.system_log": 0.02,
    "line_support.webhook_event": 0.16,
    "line_support.document": 0.002,
    "whatsapp_agent.customers": 0.02,
    "whatsapp_agent.whatsapp_messages": 0.16,
    "whatsapp_agent.ai_interactions": 0.03,
    "telegram_bots.messages": 0.16,
    "telegram_bots.bot_memories": 0.005,
    "market_research.product_searches": 0.10,
    "market_research.market_analyses": 0.005,
    "market_research.product_search_results": 0.03,
    "rag_chat.user_sessions": 0.004,
    "rag_chat.conversations": 0.006,
    "rag_chat.messages": 0.04,
    "rag_chat.citations": 0.04,
}
"""How much of the whole each table gets. What nobody gets is line_support.conversation's, about a fifth."""

FEWEST_ROWS = 3_000


def sizes(rows: int) -> dict[str, int]:
    """The rows of each table: *rows* together."""
    if rows < FEWEST_ROWS:
        raise ValueError(f"five systems need {FEWEST_ROWS} rows or more, not {rows}")
    bots = _between(50, rows // 10_000, 200)
    products = max(64, rows // 100)
    found = {
        **{name: max(1, round(rows * share)) for name, share in SHARES.items()},
        "whatsapp_agent.restaurants": _between(4, rows // 20_000, 2_000),
        "telegram_bots.bots": bots,
        "telegram_bots.chats": _between(10, rows // 2_000, 5_000),
        "telegram_bots.settings": 20,
        "telegram_bots.bot_stances": _between(bots, rows // 100, bots * len(words.STANCE_TOPICS)),
        "telegram_bots.bot_holdings": _between(bots, rows // 100, bots * len(words.SYMBOLS)),
        "market_research.products": products,
        "market_research.product_categories": products + products // 2,
    }
    return {**found, "line_support.conversation": rows - sum(found.values())}


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


class World:
    """What the tables know of each other: how many rows there are, and when they came."""

    def __init__(self, rows: int, until: date, months: int = 18, seed: int = 1) -> None:
        if months < 1:
            raise ValueError("the rows need a month or more to lie in")
        self.sizes = sizes(rows)
        self.clock = Clock(until, months)
        self.last_second = self.clock.hours * 3600 - 1
        self._seed = seed

    def rng(self, purpose: str) -> Random:
        return Random(f"{self._seed}:{purpose}")

    def moments(self, table: str, day: int = 1, rows: int | None = None) -> Iterator[tuple[int, str]]:
        """When the rows of a table that nobody refers to came."""
        timeline = Timeline(self.clock, self.sizes[table] if rows is None else rows, day, referred_to=False)
        return timeline.moments(self.rng(f"{table}:moments"))

    def _parents(self, table: str, day: int) -> Timeline:
        return Timeline(self.clock, self.sizes[table], day)

    @cached_property
    def line_users(self) -> Timeline:
        return self._parents("line_support.users", 0)

    @cached_property
    def customers(self) -> Timeline:
        return self._parents("whatsapp_agent.customers", 1)

    @cached_property
    def rag_sessions(self) -> Timeline:
        return self._parents("rag_chat.user_sessions", 0)

    @cached_property
    def rag_conversations(self) -> Timeline:
        return self._parents("rag_chat.conversations", 1)

    @property
    def found_per_search(self) -> int:
        """How many products one search finds."""
        return min(30, self.sizes["market_research.products"] // len(CATEGORY_WHEEL))

    @cached_property
    def searches(self) -> list[str]:
        """Every text that is searched for."""
        results = self.sizes["market_research.product_search_results"]
        return [_search_text(number) for number in range(-(-results // self.found_per_search))]


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


def _wheel(weights: dict[str, int]) -> tuple[str, ...]:
    """Each word as often as its weight."""
    return tuple(word for word, weight in weights.items() for _ in range(weight))


LANGUAGE_WHEEL = _wheel(
    {"th": 62, "en": 9, "zh": 5, "ja": 5, "vi": 4, "ko": 3, "id": 3, "ms": 3, "es": 2, "fr": 2, "de": 2}
)
RAG_LANGUAGES = _wheel(
    {"en": 8, "th": 5, "ja": 2, "zh": 2, "es": 2, "ko": 1, "vi": 1, "id": 1, "ms": 1, "fr": 1, "de": 1}
)
RESTAURANT_LANGUAGES = _wheel({"en": 5, "es": 4, "id": 4, "ms": 2, "th": 2, "fr": 1, "de": 1, "vi": 1})
CHAT_LANGUAGES = _wheel({"en": 6, "th": 5, "id": 2, "vi": 1, "zh": 1, "ko": 1, "ja": 1, "es": 1})
CATEGORY_WHEEL = _wheel(dict(zip(words.CATEGORIES, (8, 7, 5, 4, 3, 2, 2, 1), strict=True)))


# line_support


def line_users(world: World) -> Iterator[str]:
    rng, text = world.rng("line_support.users"), world.clock.text
    for number, (second, micros) in enumerate(world.line_users.moments(rng)):
        name = f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}"
        seen = text(rng.randint(second, world.last_second), micros) if rng.random() < 0.95 else NULL
        yield (
            f"{number + 1}\t{_line_user_id(number)}\t{name}\t{_user_language(number)}\t{text(second, micros)}\t{seen}\n"
        )


def _line_user_id(number: int) -> str:
    return f"U{number * _UUID_FACTOR % (1 << 120):032x}"


def _user_language(number: int) -> str:
    return LANGUAGE_WHEEL[number * 37 % 100]


def conversation(world: World) -> Iterator[str]:
    rng, text, users = world.rng("line_support.conversation"), world.clock.text, world.line_users.counts
    random, choice = rng.random, rng.choice
    rows = world.sizes["line_support.conversation"]
    for number, (second, micros) in enumerate(world.moments("line_support.conversation", rows=(rows + 1) // 2)):
        user = ranked(random(), users[second // 3600])
        code = _user_language(user) if random() < 0.85 else choice(LANGUAGE_WHEEL)
        asks, answers = sentences(code, "asks"), sentences(code, "answers")
        ask = asks[int(random() * len(asks))]
        if random() < 0.3:
            ask += f" {choice(words.LANGUAGES[code].closings)}"
        yield f"{2 * number + 1}\t{user + 1}\tuser\t{ask}\t{code}\t{text(second, micros)}\n"
        if 2 * number + 2 <= rows:
            answer = answers[int(random() * len(answers))]
            if random() < 0.2:
                answer += f" #{int(random() * 900_000) + 100_000}"
            answered = text(min(second + 1 + int(4 * random()), world.last_second), micros)
            yield f"{2 * number + 2}\t{user + 1}\tassistant\t{answer}\t{code}\t{answered}\n"


LOG_LEVELS = _wheel({"INFO": 80, "WARNING": 13, "ERROR": 6, "CRITICAL": 1})
LOG_MESSAGES = {
    "INFO": (
        "webhook batch stored",
        "reply sent",
        "rich menu linked",
        "language detected",
        "document indexed",
    ),
    "WARNING": (
        "reply token near expiry",
        "slow reply from the model",
        "retrying push message",
        "queue is long",
    ),
    "ERROR": (
        "push message refused",
        "model did not answer",
        "signature does not match",
        "document unreadable",
    ),
    "CRITICAL": ("database connection lost", "out of disk space", "message quota used up"),
}


def system_log(world: World) -> Iterator[str]:
    rng, text = world.rng("line_support.system_log"), world.clock.text
    for number, (second, micros) in enumerate(world.moments("line_support.system_log")):
        level = rng.choice(LOG_LEVELS)
        context = f'{{"worker": {rng.randint(1, 8)}, "duration_ms": {ranked(rng.random(), 30_000)}}}'
        if level == "INFO" and rng.random() < 0.5:
            context = NULL
        yield (f"{number + 1}\t{level}\t{rng.choice(LOG_MESSAGES[level])}\t{context}\t{text(second, micros)}\n")


EVENT_TYPES = _wheel({"message": 85, "postback": 7, "follow": 4, "unfollow": 2, "join": 2})


def webhook_event(world: World) -> Iterator[str]:
    rng, text, users = world.rng("line_support.webhook_event"), world.clock.text, world.line_users.counts
    random, choice = rng.random, rng.choice
    yesterday = world.last_second - 86_400
    for number, (second, micros) in enumerate(world.moments("line_support.webhook_event")):
        user = ranked(random(), users[second // 3600])
        kind = choice(EVENT_TYPES)
        said = ""
        if kind == "message":
            asks = sentences(_user_language(user), "asks")
            said = f', "message": {{"id": "{5 * 10**17 + number}", "type": "text", "text": "{choice(asks)}"}}'
        payload = (
            f'{{"type": "{kind}", "mode": "active", "replyToken": "{number * 2654435761 % (1 << 32):08x}", '
            f'"source": {{"type": "user", "userId": "{_line_user_id(user)}"}}{said}}}'
        )
        if random() < (0.2 if second > yesterday else 0.02):
            processed, processed_at = "f", NULL
        else:
            processed, processed_at = (
                "t",
                text(min(second + 1 + int(20 * random()), world.last_second + 60), micros),
            )
        yield f"{number + 1}\t{kind}\t{payload}\t{processed}\t{text(second, micros)}\t{processed_at}\n"


def document(world: World) -> Iterator[str]:
    rng, text, users = world.rng("line_support.document"), world.clock.text, world.line_users.counts
    for number, (second, micros) in enumerate(world.moments("line_support.document")):
        user = ranked(rng.random(), users[second // 3600])
        code = _user_language(user)
        name = f"{rng.choice(words.LANGUAGES[code].topics)} {number + 1}.pdf"
        pages = rng.randint(1, 8)
        extracted = " ".join(rng.choices(sentences(code, "passages"), k=6 * pages))
        yield (
            f"{number + 1}\t{user + 1}\t{name}\t{extracted if rng.random() < 0.97 else NULL}\t"
            f'{{"pages": {pages}, "language": "{code}"}}\t{text(second, micros)}\n'
        )


# whatsapp_agent


def restaurants(world: World) -> Iterator[str]:
    rng = world.rng("whatsapp_agent.restaurants")
    zones = ("Asia/Bangkok", "Asia/Jakarta", "Europe/Madrid", "America/Mexico_City", "Asia/Kuala_Lumpur")
    for number in range(world.sizes["whatsapp_agent.restaurants"]):
        yield (
            f"{uuid_text(RESTAURANT, number)}\t{rng.choice(words.RESTAURANTS)} {number + 1}\t"
            f"+6620{number:06d}\t{rng.choice(zones)}\t{'t' if rng.random() < 0.95 else 'f'}\t"
            f"{_first_day(world, rng)}\n"
        )


def _first_day(world: World, rng: Random) -> str:
    return world.clock.text(rng.randrange(86_400), f"{rng.randrange(1_000_000):06d}")


def _restaurant_of(customer: int, restaurants: int) -> int:
    return ranked(customer * 0.6180339887498949 % 1.0, restaurants, even=3.0)


CUSTOMER_STATUS = _wheel({"active": 80, "inactive": 10, "vip": 8, "blocked": 2})
SENTIMENTS = ("", "negative", "negative", "neutral", "positive", "positive")


def customers(world: World) -> Iterator[str]:
    rng, text = world.rng("whatsapp_agent.customers"), world.clock.text
    restaurants = world.sizes["whatsapp_agent.restaurants"]
    for number, (second, micros) in enumerate(world.customers.moments(rng)):
        restaurant = uuid_text(RESTAURANT, _restaurant_of(number, restaurants))
        rating = min(5, 1 + ranked(1 - rng.random(), 5, even=1.0)) if rng.random() < 0.45 else 0
        yield (
            f"{uuid_text(CUSTOMER, number)}\tC-{number + 1:07d}\t+668{number * 7919 % 10**8:08d}\t"
            f"{restaurant}\t{rng.choice(words.FIRST_NAMES)} {rng.choice(words.LAST_NAMES)}\t"
            f"{rng.choice(CUSTOMER_STATUS)}\t{rating or NULL}\t{SENTIMENTS[rating] or NULL}\t"
            f"{'t' if rng.random() < 0.05 else 'f'}\t{text(second, micros)}\n"
        )


SENT_STATUS = _wheel({"read": 70, "delivered": 22, "sent": 5, "failed": 3})


def whatsapp_messages(world: World) -> Iterator[str]:
    rng, text, customers = (
        world.rng("whatsapp_agent.whatsapp_messages"),
        world.clock.text,
        world.customers.counts,
    )
    random, choice = rng.random, rng.choice
    restaurants = world.sizes["whatsapp_agent.restaurants"]
    moments = world.moments("whatsapp_agent.whatsapp_messages", day=2)
    for number, (second, micros) in enumerate(moments):
        customer = ranked(random(), customers[second // 3600], even=50.0)
        restaurant = _restaurant_of(customer, restaurants)
        code = RESTAURANT_LANGUAGES[customer % len(RESTAURANT_LANGUAGES)]
        if random() < 0.55:
            how, content = "inbound\treceived", choice(sentences(code, "asks"))
        else:
            how, content = f"outbound\t{choice(SENT_STATUS)}", choice(sentences(code, "answers"))
        yield (
            f"{uuid_text(WHATSAPP_MESSAGE, number)}\t{uuid_text(CUSTOMER, customer)}\t"
            f"{uuid_text(RESTAURANT, restaurant)}\t{how}\t{content}\t{text(second, micros)}\n"
        )


def ai_interactions(world: World) -> Iterator[str]:
    rng, text, customers = (
        world.rng("whatsapp_agent.ai_interactions"),
        world.clock.text,
        world.customers.counts,
    )
    for number, (second, micros) in enumerate(world.moments("whatsapp_agent.ai_interactions", day=2)):
        customer = ranked(rng.random(), customers[second // 3600], even=50.0)
        code = RESTAURANT_LANGUAGES[customer % len(RESTAURANT_LANGUAGES)]
        response = rng.choice(sentences(code, "answers")) if rng.random() < 0.97 else NULL
        yield (
            f"{uuid_text(AI_INTERACTION, number)}\t{uuid_text(CUSTOMER, customer)}\t"
            f"{rng.choice(words.AI_MODELS)}\t{rng.choice(sentences(code, 'asks'))}\t{response}\t"
            f"{50 + ranked(rng.random(), 2_000)}\t{200 + ranked(rng.random(), 8_000)}\t{text(second, micros)}\n"
        )


# telegram_bots


def bots(world: World) -> Iterator[str]:
    rng = world.rng("telegram_bots.bots")
    for number in range(world.sizes["telegram_bots.bots"]):
        persona = f'{{"mood": "{rng.choice(words.STANCES)}", "language": "{rng.choice(CHAT_LANGUAGES)}"}}'
        yield (
            f"{number + 1}\t{rng.choice(words.BOT_NAMES)}\tmarket_{number + 1}_bot\t{persona}\t"
            f"{'t' if rng.random() < 0.9 else 'f'}\t{_first_day(world, rng)}\n"
        )


def chats(world: World) -> Iterator[str]:
    rng = world.rng("telegram_bots.chats")
    for number in range(world.sizes["telegram_bots.chats"]):
        yield (
            f"{number + 1}\t{-(1_001_000_000_000 + number * 7919)}\t"
            f"{rng.choice(words.CHAT_TITLES)} {number + 1}\t{'t' if rng.random() < 0.85 else 'f'}\t"
            f"{_first_day(world, rng)}\n"
        )


def settings(world: World) -> Iterator[str]:
    rng = world.rng("telegram_bots.settings")
    for number in range(world.sizes["telegram_bots.settings"]):
        value = f'{{"limit": {rng.randint(1, 100)}}}'
        yield f"{number + 1}\tfeature_{number + 1:02d}\t{value}\t{_first_day(world, rng)}\n"


def telegram_messages(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.messages"), world.clock.text
    random, choice = rng.random, rng.choice
    bots, chats = world.sizes["telegram_bots.bots"], world.sizes["telegram_bots.chats"]
    written = [0] * chats
    for number, (second, micros) in enumerate(world.moments("telegram_bots.messages")):
        chat = ranked(random(), chats, even=5.0)
        bot = ranked(random(), bots, even=3.0) + 1 if random() < 0.65 else NULL
        said = choice(sentences(CHAT_LANGUAGES[chat % len(CHAT_LANGUAGES)], "chatter"))
        written[chat] += 1
        replied = random() < 0.35 and written[chat] - 1 - ranked(random(), written[chat], even=3.0)
        yield (f"{number + 1}\t{bot}\t{chat + 1}\t{written[chat]}\t{replied or NULL}\t{said}\t{text(second, micros)}\n")


def bot_stances(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.bot_stances"), world.clock.text
    bots = world.sizes["telegram_bots.bots"]
    for number, (second, micros) in enumerate(world.moments("telegram_bots.bot_stances")):
        cooldown = text(second + rng.randint(60, 86_400), micros) if rng.random() < 0.3 else NULL
        yield (
            f"{number + 1}\t{number % bots + 1}\t{words.STANCE_TOPICS[number // bots]}\t"
            f"{rng.choice(words.STANCES)}\t{rng.random():.3f}\t{cooldown}\t{text(second, micros)}\n"
        )


def bot_holdings(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.bot_holdings"), world.clock.text
    bots = world.sizes["telegram_bots.bots"]
    for number, (second, micros) in enumerate(world.moments("telegram_bots.bot_holdings")):
        yield (
            f"{number + 1}\t{number % bots + 1}\t{words.SYMBOLS[number // bots]}\t{rng.random() * 100:.8f}\t"
            f"{rng.random() * 1000:.8f}\t{text(second, micros)}\n"
        )


def bot_memories(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.bot_memories"), world.clock.text
    bots = world.sizes["telegram_bots.bots"]
    for number, (second, micros) in enumerate(world.moments("telegram_bots.bot_memories")):
        yield (
            f"{number + 1}\t{ranked(rng.random(), bots, even=3.0) + 1}\t{rng.choice(words.MEMORY_TYPES)}\t"
            f"{rng.choice(sentences('en', 'chatter'))}\t{rng.random():.4f}\t{text(second, micros)}\n"
        )


# market_research

_NTH_OF_CATEGORY = tuple(CATEGORY_WHEEL[:slot].count(name) for slot, name in enumerate(CATEGORY_WHEEL))


def _search_slot(number: int) -> int:
    """Where a search stands on the wheel of categories."""
    return number * 7 % len(CATEGORY_WHEEL)


def _search_text(number: int) -> str:
    slot = _search_slot(number)
    nouns = words.CATEGORIES[CATEGORY_WHEEL[slot]]
    series, noun = divmod(number // len(CATEGORY_WHEEL) * 8 + _NTH_OF_CATEGORY[slot], len(nouns))
    series, brand = divmod(series, len(words.BRANDS))
    series, qualifier = divmod(series, len(words.QUALIFIERS))
    text = f"{words.BRANDS[brand].lower()} {nouns[noun]} {words.QUALIFIERS[qualifier]}"
    return f"{text} {series + 1}" if series else text


def _filters(rng: Random, category: str) -> str:
    parts = [f'"category": "{category}"']
    if rng.random() < 0.5:
        parts.append(f'"brand": "{rng.choice(words.BRANDS)}"')
    if rng.random() < 0.4:
        parts.append(f'"max_price": {rng.choice((200, 500, 1000, 2000, 5000))}')
    if rng.random() < 0.25:
        parts.append(f'"colour": "{rng.choice(words.COLOURS)}"')
    if rng.random() < 0.2:
        parts.append('"in_stock": true')
    return f"{{{', '.join(parts)}}}"


def _shoppers(world: World) -> int:
    return max(20, sum(world.sizes.values()) // 200)


def product_searches(world: World) -> Iterator[str]:
    rng, text, searches = world.rng("market_research.product_searches"), world.clock.text, world.searches
    random, choice, shoppers = rng.random, rng.choice, _shoppers(world)
    filters = {category: [_filters(rng, category) for _ in range(300)] for category in words.CATEGORIES}
    for number, (second, micros) in enumerate(world.moments("market_research.product_searches", day=0)):
        search = ranked(random(), len(searches))
        asked = choice(filters[CATEGORY_WHEEL[_search_slot(search)]]) if random() < 0.7 else "{}"
        yield (
            f"{uuid_text(SEARCH, number)}\t{uuid_text(SHOPPER, ranked(random(), shoppers))}\t"
            f"{searches[search]}\t{asked}\t{world.found_per_search}\t"
            f"{text(second, micros)}\t{20 + ranked(random(), 3_000)}\n"
        )


ANALYSIS_STATUS = _wheel({"completed": 88, "failed": 6, "running": 3, "pending": 3})


def market_analyses(world: World) -> Iterator[str]:
    rng, text, shoppers = world.rng("market_research.market_analyses"), world.clock.text, _shoppers(world)
    for number, (second, micros) in enumerate(world.moments("market_research.market_analyses", day=0)):
        nouns = rng.sample(words.CATEGORIES[rng.choice(CATEGORY_WHEEL)], k=2)
        status = rng.choice(ANALYSIS_STATUS)
        took = 5 + ranked(rng.random(), 600)
        done = f"{text(second + took, micros)}\t{took} seconds" if status == "completed" else f"{NULL}\t{NULL}"
        results = f'{{"score": {rng.random():.3f}, "competitors": {rng.randint(0, 40)}}}'
        yield (
            f"{uuid_text(ANALYSIS, number)}\t{uuid_text(SHOPPER, ranked(rng.random(), shoppers))}\t"
            f'["{nouns[0]}", "{nouns[1]}"]\t{rng.choice(words.ANALYSIS_TYPES)}\t{status}\t'
            f"{results if status == 'completed' else NULL}\t{text(second, micros)}\t{done}\n"
        )


def products(world: World) -> Iterator[str]:
    rng, text = world.rng("market_research.products"), world.clock.text
    for number, (second, micros) in enumerate(world.moments("market_research.products", day=0)):
        category = CATEGORY_WHEEL[number % len(CATEGORY_WHEEL)]
        title = f"{rng.choice(words.BRANDS)} {rng.choice(words.CATEGORIES[category])} {rng.choice(words.COLOURS)}"
        rating = f"{5 - ranked(rng.random(), 40, even=5.0) / 10:.2f}" if rng.random() < 0.9 else NULL
        yield (f"{number + 1}\t{title}\t{rng.lognormvariate(6, 1):.2f}\t{category}\t{rating}\t{text(second, micros)}\n")


def product_categories(world: World) -> Iterator[str]:
    products = world.sizes["market_research.products"]
    half = len(CATEGORY_WHEEL) // 2
    names = tuple(words.CATEGORIES)
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
        product = _search_slot(search) + wheel * ((search * 31 + place) % turns)
        relevance = 0.99 - 0.02 * (place + rng.random())
        yield f"{number + 1}\t{product + 1}\t{hashes[search]}\t{relevance:.6f}\n"


# rag_chat: a session lives 60 days, a conversation 30, a message 14; each begins in its parent's first week


def rag_sessions(world: World) -> Iterator[str]:
    rng, text = world.rng("rag_chat.user_sessions"), world.clock.text
    readers = max(20, world.sizes["rag_chat.user_sessions"] // 3)
    for number, (second, micros) in enumerate(world.rag_sessions.moments(rng)):
        yield (
            f"{number + 1}\t{uuid_text(SESSION, number)}\treader-{ranked(rng.random(), readers) + 1}\t"
            f"{text(second, micros)}\t{text(second + 60 * 86_400, micros)}\n"
        )


def rag_conversations(world: World) -> Iterator[str]:
    rng, text, sessions = world.rng("rag_chat.conversations"), world.clock.text, world.rag_sessions.counts
    for number, (second, micros) in enumerate(world.rag_conversations.moments(rng)):
        title = rng.choice(sentences(rng.choice(RAG_LANGUAGES), "questions")) if rng.random() < 0.9 else NULL
        yield (
            f"{number + 1}\t{recent(sessions, second, rng.random()) + 1}\t{title}\t"
            f"{text(second, micros)}\t{text(second + 30 * 86_400, micros)}\n"
        )


def _rag_questions(world: World) -> Iterator[tuple[int, str]]:
    """When each question was asked; its answer came soon after."""
    return world.moments("rag_chat.messages", day=2, rows=(world.sizes["rag_chat.messages"] + 1) // 2)


def _rag_answered(world: World, second: int) -> int:
    return min(second + 2 + second % 17, world.last_second)


def rag_messages(world: World) -> Iterator[str]:
    rng, text, conversations = (
        world.rng("rag_chat.messages"),
        world.clock.text,
        world.rag_conversations.counts,
    )
    rows = world.sizes["rag_chat.messages"]
    for number, (asked, micros) in enumerate(_rag_questions(world)):
        conversation = recent(conversations, asked, rng.random()) + 1
        code = RAG_LANGUAGES[conversation % len(RAG_LANGUAGES)]
        question, passages = rng.choice(sentences(code, "questions")), sentences(code, "passages")
        answer = " ".join(rng.choices(passages, k=rng.randint(1, 3)))
        answered = _rag_answered(world, asked)
        turns = ((asked, "user", question), (answered, "assistant", answer))
        for key, (second, role, content) in enumerate(turns, start=2 * number + 1):
            if key <= rows:
                expires = text(second + 14 * 86_400, micros)
                yield f"{key}\t{conversation}\t{role}\t{content}\t{text(second, micros)}\t{expires}\n"


def citations(world: World) -> Iterator[str]:
    rng, text = world.rng("rag_chat.citations"), world.clock.text
    rows, answers = world.sizes["rag_chat.citations"], world.sizes["rag_chat.messages"] // 2
    number = 0
    for answer, (asked, micros) in zip(range(1, answers + 1), _rag_questions(world), strict=False):
        due = rows * answer // answers - number
        for _ in range(due if answer == answers else rng.randint(0, min(max(0, 2 * due), rows - number))):
            number += 1
            code = rng.choice(RAG_LANGUAGES)
            yield (
                f"{number}\t{2 * answer}\t{rng.choice(words.LANGUAGES[code].topics)}.pdf\t"
                f"{rng.randint(1, 80)}\t{rng.choice(sentences(code, 'passages'))}\t{rng.random():.4f}\t"
                f"{text(_rag_answered(world, asked), micros)}\n"
            )


@dataclass(frozen=True)
class Table:
    """Where lines go."""

    name: str
    columns: str
    lines: Callable[[World], Iterator[str]]
    trusted: bool = True
    """Whether the rows need none of the table's triggers. The last one does: its trigger fills a column."""

    def blocks(self, world: World, size: int = 1 << 16) -> Iterator[tuple[int, bytes]]:
        """The lines in blocks of about *size* characters, each with the number of its lines."""
        block: list[str] = []
        length = 0
        for line in self.lines(world):
            block.append(line)
            length += len(line)
            if length >= size:
                yield len(block), "".join(block).encode()
                block, length = [], 0
        if block:
            yield len(block), "".join(block).encode()


TABLES = (
    Table("line_support.users", "id, line_user_id, display_name, language, created_at, last_seen_at", line_users),
    Table("line_support.conversation", "id, user_id, role, message, language, created_at", conversation),
    Table("line_support.system_log", "id, level, message, context, created_at", system_log),
    Table(
        "line_support.webhook_event",
        "id, event_type, payload, processed, received_at, processed_at",
        webhook_event,
    ),
    Table("line_support.document", "id, user_id, filename, extracted_text, metadata, created_at", document),
    Table("whatsapp_agent.restaurants", "id, name, phone_number, timezone, is_active, created_at", restaurants),
    Table(
        "whatsapp_agent.customers",
        "id, customer_number, phone_number, restaurant_id, name, status, rating, feedback_sentiment,"
        " is_deleted, created_at",
        customers,
    ),
    Table(
        "whatsapp_agent.whatsapp_messages",
        "id, customer_id, restaurant_id, direction, status, content, created_at",
        whatsapp_messages,
    ),
    Table(
        "whatsapp_agent.ai_interactions",
        "id, customer_id, model, prompt, response, tokens_used, latency_ms, created_at",
        ai_interactions,
    ),
    Table("telegram_bots.bots", "id, name, username, persona, enabled, created_at", bots),
    Table("telegram_bots.chats", "id, telegram_chat_id, title, enabled, created_at", chats),
    Table("telegram_bots.settings", "id, key, value, updated_at", settings),
    Table(
        "telegram_bots.messages",
        "id, bot_id, chat_db_id, telegram_message_id, reply_to_message_id, text, created_at",
        telegram_messages,
    ),
    Table(
        "telegram_bots.bot_stances",
        "id, bot_id, topic, stance, confidence, cooldown_until, updated_at",
        bot_stances,
    ),
    Table("telegram_bots.bot_holdings", "id, bot_id, symbol, quantity, average_price, updated_at", bot_holdings),
    Table(
        "telegram_bots.bot_memories",
        "id, bot_id, memory_type, content, relevance_score, created_at",
        bot_memories,
    ),
    Table(
        "market_research.product_searches",
        "id, user_id, query, filters, results_count, search_timestamp, processing_time_ms",
        product_searches,
    ),
    Table(
        "market_research.market_analyses",
        "id, user_id, product_keywords, analysis_type, status, results, created_at, completed_at, processing_duration",
        market_analyses,
    ),
    Table("market_research.products", "id, title, price, category, review_rating, created_at", products),
    Table("market_research.product_categories", "id, product_id, category", product_categories),
    Table(
        "market_research.product_search_results",
        "id, product_id, search_query_hash, relevance_score",
        product_search_results,
    ),
    Table("rag_chat.user_sessions", "id, session_id, user_id, created_at, expires_at", rag_sessions),
    Table("rag_chat.conversations", "id, user_session_id, title, created_at, expires_at", rag_conversations),
    Table("rag_chat.messages", 'id, conversation_id, role, content, "timestamp", expires_at', rag_messages),
    Table(
        "rag_chat.citations",
        "id, message_id, document_name, page_number, excerpt, relevance_score, created_at",
        citations,
        trusted=False,
    ),
)
