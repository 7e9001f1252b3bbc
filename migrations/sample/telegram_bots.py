"""The rows of telegram_bots."""

from __future__ import annotations

from collections.abc import Iterator

from migrations.sample.named import BOT_NAMES, CHAT_TITLES
from migrations.sample.numbers import NULL, ranked
from migrations.sample.topics import MEMORY_TYPES, STANCE_TOPICS, STANCES, SYMBOLS
from migrations.sample.whatsapp_agent import _first_day
from migrations.sample.wheels import CHAT_LANGUAGES
from migrations.sample.words import sentences
from migrations.sample.world import World


def bots(world: World) -> Iterator[str]:
    rng = world.rng("telegram_bots.bots")
    for number in range(world.sizes["telegram_bots.bots"]):
        persona = f'{{"mood": "{rng.choice(STANCES)}", "language": "{rng.choice(CHAT_LANGUAGES)}"}}'
        yield (
            f"{number + 1}\t{rng.choice(BOT_NAMES)}\tmarket_{number + 1}_bot\t{persona}\t"
            f"{'t' if rng.random() < 0.9 else 'f'}\t{_first_day(world, rng)}\n"
        )


def chats(world: World) -> Iterator[str]:
    rng = world.rng("telegram_bots.chats")
    for number in range(world.sizes["telegram_bots.chats"]):
        yield (
            f"{number + 1}\t{-(1_001_000_000_000 + number * 7919)}\t"
            f"{rng.choice(CHAT_TITLES)} {number + 1}\t{'t' if rng.random() < 0.85 else 'f'}\t"
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
            f"{number + 1}\t{number % bots + 1}\t{STANCE_TOPICS[number // bots]}\t"
            f"{rng.choice(STANCES)}\t{rng.random():.3f}\t{cooldown}\t{text(second, micros)}\n"
        )


def bot_holdings(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.bot_holdings"), world.clock.text
    bots = world.sizes["telegram_bots.bots"]
    for number, (second, micros) in enumerate(world.moments("telegram_bots.bot_holdings")):
        yield (
            f"{number + 1}\t{number % bots + 1}\t{SYMBOLS[number // bots]}\t{rng.random() * 100:.8f}\t"
            f"{rng.random() * 1000:.8f}\t{text(second, micros)}\n"
        )


def bot_memories(world: World) -> Iterator[str]:
    rng, text = world.rng("telegram_bots.bot_memories"), world.clock.text
    bots = world.sizes["telegram_bots.bots"]
    for number, (second, micros) in enumerate(world.moments("telegram_bots.bot_memories")):
        yield (
            f"{number + 1}\t{ranked(rng.random(), bots, even=3.0) + 1}\t{rng.choice(MEMORY_TYPES)}\t"
            f"{rng.choice(sentences('en', 'chatter'))}\t{rng.random():.4f}\t{text(second, micros)}\n"
        )
