"""Plan -> exact SQL: what a dry run prints, what --sql writes, what the executor sends.

The only BEGIN, SET and COMMIT are here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from schema_kit.errors import DeclarationError
from schema_kit.fingerprints.stamps import compare_sql, lock_all_sql
from schema_kit.names import COMMANDS_KEPT, literal
from schema_kit.steps import Plan, Step, Transaction


@dataclass(frozen=True, slots=True)
class LockPolicy:
    """Limit how long a step waits for its locks, and so how long other sessions queue behind it.

    Args:
        first: lock budget of the first try, in milliseconds.
        longest: the longest lock budget, in milliseconds; the budget doubles with every second try.
        attempts: number of tries.
        statement_timeout: time limit of a step that blocks writes, once it has its locks, in milliseconds. Concurrent
            builds and VALIDATE have no limit.
        look_first: whether to check for conflicting locks before queueing, and to wait outside of the queue.

    Raises:
        DeclarationError: a number is below 1.

    Example:
        environment.run(target_metadata=metadata, lock_policy=LockPolicy(longest=2000, attempts=50))
    """

    first: int = 100
    longest: int = 5000
    attempts: int = 25
    statement_timeout: int = 30_000
    citus: ClassVar[bool] = False
    """Whether budgets have to hold on the workers of Citus, too: see OnCitus."""

    look_first: bool = False

    def __post_init__(self) -> None:
        for name in ("first", "longest", "attempts"):
            if getattr(self, name) < 1:  # to PostgreSQL, 0 means to wait for ever
                raise DeclarationError(f"{name} of a lock policy is 1 or more, not {getattr(self, name)}")

    def budget(self, attempt: int) -> int:
        """Return the lock budget of a try (the first is 0), in milliseconds."""
        return int(min(self.longest, self.first * 2.0 ** min(attempt // 2, 20)))

    def pause(self, attempt: int) -> float:
        """Seconds between a try and the next: waiting makes others wait, so at least as long as the try."""
        return random.uniform(1.0, 2.0) * self.budget(attempt) / 1000  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class OnCitus(LockPolicy):
    """The same, on a cluster of Citus: what a run makes of a policy where it sees one."""

    citus: ClassVar[bool] = True


VARIABLES = {
    "SCHEMA_KIT_LOCK_TIMEOUT": "longest",
    "SCHEMA_KIT_STATEMENT_TIMEOUT": "statement_timeout",
    "SCHEMA_KIT_LOCK_ATTEMPTS": "attempts",
    "SCHEMA_KIT_LOOK_FIRST": "look_first",
}
"""Environment variables that override the lock policy set in env.py."""


def from_environment(policy: LockPolicy, environment: Mapping[str, str]) -> LockPolicy:
    """Return a policy, changed by the variables that are set.

    Raises:
        DeclarationError: one of them cannot be read.
    """
    changes: dict[str, int | bool] = {}
    for variable, name in VARIABLES.items():
        text = environment.get(variable)
        if not text:
            continue
        if name == "look_first":
            changes[name] = text.lower() in ("1", "on", "true", "yes")
        elif name == "attempts":
            if not text.isdecimal() or int(text) < 1:
                raise DeclarationError(f"{variable}={text} is not a number of tries, 1 or more")
            changes[name] = int(text)
        else:
            changes[name] = parse_milliseconds(text)
    return changed(policy, **changes)


def changed(policy: LockPolicy, **changes: Any) -> LockPolicy:
    """Return a policy with other numbers; the first try never waits longer than the longest."""
    policy = replace(policy, **changes)
    return replace(policy, first=min(policy.first, policy.longest))


def parse_milliseconds(text: str) -> int:
    """Read ``100ms``, ``5s``, ``1min`` or a bare number of milliseconds.

    Raises:
        DeclarationError: it has another form, or is not above zero.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min)?\s*", text)
    value = round(float(match[1]) * {"ms": 1, "s": 1000, "min": 60_000}[match[2] or "ms"]) if match else 0
    if value < 1:
        raise DeclarationError(f"{text!r} is not a duration. Write 500ms, 5s or 1min (more than nothing).")
    return value


def render(step: Step, policy: LockPolicy, budget: int | None = None, *, compares: bool = True) -> tuple[str, ...]:
    """Return the statements of one step on a connection of its own, in order.

    Args:
        step: what to do.
        policy: the lock policy.
        budget: milliseconds that this try may wait for locks; the policy's longest where it is left out.
        compares: whether what the step relies on is compared under its locks with what was last seen.
    """
    wait = policy.longest if budget is None else budget
    if step.transaction is Transaction.NONE and step.within_budget:
        return (*_shared_out(step, policy), *step.sql(), *RESTORE)
    if step.transaction is Transaction.NONE:
        # A timeout would kill a concurrent build half-way and leave an INVALID index; its waits block no session.
        return ("SET lock_timeout = 0", "SET statement_timeout = 0", *step.sql(), *RESTORE)
    compared = (compare_sql(step.relies_on),) if step.relies_on and compares else ()
    return ("BEGIN", *_guarded(step, policy, wait), *compared, *step.sql(), "COMMIT")


def _shared_out(step: Step, policy: LockPolicy) -> tuple[str, str]:
    # It cannot take its locks up front. Several are had within one budget when each has a share of it, and before
    # deadlock_timeout (1 s) ends a statement of another's instead.
    strong = sum(lock.mode.blocks_writes for lock in step.locks)
    wait = policy.longest if strong < 2 else max(1, min(policy.longest, _BEFORE_DEADLOCK) // strong)
    return f"SET lock_timeout = '{wait}ms'", f"SET statement_timeout = '{policy.statement_timeout}ms'"


_BEFORE_DEADLOCK = 800
"""Milliseconds."""

RESTORE = ("RESET lock_timeout", "RESET statement_timeout")
"""What puts the session back after a step outside of a transaction; the executor puts the session's own values in."""


def render_shared(step: Step, policy: LockPolicy, before: str = "0") -> tuple[str, ...]:
    """Return the statements of one SHARED step inside a transaction that the caller has begun.

    Args:
        step: what to do.
        policy: the lock policy.
        before: lock_timeout as it was, and as it is put back: SET LOCAL outlives the statement.
    """
    after = _lock_timeout(policy, literal(before))
    return (*_lock_timeout(policy, f"'{policy.longest}ms'"), *step.sql(), *after)


ON_WORKERS = (
    # Shards of a reference table are locked once, and no shard is changed while another one of the same table waits.
    "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
    "SET LOCAL citus.propagate_set_commands = 'local'",
)
"""What goes before a setting that holds on the workers of Citus, too."""
HERE_AGAIN = "SET LOCAL citus.propagate_set_commands = 'none'"
"""What ends that: an idle_in_transaction_session_timeout, say, would end workers that wait for each other."""


def _lock_timeout(policy: LockPolicy, value: str) -> tuple[str, ...]:
    own = f"SET LOCAL lock_timeout = {value}"
    return (*ON_WORKERS, own, HERE_AGAIN) if policy.citus else (own,)


def remark(text: str) -> str:
    """Return a comment of one line, whatever line breaks a name in it may have."""
    return "-- " + " ".join(text.splitlines())


def write(plan: Plan, policy: LockPolicy) -> str:
    """Return the whole plan as a script that psql runs: what --dry-run and --format sql print."""
    lines = []
    for step in plan.steps:
        lines.append(remark(step.summary))
        lines += [remark(f"locks: {lock.mode.value} on {lock.table}") for lock in step.locks]
        if step.repeats:
            lines.append("-- repeated, a commit each time, until no row is left")
        if step.data is not None:
            lines.append("-- COPY reads what the summary names: psql does not find it here")
        # What a later step finds is known once those before it are done; it is decided again then.
        lines += [f"{statement};" for statement in render(step, policy, compares=step == plan.steps[0])]
        lines.append("")
    return "\n".join(lines)


def _guarded(step: Step, policy: LockPolicy, wait: int) -> tuple[str, ...]:
    # lock_timeout is for each lock: with several to take, the second could wait while the first one stops the site.
    # So several are taken in one statement, under a statement_timeout.
    strong = any(lock.mode.blocks_writes for lock in step.locks)
    limit = policy.statement_timeout if strong and not step.may_block else 0
    lines = [f"SET LOCAL {name} = {literal(value)}" for name, value in step.settings]
    lines += ["SET LOCAL row_security = 'off'"] if step.reads_rows else []
    lines += _lock_timeout(policy, literal(f"{wait}ms"))
    if strong:
        lines.append(f"SET LOCAL idle_in_transaction_session_timeout = '{max(policy.longest, _CLIENT_LIVES)}ms'")
    if step.within_budget:
        return (*lines, f"SET LOCAL statement_timeout = '{wait}ms'")
    if first := lock_statement(step):
        lines += [f"SET LOCAL statement_timeout = '{wait}ms'", first]
    lines.append(f"SET LOCAL statement_timeout = '{limit}ms'")
    if limit:  # and all statements together; up to 16 there is no such setting
        name = "'transaction_timeout'"
        there = f"pg_catalog.current_setting({name}, true) IS NOT NULL"
        lines.append(f"SELECT pg_catalog.set_config({name}, '{limit}ms', true) WHERE {there}")
    return tuple(lines)


_CLIENT_LIVES = 1000
"""Milliseconds after which a client that says nothing in the middle of a step is taken for stopped, at least."""


def lock_statement(step: Step) -> str:
    """Return the one statement that takes all locks of a step that block writes; empty where there are less than two.

    Also where its own statement must stay within the budget as a whole. Interrupted by the timeout, it says that a lock
    was not available: another interruption is another matter. Of the tables that the step relies on, it locks those
    that reference them, too.
    """
    locks = [lock for lock in step.locks if lock.mode.blocks_writes]
    if (len(locks) < 2 and not step.relies_on) or step.within_budget or step.locks_late:
        return ""
    each = [lock.acquire or f"LOCK TABLE ONLY {lock.table.sql} IN {lock.mode.value} MODE" for lock in locks]
    if len({lock.mode for lock in locks}) == 1 and not any(lock.acquire for lock in locks):
        tables = ", ".join(f"ONLY {lock.table.sql}" for lock in locks)
        each = [f"LOCK TABLE {tables} IN {locks[0].mode.value} MODE"]
    declared = f"DECLARE {COMMANDS_KEPT}" if step.relies_on else ""
    if step.relies_on:
        each = [*step.locks_first, *each, lock_all_sql(step.relies_on)]
    late = "EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = 'locks not taken in time'"
    body = "; ".join((*each, late))
    return f"DO {literal(f'{declared}BEGIN {body}; END')}"
