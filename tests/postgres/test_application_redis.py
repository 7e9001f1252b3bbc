"""Caches in a real Redis: kept, forgotten, and, while it is down, answered by the database."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from prometheus_client import REGISTRY
from sqlalchemy.orm import Session

from migrations.application import cached
from migrations.application.caches import LIFETIMES, Caches
from schema_kit import timings
from tests.support.application import counting, engine
from tests.support.database import Database
from tests.support.redis import Redis, served

pytestmark = pytest.mark.application

VALUE: dict[str, Any] = {"a": [1, "ไทย", None]}


@pytest.fixture
def cache_server(tmp_path: Path) -> Iterator[Redis]:
    with served(tmp_path) as one:
        yield one


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """With one bot, number 1."""
    database.sql(
        "CREATE SCHEMA telegram_bots",
        "CREATE TABLE telegram_bots.bots (id bigint PRIMARY KEY, name text, username text, persona jsonb, "
        "enabled bool, created_at timestamptz DEFAULT now())",
        "INSERT INTO telegram_bots.bots VALUES (1, 'สมชาย', 'som', '{}', true)",
    )
    with Session(engine(database)) as one:
        yield one


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_entries_are_kept_for_their_lifetimes_and_forgotten_without_a_scan(cache_server: Redis) -> None:
    client: Any = redis.Redis.from_url(cache_server.url)
    hits, misses = (metric("cache_requests_total", cache="answers", result=one) for one in ("hit", "miss"))
    writer, reader = Caches(cache_server.url, timeout=5), Caches(cache_server.url)
    for cache, lifetime in LIFETIMES.items():
        assert writer.get(cache, "k", VALUE.copy, user="u") == VALUE
        assert reader.get(cache, "k", dict, user="u") == VALUE
        (key,) = client.keys(f"{cache}:*")
        assert lifetime - 60 < client.ttl(key) <= lifetime
    assert client.ttl("users:u") == -1
    assert metric("cache_requests_total", cache="answers", result="hit") == hits + 1
    assert metric("cache_requests_total", cache="answers", result="miss") == misses + 1
    before = client.info("commandstats")
    writer.forget("u")
    sent = {name for name, stats in client.info("commandstats").items() if stats != before.get(name)}
    assert sent <= {"cmdstat_del", "cmdstat_info"}, "one command, whatever there is to forget"
    assert [reader.get(cache, "k", lambda: 2, user="u") for cache in LIFETIMES] == [2] * len(LIFETIMES)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_dead_redis_is_answered_for_by_the_database(
    cache_server: Redis, session: Session, how: signal.Signals
) -> None:
    caches, watched = Caches(cache_server.url, timeout=0.1, pause=0.3), timings.watch(session.get_bind(), trace=False)

    def profile() -> Any:
        session.expunge_all()
        return cached.bot_profile(caches, session, 1)

    expected = profile()
    with counting(watched) as sent:
        assert [profile() for _ in range(5)] == [expected] * 5
    assert sent == [0]
    errors = metric("cache_errors_total")
    assert metric("cache_up") == 1
    cache_server.process.send_signal(how)
    with counting(watched) as sent:
        began = time.monotonic()
        assert [profile() for _ in range(20)] == [expected] * 20
        took = time.monotonic() - began
    assert sent == [20]
    assert metric("cache_up") == 0
    raised = metric("cache_errors_total") - errors
    assert 1 <= raised <= 2 + took / 0.3, "not each request waits for it"
    caches.forget("u")
    if how is signal.SIGKILL:
        cache_server.again()
    else:
        cache_server.process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + 20
    while metric("cache_up") == 0:
        assert profile() == expected
        assert time.monotonic() < deadline
    profile()
    with counting(watched) as sent:
        assert profile() == expected
    assert sent == [0]
    watched.close()


def test_what_was_forgotten_while_it_was_down_is_not_seen_again(cache_server: Redis) -> None:
    caches, other = (Caches(cache_server.url, timeout=0.1, pause=0.05) for _ in "ab")
    assert caches.get("answers", "k", lambda: "old", user="u") == "old"
    assert caches.get("answers", "k", lambda: "old", user="v") == "old"
    cache_server.process.send_signal(signal.SIGSTOP)
    caches.forget("u")
    assert caches.get("answers", "k", lambda: "new", user="u") == "new"
    cache_server.process.send_signal(signal.SIGCONT)
    time.sleep(0.06)  # the pause
    assert caches.get("answers", "k", lambda: "newest", user="u") == "newest"
    assert other.get("answers", "k", lambda: "other", user="u") == "newest"
    assert other.get("answers", "k", lambda: "other", user="v") == "old"


def test_values_of_another_version_are_misses(cache_server: Redis) -> None:
    caches = Caches(cache_server.url, timeout=5)
    caches.get("answers", "k", lambda: 1)
    client: Any = redis.Redis.from_url(cache_server.url)
    client.set("answers:k", client.get("answers:k")[:-1] + b"{")
    assert caches.get("answers", "k", lambda: 2) == 2
