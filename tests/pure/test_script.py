"""What is sent around a step: BEGIN, COMMIT, and a limit to every wait that others could notice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.errors import DeclarationError
from schema_kit.fingerprints.stamps import compare_sql
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy, lock_statement, parse_milliseconds, render, render_shared, write
from schema_kit.steps import Lock, LockMode, Plan, Step, Transaction
from schema_kit.steps.step import Seen

pytestmark = pytest.mark.steps

A, B, V = QualifiedName("public", "a"), QualifiedName("public", "b"), QualifiedName("public", "v")
STRONG = [mode for mode in LockMode if mode.blocks_writes]
WEAK = [mode for mode in LockMode if not mode.blocks_writes]
VIEW = Lock(LockMode.ACCESS_EXCLUSIVE, V, 'ALTER VIEW "public"."v" OWNER TO "me"')

modes = st.sampled_from(list(LockMode))
locks = st.lists(st.one_of(st.builds(Lock, modes, st.sampled_from([A, B])), st.just(VIEW)), max_size=4, unique=True)
policies = st.builds(
    LockPolicy,
    first=st.integers(1, 10_000),
    longest=st.integers(1, 100_000),
    attempts=st.integers(1, 100),
    statement_timeout=st.integers(0, 100_000),
)


@dataclass(frozen=True)
class Own(Step):
    """A step of a test."""

    taken: tuple[Lock, ...] = ()

    @property
    def summary(self) -> str:
        return "do it"

    @property
    def locks(self) -> tuple[Lock, ...]:
        return self.taken

    def sql(self) -> tuple[str, ...]:
        return ("THE WORK", "MORE WORK")


@dataclass(frozen=True)
class Outside(Own):
    transaction: ClassVar[Transaction] = Transaction.NONE


@dataclass(frozen=True)
class Shared(Own):
    transaction: ClassVar[Transaction] = Transaction.SHARED


@dataclass(frozen=True)
class Slow(Own):
    may_block: ClassVar[bool] = True


@dataclass(frozen=True)
class Again(Own):
    repeats: ClassVar[bool] = True


@dataclass(frozen=True)
class Relying(Own):
    fresh: ClassVar[bool] = True

    @property
    def relies_on(self) -> tuple[Seen, ...]:
        return (Seen(A, "12345"),)


def locked(*taken: Lock) -> Own:
    return Own(taken)


@given(policies)
def test_a_budget_never_shrinks_and_never_passes_the_longest(policy: LockPolicy) -> None:
    budgets = [policy.budget(attempt) for attempt in range(120)]
    assert all(one <= other for one, other in pairwise(budgets))
    assert max(budgets) == policy.longest or policy.first * 2**20 < policy.longest
    assert budgets[0] == min(policy.first, policy.longest)
    assert all(budget >= 1 for budget in budgets)


def test_the_budget_doubles_each_second_try() -> None:
    found = [LockPolicy().budget(attempt) for attempt in range(15)]
    assert found == [100, 100, 200, 200, 400, 400, 800, 800, 1600, 1600, 3200, 3200, 5000, 5000, 5000]
    assert LockPolicy().budget(10_000) == 5000


@given(policies, locks, st.one_of(st.none(), st.integers(1, 9999)))
def test_a_step_outside_of_transactions_has_no_begin_and_no_timeout(
    policy: LockPolicy, taken: list[Lock], budget: int | None
) -> None:
    assert render(Outside(tuple(taken)), policy, budget) == (
        "SET lock_timeout = 0",
        "SET statement_timeout = 0",
        "THE WORK",
        "MORE WORK",
        "RESET lock_timeout",
        "RESET statement_timeout",
    )


@pytest.mark.parametrize("kind", [Own, Shared, Slow, Again])
@given(policy=policies, taken=locks, budget=st.one_of(st.none(), st.integers(1, 9999)))
def test_any_other_step_is_one_transaction_with_a_limit_before_whatever_locks(
    kind: type[Own], policy: LockPolicy, taken: list[Lock], budget: int | None
) -> None:
    lines = render(kind(tuple(taken)), policy, budget)
    wait = policy.longest if budget is None else budget
    assert lines[:2] == ("BEGIN", f"SET LOCAL lock_timeout = '{wait}ms'")
    assert lines[-3:] == ("THE WORK", "MORE WORK", "COMMIT")
    assert not [line for line in lines if line.startswith("SET ") and not line.startswith("SET LOCAL ")]
    assert [line for line in lines if line in ("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]


@given(policies, locks, st.integers(1, 9999))
def test_several_strong_locks_are_taken_in_one_statement_within_the_budget(
    policy: LockPolicy, taken: list[Lock], budget: int
) -> None:
    strong = [lock for lock in taken if lock.mode.blocks_writes]
    lines = render(Own(tuple(taken)), policy, budget)
    silence = (f"SET LOCAL idle_in_transaction_session_timeout = '{max(policy.longest, 1000)}ms'",) if strong else ()
    before = lines[2:-3]
    assert before[: len(silence)] == silence
    before = before[len(silence) :]
    limit = policy.statement_timeout if strong else 0
    limits = (f"SET LOCAL statement_timeout = '{limit}ms'", *((whole(limit),) if limit else ()))
    if len(strong) < 2:
        assert before == limits
        return
    assert before[0] == f"SET LOCAL statement_timeout = '{budget}ms'"
    assert before[1] == lock_statement(Own(tuple(taken)))
    assert before[2:] == limits
    for lock in strong:
        assert lock.table.sql in before[1]
        assert lock.acquire in before[1]
    assert len(re.findall(r"LOCK TABLE|ALTER VIEW|, ONLY", before[1])) == len(strong)


def whole(limit: int) -> str:
    """What limits all statements together, from 17 on."""
    name = "'transaction_timeout'"
    there = f"pg_catalog.current_setting({name}, true) IS NOT NULL"
    return f"SELECT pg_catalog.set_config({name}, '{limit}ms', true) WHERE {there}"


LATE = "EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END'"


@pytest.mark.parametrize("mode", STRONG)
def test_tables_in_one_mode_are_locked_by_one_lock_table(mode: LockMode) -> None:
    step = locked(Lock(mode, A), Lock(mode, B))
    taken = f'LOCK TABLE ONLY "public"."a", ONLY "public"."b" IN {mode.value} MODE'
    assert lock_statement(step) == f"DO 'BEGIN {taken}; {LATE}"


def test_modes_that_differ_are_taken_in_order_by_one_block() -> None:
    step = locked(Lock(LockMode.SHARE_ROW_EXCLUSIVE, A), Lock(LockMode.ACCESS_EXCLUSIVE, B))
    assert lock_statement(step) == (
        'DO \'BEGIN LOCK TABLE ONLY "public"."a" IN SHARE ROW EXCLUSIVE MODE; '
        'LOCK TABLE ONLY "public"."b" IN ACCESS EXCLUSIVE MODE; ' + LATE
    )


def test_a_view_is_locked_by_its_own_statement_and_not_by_lock_table() -> None:
    step = locked(VIEW, Lock(LockMode.ACCESS_EXCLUSIVE, A))
    assert lock_statement(step) == (
        'DO \'BEGIN ALTER VIEW "public"."v" OWNER TO "me"; LOCK TABLE ONLY "public"."a" IN ACCESS EXCLUSIVE MODE; '
        + LATE
    )


def test_quotes_in_names_survive_the_block() -> None:
    table = QualifiedName("o'schema", "ta\\ble")
    step = locked(Lock(LockMode.SHARE, table), Lock(LockMode.EXCLUSIVE, A))
    assert lock_statement(step) == (
        'DO E\'BEGIN LOCK TABLE ONLY "o\'\'schema"."ta\\\\ble" IN SHARE MODE; '
        'LOCK TABLE ONLY "public"."a" IN EXCLUSIVE MODE; ' + LATE
    )


@pytest.mark.parametrize("mode", WEAK)
def test_a_lock_that_stops_no_writer_needs_no_statement_of_its_own(mode: LockMode) -> None:
    step = locked(Lock(mode, A), Lock(mode, B), Lock(LockMode.SHARE, A))
    assert lock_statement(step) == ""
    assert "SET LOCAL statement_timeout = '30000ms'" in render(step, LockPolicy())
    assert "SET LOCAL statement_timeout = '0ms'" in render(locked(Lock(mode, A)), LockPolicy())


def test_a_step_that_may_block_works_as_long_as_it_takes_but_waits_no_longer_than_its_budget() -> None:
    taken = (Lock(LockMode.ACCESS_EXCLUSIVE, A), Lock(LockMode.ACCESS_EXCLUSIVE, B))
    assert render(Slow(taken), LockPolicy(), 250)[1:-3] == (
        "SET LOCAL lock_timeout = '250ms'",
        "SET LOCAL idle_in_transaction_session_timeout = '5000ms'",
        "SET LOCAL statement_timeout = '250ms'",
        lock_statement(Slow(taken)),
        "SET LOCAL statement_timeout = '0ms'",
    )


def test_what_a_step_relies_on_is_compared_right_behind_its_locks_where_it_comes_first() -> None:
    """Behind other steps it is decided again, and it is unknown yet what it will find."""
    relying = Relying((Lock(LockMode.ACCESS_EXCLUSIVE, A),))
    lines = render(relying, LockPolicy())
    assert lines[-4] == compare_sql(relying.relies_on)
    assert relying.relies_on[0].stamp in lines[-4]
    assert lines.index(lock_statement(relying)) < len(lines) - 4
    assert "OWNER TO %I" in lock_statement(relying)
    assert lines[-4] in write(Plan("one", (relying,)), LockPolicy())
    assert lines[-4] not in write(Plan("two", (Own(), relying)), LockPolicy())


def test_inside_a_migration_s_transaction_the_timeout_is_put_back() -> None:
    assert render_shared(Shared(), LockPolicy(longest=700), "3s") == (
        "SET LOCAL lock_timeout = '700ms'",
        "THE WORK",
        "MORE WORK",
        "SET LOCAL lock_timeout = '3s'",
    )
    assert render_shared(Shared(), LockPolicy())[-1] == "SET LOCAL lock_timeout = '0'"


def test_a_script_says_what_it_does_and_which_locks_it_takes() -> None:
    plan = Plan("both", (Again((Lock(LockMode.SHARE, A),)), Outside()))
    assert write(plan, LockPolicy()).split("\n\n")[0].splitlines() == [
        "-- do it",
        "-- locks: SHARE on public.a",
        "-- repeated, a commit each time, until no row is left",
        "BEGIN;",
        "SET LOCAL lock_timeout = '5000ms';",
        "SET LOCAL idle_in_transaction_session_timeout = '5000ms';",
        "SET LOCAL statement_timeout = '30000ms';",
        f"{whole(30_000)};",
        "THE WORK;",
        "MORE WORK;",
        "COMMIT;",
    ]
    assert write(plan, LockPolicy()).split("\n\n")[1].startswith("-- do it\nSET lock_timeout = 0;\n")
    assert write(Plan("nothing"), LockPolicy()) == ""


def test_plans_add_up() -> None:
    one, other = Plan("one", (Own(),)), Plan("other", (Outside(),))
    assert (one + other) == Plan("one", (Own(), Outside()))
    assert one
    assert not Plan("nothing")


# The manual's table 13.2, row by row: which modes a mode waits for.
MANUAL = {
    LockMode.ACCESS_SHARE: "AccessExclusive",
    LockMode.ROW_SHARE: "Exclusive AccessExclusive",
    LockMode.ROW_EXCLUSIVE: "Share ShareRowExclusive Exclusive AccessExclusive",
    LockMode.SHARE_UPDATE_EXCLUSIVE: "ShareUpdateExclusive Share ShareRowExclusive Exclusive AccessExclusive",
    LockMode.SHARE: "RowExclusive ShareUpdateExclusive ShareRowExclusive Exclusive AccessExclusive",
    LockMode.SHARE_ROW_EXCLUSIVE: (
        "RowExclusive ShareUpdateExclusive Share ShareRowExclusive Exclusive AccessExclusive"
    ),
    LockMode.EXCLUSIVE: (
        "RowShare RowExclusive ShareUpdateExclusive Share ShareRowExclusive Exclusive AccessExclusive"
    ),
    LockMode.ACCESS_EXCLUSIVE: (
        "AccessShare RowShare RowExclusive ShareUpdateExclusive Share ShareRowExclusive Exclusive AccessExclusive"
    ),
}


@pytest.mark.parametrize("mode", LockMode)
def test_the_modes_conflict_as_the_manual_says(mode: LockMode) -> None:
    assert mode.conflicts == tuple(f"{name}Lock" for name in MANUAL[mode].split())
    assert mode.blocks_writes == ("RowExclusive" in MANUAL[mode].split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("100", 100),
        ("100ms", 100),
        ("5s", 5000),
        ("0.5s", 500),
        ("1.5min", 90_000),
        ("1min", 60_000),
        (" 5 s ", 5000),
        ("0.29s", 290),
    ],
)
def test_a_duration(text: str, expected: int) -> None:
    assert parse_milliseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "0.4ms", "-1s", "5h", "5 sec", "s", "1s 2ms", "1e3", "inf", "nan", ".5s", "5S"]
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="is not a duration"):
        parse_milliseconds(text)


@given(st.integers(1, 10**9))
def test_whole_milliseconds_are_kept(milliseconds: int) -> None:
    assert parse_milliseconds(f"{milliseconds}ms") == parse_milliseconds(str(milliseconds)) == milliseconds
    assert parse_milliseconds(f"{milliseconds}s") == milliseconds * 1000


def test_a_pause_is_as_long_as_its_try_at_least_and_twice_that_at_most() -> None:
    policy = LockPolicy(first=100, longest=400)
    for attempt in range(9):
        least = policy.budget(attempt) / 1000
        pauses = {policy.pause(attempt) for _ in range(50)}
        assert least <= min(pauses) < max(pauses) <= 2 * least
