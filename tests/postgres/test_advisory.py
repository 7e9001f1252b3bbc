"""Advisory locks: asked for again and again, never queued for, given back whatever happens."""

from __future__ import annotations

from contextlib import suppress

import pytest

from schema_kit.catalog.advisory import OURS, held, take
from schema_kit.catalog.blockers import advisory_holders
from tests.support.database import Database
from tests.support.locks import OF_THIS_DATABASE

pytestmark = [pytest.mark.steps, pytest.mark.majors]

KEYS = [OURS, "hashtext(%(key)s)"]


@pytest.mark.parametrize("number", KEYS)
def test_one_session_at_a_time_has_it_and_is_named(database: Database, number: str) -> None:
    with database.sqlalchemy() as one, database.sqlalchemy() as other:
        with held(one, "k", number=number) as free:
            assert free
            assert not take(other, "k", number)
            assert take(other, "another", number)
            (who,) = advisory_holders(other, "k", number, "the lock")
            assert who.startswith("pid ")
            assert ": the lock" in who
            with held(other, "k", number=number) as second:
                assert not second
            assert not take(other, "k", number), "who did not get it gives nothing back"
        assert take(other, "k", number)


def test_it_is_asked_for_until_it_is_free_or_no_more(database: Database) -> None:
    with database.sqlalchemy() as one, database.sqlalchemy() as other:
        tries: list[int] = []

        def three(attempt: int) -> bool:
            tries.append(attempt)
            return attempt < 3

        with held(one, "k"), held(other, "k", three) as free:
            assert not free
        assert tries == [1, 2, 3]
        assert take(one, "k")
        holder = [one]

        def again(attempt: int) -> bool:
            if holder:
                holder.pop().invalidate()
            return attempt < 10_000  # the server sees within milliseconds that a client is gone

        with held(other, "k", again) as free:
            assert free


@pytest.mark.parametrize("lost", [False, True])
def test_it_is_given_back_where_the_work_fails_or_the_connection_is_lost(database: Database, lost: bool) -> None:
    with database.sqlalchemy() as one, database.sqlalchemy() as other:
        with suppress(KeyError), held(one, "k"):
            if lost:
                holders = f"FROM pg_locks WHERE locktype = 'advisory' AND {OF_THIS_DATABASE}"
                database.sql(f"SELECT pg_terminate_backend(pid, 5000) {holders}")
            raise KeyError
        assert take(other, "k")
