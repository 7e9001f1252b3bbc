"""Percentiles, and what a statement is called."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from schema_kit import timings
from schema_kit.errors import DeclarationError
from schema_kit.normalized import normalized, verb
from schema_kit.timings.distribution import Distribution

pytestmark = pytest.mark.application

SECONDS = st.floats(min_value=1e-6, max_value=1e4, allow_nan=False)


@given(st.lists(SECONDS, min_size=1, max_size=300), st.sampled_from([0.01, 0.25, 0.5, 0.95, 0.99, 1.0]))
def test_percentiles_are_within_five_per_cent(times: list[float], share: float) -> None:
    distribution = Distribution()
    for seconds in times:
        distribution.add(seconds)
    exact = sorted(times)[max(0, -(-int(share * 100) * len(times) // 100) - 1)]
    assert distribution.percentile(share) == pytest.approx(exact, rel=0.05)
    assert distribution.count == len(times)
    assert distribution.total == pytest.approx(sum(times))


@given(st.lists(SECONDS), st.lists(SECONDS))
def test_two_together_are_one(some: list[float], others: list[float]) -> None:
    first, second, whole = Distribution(), Distribution(), Distribution()
    for seconds in some:
        first.add(seconds)
        whole.add(seconds)
    for seconds in others:
        second.add(seconds)
        whole.add(seconds)
    first.merge(second)
    assert (first.buckets, first.count, first.longest) == (whole.buckets, whole.count, whole.longest)


def test_nothing_and_no_time_at_all() -> None:
    distribution = Distribution()
    assert distribution.percentile(0.5) == 0
    distribution.add(0.0)
    assert distribution.percentile(0.5) == 0


def test_a_long_tail() -> None:
    distribution = Distribution()
    times = [0.001] * 94 + [0.2] * 5 + [9.0]
    for seconds in times:
        distribution.add(seconds)
    assert distribution.percentile(0.5) == pytest.approx(statistics.median(times), rel=0.05)
    assert distribution.percentile(0.99) == pytest.approx(0.2, rel=0.05)
    assert distribution.at_most(0.1) == 94
    assert distribution.longest == 9


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT *\n  FROM t\tWHERE id = 12", "SELECT * FROM t WHERE id = ?"),
        ("SELECT 1.5e3, 'it''s', E'a\\'b', $tag$ 'x' $tag$", "SELECT ?, ?, ?, ?"),
        ('SELECT "col 1", t2.c3 FROM t2', 'SELECT "col 1", t2.c3 FROM t2'),
        ("SELECT %(a)s::INTEGER, %s, $1, :b FROM t", "SELECT ?::INTEGER, ?, ?, ? FROM t"),
        ("SELECT x FROM t WHERE id IN (1, 2, 3)", "SELECT x FROM t WHERE id IN (?+)"),
        ("SELECT x FROM t WHERE id IN (%(id_1)s, %(id_2)s)", "SELECT x FROM t WHERE id IN (?+)"),
        ("SELECT x FROM t WHERE id IN ($1::INTEGER, $2::INTEGER)", "SELECT x FROM t WHERE id IN (?+)"),
        ("INSERT INTO t (a, b) VALUES (1, 2), (3, 4), (5, 6)", "INSERT INTO t (a, b) VALUES (?+)"),
        ("INSERT INTO t (a) VALUES (%s), (%s)", "INSERT INTO t (a) VALUES (?)"),
        ("SELECT 1 -- user 42\n/* request 7 */ FROM t", "SELECT ? FROM t"),
        ("SELECT '-- no comment' /* 'no text' */", "SELECT ?"),
        ("SELECT a::text[], b FROM t", "SELECT a::text[], b FROM t"),
    ],
)
def test_what_a_statement_is_called(statement: str, name: str) -> None:
    assert normalized(statement) == name
    assert normalized(name) == name


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("select 1", "SELECT"),
        ("(SELECT ?) UNION", "SELECT"),
        ("WITH a AS (?)", "WITH"),
        ("VACUUM t", "OTHER"),
        ("", "OTHER"),
    ],
)
def test_the_label_has_few_values(statement: str, word: str) -> None:
    assert verb(statement) == word


def test_others_who_listen_to_the_dialect_see_each_statement_and_may_send_it() -> None:
    engine, seen = sa.create_engine("sqlite://"), list[str]()

    def send(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        seen.append(statement)
        if statement == "SELECT 1":
            cursor.execute("SELECT 2", parameters)
        return statement == "SELECT 1"

    watched, again = timings.watch(engine), timings.watch(engine)
    sa.event.listen(engine, "do_execute", send)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 2
        assert connection.scalar(sa.text("SELECT 3")) == 3
    assert seen == ["SELECT 1", "SELECT 3"]
    for one in (watched, again):
        assert [(timed.statement, timed.calls) for timed in one.statements()] == [("SELECT ?", 2)]


def test_an_engine_with_options_is_watched_without_the_one_that_it_comes_from() -> None:
    engine = sa.create_engine("sqlite://")
    derived = engine.execution_options(logging_token="derived")  # noqa: S106 - no secret
    ours, of_all = timings.watch(derived), timings.watch(engine)
    for one in (engine, derived, derived):
        with one.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    assert [timed.calls for timed in ours.statements()] == [2]
    assert [timed.calls for timed in of_all.statements()] == [3]


@pytest.mark.parametrize("words", [{"slow": -1}, {"slow": "fast"}, {"slow": None}, {"repeats": 1}, {"repeats": "x"}])
def test_thresholds_that_are_none_are_refused_before_a_statement_is_sent(words: dict[str, Any]) -> None:
    engine = sa.create_engine("postgresql+psycopg://")
    with pytest.raises(DeclarationError, match=next(iter(words))):
        timings.watch(engine, **words)
