"""The systems' own side without a server: presets of pools, keys and lifetimes of caches."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations.application import cached, pools
from migrations.application.caches import LIFETIMES, Caches

pytestmark = pytest.mark.application

SESSION = uuid.UUID("00000000-0000-4000-8000-000000000001")


def test_presets_are_what_the_systems_ask_for() -> None:
    assert pools.engine("postgresql+psycopg://", "production").pool.size() == 20  # type: ignore[attr-defined]
    assert [(one.size, one.overflow, one.timeout, one.recycle, one.pre_ping) for one in pools.PRESETS.values()] == [
        (20, 30, 30, 3600, False),
        (5, 10, 10, 1800, False),
        (10, 20, 30, 3600, True),
    ]


def test_a_fleet_of_two_hundred_has_productions_pool() -> None:
    assert pools.for_fleet(200) == pools.PRODUCTION
    assert pools.for_fleet(50).size == pools.DEVELOPMENT.size
    with pytest.raises(ValueError, match="0 bots"):
        pools.for_fleet(0)


@given(st.integers(1, 2000), st.integers(1, 60), st.integers(1, 500))
def test_processes_together_stay_within_the_server(bots: int, processes: int, connections: int) -> None:
    preset = pools.for_fleet(bots)
    if processes > connections:
        with pytest.raises(ValueError, match="PgBouncer"):
            pools.shared(preset, processes, connections=connections)
        return
    shared = pools.shared(preset, processes, connections=connections)
    assert 1 <= shared.size <= preset.size
    assert 0 <= shared.overflow <= preset.overflow
    assert shared.most * processes <= max(connections, preset.most * processes if shared == preset else 0)
    assert shared == preset or shared.most == connections // processes


def test_lifetimes_are_what_the_systems_ask_for() -> None:
    assert LIFETIMES == {"products": 3600, "analyses": 7200, "answers": 3600, "embeddings": 86_400, "profiles": 300}
    assert {name: region.expiration_time for name, region in Caches().regions.items()} == LIFETIMES


def test_an_answer_is_kept_under_the_md5_of_question_and_session() -> None:
    caches, asked = Caches(), list[str]()

    def ask() -> str:
        asked.append("?")
        return "because"

    assert [cached.answer(caches, "u", "why?", SESSION, ask) for _ in "abc"] == ["because"] * 3
    assert cached.answer(caches, "u", "why?", uuid.uuid4(), ask) == "because"
    assert len(asked) == 2
    (key, other) = caches.regions["answers"].backend._cache
    assert key.endswith(hashlib.md5(f"why?{SESSION}".encode()).hexdigest())  # noqa: S324
    assert key != other
    assert caches.hit_ratio("answers") == 0.5
    assert caches.hit_ratio("profiles") is None


def test_each_cache_forgets_a_users_entries_and_no_others() -> None:
    caches, made = Caches(), Counter[tuple[str, str | None]]()

    def get(cache: str, user: str | None) -> Any:
        return caches.get(cache, "key", lambda: made.update([(cache, user)]), user=user)

    users = ("a", "b", None)
    for _ in range(2):
        for cache in LIFETIMES:
            for user in users:
                get(cache, user)
    assert set(made.values()) == {1}
    caches.forget("a")
    for cache in LIFETIMES:
        for user in users:
            get(cache, user)
    assert made == {(cache, user): 2 if user == "a" else 1 for cache in LIFETIMES for user in users}


def test_what_is_older_than_its_lifetime_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = Caches()
    for cache, lifetime in LIFETIMES.items():
        assert caches.get(cache, "k", lambda: 1) == 1
        now = time.time()
        for later, value in ((lifetime - 5, 1), (lifetime + 5, 2)):
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda at=now + later: at)
                assert caches.get(cache, "k", lambda: 2) == value


def test_what_a_creator_raises_is_raised_and_not_kept() -> None:
    caches = Caches()
    with pytest.raises(ZeroDivisionError):
        caches.get("answers", "k", lambda: 1 // 0)
    assert caches.get("answers", "k", lambda: 2) == 2


def test_of_threads_that_miss_at_once_one_creates() -> None:
    caches, made = Caches(), list[int]()

    def slow() -> int:
        made.append(1)
        time.sleep(0.05)
        return 7

    threads = [threading.Thread(target=caches.get, args=("embeddings", "k", slow)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_embeddings_of_two_models_are_two() -> None:
    caches = Caches()
    assert cached.embedding(caches, "text", "small", lambda: [1.0]) == [1.0]
    assert cached.embedding(caches, "text", "large", lambda: [2.0]) == [2.0]
    assert cached.embedding(caches, "text", "small", lambda: [3.0]) == [1.0]
