"""The rows of whatsapp_agent."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from migrations.sample.named import FIRST_NAMES, LAST_NAMES, RESTAURANTS
from migrations.sample.numbers import (
    AI_INTERACTION,
    CUSTOMER,
    NULL,
    RESTAURANT,
    WHATSAPP_MESSAGE,
    ranked,
    uuid_text,
    wheel,
)
from migrations.sample.topics import AI_MODELS
from migrations.sample.wheels import RESTAURANT_LANGUAGES
from migrations.sample.words import sentences
from migrations.sample.world import World


def restaurants(world: World) -> Iterator[str]:
    rng = world.rng("whatsapp_agent.restaurants")
    zones = ("Asia/Bangkok", "Asia/Jakarta", "Europe/Madrid", "America/Mexico_City", "Asia/Kuala_Lumpur")
    for number in range(world.sizes["whatsapp_agent.restaurants"]):
        yield (
            f"{uuid_text(RESTAURANT, number)}\t{rng.choice(RESTAURANTS)} {number + 1}\t"
            f"+6620{number:06d}\t{rng.choice(zones)}\t{'t' if rng.random() < 0.95 else 'f'}\t"
            f"{_first_day(world, rng)}\n"
        )


def _first_day(world: World, rng: Random) -> str:
    return world.clock.text(rng.randrange(86_400), f"{rng.randrange(1_000_000):06d}")


def _restaurant_of(customer: int, restaurants: int) -> int:
    return ranked(customer * 0.6180339887498949 % 1.0, restaurants, even=3.0)


CUSTOMER_STATUS = wheel({"active": 80, "inactive": 10, "vip": 8, "blocked": 2})
SENTIMENTS = ("", "negative", "negative", "neutral", "positive", "positive")


def customers(world: World) -> Iterator[str]:
    rng, text = world.rng("whatsapp_agent.customers"), world.clock.text
    restaurants = world.sizes["whatsapp_agent.restaurants"]
    for number, (second, micros) in enumerate(world.customers.moments(rng)):
        restaurant = uuid_text(RESTAURANT, _restaurant_of(number, restaurants))
        rating = min(5, 1 + ranked(1 - rng.random(), 5, even=1.0)) if rng.random() < 0.45 else 0
        yield (
            f"{uuid_text(CUSTOMER, number)}\tC-{number + 1:07d}\t+668{number * 7919 % 10**8:08d}\t"
            f"{restaurant}\t{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}\t"
            f"{rng.choice(CUSTOMER_STATUS)}\t{rating or NULL}\t{SENTIMENTS[rating] or NULL}\t"
            f"{'t' if rng.random() < 0.05 else 'f'}\t{text(second, micros)}\n"
        )


SENT_STATUS = wheel({"read": 70, "delivered": 22, "sent": 5, "failed": 3})


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
            f"{rng.choice(AI_MODELS)}\t{rng.choice(sentences(code, 'asks'))}\t{response}\t"
            f"{50 + ranked(rng.random(), 2_000)}\t{200 + ranked(rng.random(), 8_000)}\t{text(second, micros)}\n"
        )
