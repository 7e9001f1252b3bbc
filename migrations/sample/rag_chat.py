"""The rows of rag_chat."""

from __future__ import annotations

from collections.abc import Iterator

from migrations.sample import words
from migrations.sample.numbers import NULL, SESSION, ranked, recent, uuid_text
from migrations.sample.wheels import RAG_LANGUAGES
from migrations.sample.words import sentences
from migrations.sample.world import World


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
