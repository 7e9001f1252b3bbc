"""Plan -> PostgreSQL: send, retry by observing again, find out who blocks, tell what happens.

One mechanism gives idempotence, recovery and retry: `decide` is called again whenever a step failed or all were sent,
until it has nothing left to do. What an earlier attempt left behind is simply part of what it observes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, takewhile

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from schema_kit.catalog import disk
from schema_kit.catalog.blockers import blockers, holders, waited_for
from schema_kit.catalog.direct import refuse
from schema_kit.catalog.drivers import Beside, sqlstate
from schema_kit.catalog.session import at_most, copy_in, observing, ours, rows, send, send_together
from schema_kit.errors import PlanError, SchemaKitError, saying_unchanged
from schema_kit.events import Blocked, Emit, Event, Noted, StepDone, StepProgress, StepStarted, Waiting
from schema_kit.failures import Committed, in_vain, made_at_once, message, not_observed, overtaken, refused
from schema_kit.fingerprints.stamps import OVERTAKEN_STATES
from schema_kit.prerequisites import free, held_here, on_workers, permitted
from schema_kit.script import RESTORE, LockPolicy, render
from schema_kit.steps import Plan, Step, Transaction
from schema_kit.waiting import wait, watching

__all__ = ["LOCK_STATES", "Decide", "not_observed", "observed", "run", "telling_notes"]
__all__ += ["Blocked", "Emit", "Event", "Noted", "StepDone", "StepProgress", "StepStarted", "Waiting"]

Decide = Callable[[], Plan]
"""Observes and decides."""

_IN_VAIN = 3
"""So often a step is committed that changes nothing, while no session is seen that holds what it needs."""
_RACES = 100
"""How often work that other sessions add to meanwhile, such as the last keys of a log, is repeated."""
_GIVE_WAY_SECONDS = 1.0
"""Between two looks at what a step gives way to, at most: the first is a twentieth of it, each twice the last."""
_LOOK_AGAIN_SECONDS = 0.1
_PRESSURE_SECONDS = 0.2
"""Between two looks at what a throttled step gives way to: small batches would otherwise spend their time on it."""

_LOOKED = "60s"  # the longest that such a look takes: another server that it asks may be stopped

LOCK_STATES = {"55P03", "40P01"}

_WITHIN_BUDGET = {"57014", "55000"}
"""Interrupted by the timeout, or another session is in the middle of the same."""


class _Busy(Exception):
    """A lock was not available within the budget."""

    moved = False
    """Repetitions of the step were committed before."""
    step: Step | None = None
    """Which of several that were sent side by side."""


class _Overtaken(Exception):
    """Another session has changed what was observed."""

    step: Step | None = None


def run(connection: Connection, decide: Decide, policy: LockPolicy, emit: Emit, workers: int = 1) -> tuple[Step, ...]:
    """Execute the plan, planning again after each step and each failure, until it is empty. Each step is a commit.

    Args:
        connection: in autocommit; steps bring their own BEGIN and COMMIT.
        decide: observes and decides; called again after a failure and after the last step.
        policy: lock budgets, tries and timeouts.
        emit: callback that receives events.
        workers: how many sessions send steps that may be sent side by side.

    Returns:
        The steps that were committed.

    Raises:
        PlanError: what exists cannot become what is wanted, and nothing was changed.
        LockNotAvailable: others held a lock through every try; they are named.
        ExecutionError: PostgreSQL refused a step, or the rest cannot be done; it says what is committed and what to do.
    """
    with saying_unchanged() as changes:
        return _telling(connection, decide, policy, emit, workers, Committed(changes))


def _telling(
    connection: Connection, decide: Decide, policy: LockPolicy, emit: Emit, workers: int, committed: Committed
) -> tuple[Step, ...]:
    """Run, and have an error say what is committed."""
    looked = False

    def tell(event: Event) -> None:
        if isinstance(event, StepDone) or (isinstance(event, StepProgress) and event.step.repeats):
            committed.note(event.step)
        emit(event)

    def planned() -> Plan:
        nonlocal looked
        committed.plan = free(connection, decide() if looked else permitted(connection, decide()))
        looked = True
        return committed.plan

    try:
        refuse(connection, "change anything")
        with ours(connection):
            held = held_here(connection, policy)
            return _run(connection, telling_notes(planned, emit), held, tell, workers, committed)
    except DBAPIError as error:  # the connection was lost before the first look
        raise committed.told(not_observed(error, connection)) from error
    except SchemaKitError as error:
        told = committed.told(error)
        if told is error:
            raise
        raise told from error


def _run(
    connection: Connection, decide: Decide, policy: LockPolicy, emit: Emit, workers: int, committed: Committed
) -> tuple[Step, ...]:
    done: list[Step] = []
    attempt = stalls = times = least = 0
    seen = plan = observed(connection, decide, policy, emit)
    while plan:
        sent = len(done)
        current = plan.steps[0]
        error: Exception | None = None
        try:
            for group in _groups(plan.steps, workers):
                current = group[0]
                if current.fresh and len(done) > sent:
                    current = done[-1]
                    break
                budget = max(policy.budget(attempt), least)
                if workers > 1 and current.parallel:
                    _Workers(connection, policy, budget, emit, workers).send(group)
                else:
                    _send(connection, current, policy, budget, emit)
                # One that is sent again each time makes no try the first.
                attempt, least = (attempt, least) if current in done else (0, 0)
                done += group
                if current.decide_again:
                    break
        except (_Busy, _Overtaken) as failure:
            error = failure
            current = failure.step or current
            committed.note_left(current)
        seen = observed(connection, decide, policy, emit)
        after = _without(seen, done)
        times = times + 1 if isinstance(error, _Overtaken) else 0
        same = after == plan and not (times == 1 and made_at_once(error.__cause__ if error else None))
        if times and (same or times >= policy.attempts):
            assert error is not None  # it was counted
            raise refused(connection, current, error.__cause__) from error.__cause__
        # The same plan again though it was sent: rows that others hold were skipped, or it has no effect.
        stalls = stalls + 1 if error is None and after == plan else 0
        if 0 < stalls < _RACES and any(step.races for step in done[sent:]):
            continue  # at once: a pause would let it grow
        if isinstance(error, _Busy):
            attempt = 1 if error.moved else attempt + 1
        if stalls or isinstance(error, _Busy):
            least = _wait(connection, current, policy, max(attempt, stalls), error, emit)
        plan = after
    if left := [step for step in seen.steps if step.repeats]:
        why = "others hold it, it came meanwhile, or something keeps it. The next run tries again"
        emit(Noted(left[-1], f"{left[-1].summary}: something is left, since {why}"))
    return tuple(done)


class _Look(Step):
    """What a plan begins with: locks of others can stand in its way, too."""

    says = "look at what exists"


def telling_notes(decide: Decide, emit: Emit) -> Decide:
    """Decide, and tell each note of the plans once."""
    said: set[str] = set()

    def told() -> Plan:
        plan = decide()
        for note in dict.fromkeys(plan.notes):
            if note not in said:
                said.add(note)
                emit(Noted(_Look(), note))
        return plan

    return told


def observed(connection: Connection, decide: Decide, policy: LockPolicy, emit: Emit) -> Plan:
    """Decide, and look again where another run or session was in the middle of something.

    Raises:
        PlanError: it is refused twice for the same reason.
        LockNotAvailable: others held a lock through every try.
        ExecutionError: PostgreSQL refused the look.
    """
    refused = ""
    for attempt in range(1, policy.attempts + 1):
        try:
            return decide()
        except PlanError as error:
            # While another run works, a look may see one half before a commit of its, the other after: look twice.
            if str(error) == refused or attempt == policy.attempts:
                raise
            refused = str(error)
            time.sleep(_LOOK_AGAIN_SECONDS)
        except DBAPIError as error:
            state = sqlstate(error)
            if state in OVERTAKEN_STATES and str(error.orig) != refused and attempt < policy.attempts:
                refused = str(error.orig)
                time.sleep(_LOOK_AGAIN_SECONDS)
                continue
            if state not in LOCK_STATES:
                raise not_observed(error, connection) from error
            why = f"another session held an ACCESS EXCLUSIVE lock through {attempt} tries of 5 s."
            wait(_Look(), policy, attempt, holders(connection), emit, why, error)
    raise AssertionError("a policy has one try at least")


def _left(step: Step, moved: bool) -> str:
    return "Its rows so far are committed." if moved else step.left_behind


def _without(plan: Plan, done: Sequence[Step]) -> Plan:
    """Return what is left of a plan when the steps without a visible effect are taken for done."""
    if not any(step.once for step in done):
        return plan
    return Plan(plan.title, tuple(step for step in plan.steps if not (step.once and step in done)))


def _groups(steps: Sequence[Step], workers: int) -> Iterator[tuple[Step, ...]]:
    """Neighbours of one kind that several workers may send at once, together; every other step by itself."""
    for kind, group in groupby(steps, lambda step: type(step) if workers > 1 and step.parallel else None):
        if kind:
            yield tuple(group)
        else:
            yield from ((step,) for step in group)


class _Workers:
    """Sessions that send steps side by side; the first failure stops the others between two commits."""

    def __init__(self, connection: Connection, policy: LockPolicy, budget: int, emit: Emit, count: int) -> None:
        self._beside, self._count = Beside.of(connection), count
        self._policy, self._budget, self._emit = policy, budget, emit
        self._left: deque[Step] = deque()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._failures: list[BaseException] = []
        self._sessions: list[Connection] = []
        self._told: Counter[tuple[int, type[Event]]] = Counter()

    def send(self, steps: Sequence[Step]) -> None:
        """Send all of them, or raise what went wrong first."""
        self._left.extend(step for step in steps for _ in range(self._count if step.repeats else 1))
        threads = [threading.Thread(target=self._work, args=(steps[0],)) for _ in range(self._count)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException:  # Ctrl-C: what is being sent is rolled back
            self._stop.set()
            for session in self._sessions:
                with suppress(Exception):
                    session.connection.cancel()
            for thread in threads:
                thread.join()
            raise
        for error in self._failures:
            raise error

    def _work(self, first: Step) -> None:
        try:
            with self._beside.connect() as session, ours(session):
                refuse(session, "send steps side by side")
                self._sessions.append(session)
                while self._left and not self._stop.is_set():
                    with suppress(IndexError):
                        self._send(session, self._left.popleft())
        except DBAPIError as error:
            self._fail(refused(None, first, error))
        except BaseException as error:  # the run ends, and says why
            self._fail(error)

    def _send(self, session: Connection, step: Step) -> None:
        try:
            _send(session, step, self._policy, self._budget, self._tell, self._stop)
        except (_Busy, _Overtaken) as error:
            error.step = step
            self._fail(error)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        self._stop.set()

    def _tell(self, event: Event) -> None:
        with self._lock:
            self._told[id(event.step), type(event)] += 1
            times = self._told[id(event.step), type(event)]
            # What all of them send begins with the first of them, and ends with the last.
            late = isinstance(event, StepStarted) and times > 1
            early = isinstance(event, StepDone) and event.step.repeats and times < self._count
            if not late and not early:
                self._emit(event)


def _send(
    connection: Connection,
    step: Step,
    policy: LockPolicy,
    budget: int,
    emit: Emit,
    stop: threading.Event | None = None,
) -> None:
    if policy.look_first and (found := blockers(connection, step.locks)):
        # Looked at before queueing: waiting in the queue would make others wait, however short.
        raise _Busy(found)
    emit(StepStarted(step))
    started, total, looked = time.monotonic(), 0, 0.0
    with watching(
        connection,
        lambda state, share: emit(StepProgress(step, state, share)),
        lambda others, seconds: emit(Blocked(step, others, seconds)),
    ):
        while True:
            if step.throttled and time.monotonic() > looked + _PRESSURE_SECONDS:
                _give_way(connection, step, emit, stop)
                looked = time.monotonic()
            if stop and stop.is_set():
                return
            try:
                changed, told = _send_once(connection, step, policy, budget, total)
            except _Busy as busy:
                busy.moved = total > 0
                raise
            total += changed
            if not step.repeats or not changed:
                break
            emit(StepProgress(step, *told) if told else _progress(connection, step, total))
    emit(StepDone(step, time.monotonic() - started, total))


def _progress(connection: Connection, step: Step, total: int) -> StepProgress:
    if step.progress:
        with observing(connection):
            for state, share in rows(connection, step.progress):
                return StepProgress(step, state, share)
    return StepProgress(step, f"{total:,} rows")


def _give_way(connection: Connection, step: Step, emit: Emit, stop: threading.Event | None = None) -> None:
    """Pause while replicas lag, say, or vacuum has work on the table; for ever, if it must be: nothing is locked."""
    pause = _GIVE_WAY_SECONDS / 20
    while (reasons := _reasons(connection, step)) and not (stop and stop.is_set()):
        emit(Waiting(step, tuple(reasons), pause, 0))
        time.sleep(pause)
        pause = min(2 * pause, _GIVE_WAY_SECONDS)


def _reasons(connection: Connection, step: Step) -> list[str]:
    with at_most(_LOOKED), observing(connection):
        found = [row[0] for row in rows(connection, step.pressure)] if step.pressure else []
        if step.grows and (full := disk.tight(connection, step.grows.sql)):
            found.append(full)
    return found


def _send_once(
    connection: Connection, step: Step, policy: LockPolicy, budget: int, total: int = 0
) -> tuple[int, tuple[str, float | None] | None]:
    """Return how many rows it changed; and its progress, where it reports that itself."""
    try:
        with _restored(connection, step):
            statements = on_workers(connection, render(step, policy, budget))
            if step.transaction is Transaction.NONE or step.data is not None:
                return _send_each(connection, step, statements), None
            # One message: a client that is stopped, or far away, holds no lock while it does not work.
            done = send_together(connection, statements)
            found = done[-2]  # the last of its own; COMMIT is behind it
            if step.tells:
                return len(found.rows), (found.rows[0][0], found.rows[0][1]) if found.rows else None
            own = len(step.sql())
            return done[step.counted % own - own - 1].count, None  # COMMIT is behind them
    except DBAPIError as error:
        state = sqlstate(error)
        if state == "40001" and step.row_moved:
            send(connection, step.row_moved)
            raise _Busy from error
        if state in LOCK_STATES:
            raise _Busy from error
        if step.within_budget and state in _WITHIN_BUDGET:
            # Interrupted outside of a transaction, it has left something, or would be interrupted again.
            late = state == "57014" and step.transaction is Transaction.NONE
            raise (_Overtaken if late else _Busy) from error
        if overtaken(error):
            raise _Overtaken from error
        raise refused(connection, step, error, total) from error


def _send_each(connection: Connection, step: Step, statements: Sequence[str]) -> int:
    """Statement by statement: outside of a transaction, or with rows that one of them reads."""
    changed, own = 0, step.sql()
    for statement in _in_few_messages(statements):
        if statement in RESTORE:
            continue  # _restored puts the session's own values back, whatever happens
        if statement in own[-1:] and (data := step.data) is not None:
            changed = copy_in(connection, statement, data)
            continue
        result = send(connection, statement)
        changed = max(result.rowcount, 0) if statement == own[step.counted] else changed
    return changed


def _in_few_messages(statements: Sequence[str]) -> Iterator[str]:
    """BEGIN and the settings behind it go out together: of a short step, their round trips would be a third."""
    settings = list(takewhile(lambda statement: statement.startswith(("BEGIN", "SET LOCAL ")), statements))
    if settings:
        yield "; ".join(settings)
    yield from statements[len(settings) :]


@contextmanager
def _restored(connection: Connection, step: Step) -> Iterator[None]:
    if step.transaction is not Transaction.NONE:
        try:
            yield
        except BaseException:
            with suppress(SQLAlchemyError):
                send(connection, "ROLLBACK")
            raise
        return
    names = "lock_timeout", "statement_timeout"
    before = rows(connection, f"SELECT {', '.join(f'current_setting({name!r})' for name in names)}")[0]
    try:
        yield
    finally:
        with suppress(SQLAlchemyError):
            for name, value in zip(names, before, strict=True):
                send(connection, f"SET {name} = '{value}'")


def _wait(
    connection: Connection, step: Step, policy: LockPolicy, attempt: int, error: Exception | None, emit: Emit
) -> int:
    """Sleep before the next try; the least budget it needs is returned."""
    looked = error.args[0] if isinstance(error, _Busy) and error.args else ()
    found = (
        looked
        or waited_for(connection, step.meets, step.waits, step.older_snapshots)
        or blockers(connection, step.meets, of_rows=True)
    )
    who = tuple(blocker.text for blocker in found)
    # What a repeated step passes over may be held by row locks, whose holders are not always seen.
    if not isinstance(error, _Busy) and attempt >= (policy.attempts if found or step.repeats else _IN_VAIN):
        raise in_vain(connection, step, attempt, who)
    cause = error.__cause__ if error else None
    said = "" if found or cause is None else f" No blocking session is seen; PostgreSQL said: {message(cause)}."
    left = _left(step, isinstance(error, _Busy) and error.moved)
    why = f"its locks could not be taken in {attempt} tries of up to {policy.longest} ms. {left}"
    wait(step, policy, attempt, who, emit, why, cause, said)
    if found and all(blocker.autovacuum for blocker in found):
        # PostgreSQL cancels an autovacuum that is in the way, but only after deadlock_timeout.
        timeout = rows(connection, "SELECT setting::int FROM pg_settings WHERE name = 'deadlock_timeout'")
        return int(timeout[0][0]) + 500
    return 0
