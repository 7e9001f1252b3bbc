"""The rows of line_support."""

from __future__ import annotations

from collections.abc import Iterator

from migrations.sample import words
from migrations.sample.named import FIRST_NAMES, LAST_NAMES
from migrations.sample.numbers import _UUID_FACTOR, NULL, ranked, wheel
from migrations.sample.wheels import LANGUAGE_WHEEL
from migrations.sample.words import sentences
from migrations.sample.world import World


def line_users(world: World) -> Iterator[str]:
    rng, text = world.rng("line_support.users"), world.clock.text
    for number, (second, micros) in enumerate(world.line_users.moments(rng)):
        name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
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


LOG_LEVELS = wheel({"INFO": 80, "WARNING": 13, "ERROR": 6, "CRITICAL": 1})
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


EVENT_TYPES = wheel({"message": 85, "postback": 7, "follow": 4, "unfollow": 2, "join": 2})


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
