"""Plan -> PostgreSQL, inside a transaction whose owner commits."""

from __future__ import annotations

import time

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from schema_kit.catalog.session import autocommits, send
from schema_kit.errors import PlanError
from schema_kit.events import Emit, StepDone, StepStarted
from schema_kit.execute import Decide
from schema_kit.failures import made_at_once, overtaken, refused
from schema_kit.prerequisites import free, held_in, permitted
from schema_kit.script import LockPolicy, render_shared
from schema_kit.steps import Plan, Step

_SAVEPOINT = "schema_kit_shared"
_LOOK_AGAIN_SECONDS = 0.1


class _Overtaken(Exception):
    """Another session has committed what a step was to do."""

    def __init__(self, step: Step) -> None:
        self.step = step


def run_shared(connection: Connection, decide: Decide, policy: LockPolicy, emit: Emit) -> None:
    """Send SHARED steps inside the transaction that *connection* is in; its owner commits.

    Where another session has committed the same meanwhile, it is decided again, as `execute.run` does.

    Raises:
        ExecutionError: PostgreSQL refused a step; the transaction has to be rolled back.
    """
    plan = _observed(connection, decide)
    if not autocommits(connection):  # else it was begun by hand, and a look would end it
        plan = permitted(connection, plan)
    before, held = held_in(connection, policy, plan)
    times = 0
    while plan:
        try:
            _send(connection, plan, held, before, emit)
        except _Overtaken as error:
            times, sent, plan = times + 1, plan, _observed(connection, decide)
            same = plan == sent and not (times == 1 and made_at_once(error.__cause__))
            if same or times >= policy.attempts:
                raise refused(None, error.step, error.__cause__) from error.__cause__
        else:
            again = any(step.decide_again for step in plan.steps)
            plan, times = _observed(connection, decide) if again else Plan(plan.title), 0


def _observed(connection: Connection, decide: Decide) -> Plan:
    """Decide; what is refused while another session commits may be half of what it does, so it is looked at twice."""
    try:
        return free(connection, decide())
    except PlanError:
        time.sleep(_LOOK_AGAIN_SECONDS)
        return free(connection, decide())


def _send(connection: Connection, plan: Plan, policy: LockPolicy, before: str, emit: Emit) -> None:
    send(connection, f"SAVEPOINT {_SAVEPOINT}")
    for step in plan.steps:
        emit(StepStarted(step))
        started = time.monotonic()
        try:
            for statement in render_shared(step, policy, before):
                send(connection, statement)
        except DBAPIError as error:
            if not overtaken(error):
                raise refused(None, step, error) from error
            send(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            raise _Overtaken(step) from error
        emit(StepDone(step, time.monotonic() - started))
    send(connection, f"RELEASE SAVEPOINT {_SAVEPOINT}")
