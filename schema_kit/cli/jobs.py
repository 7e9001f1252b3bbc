"""Run a job for each table: plan, execute, report, and continue with the next where one has failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

import click
import sqlalchemy as sa

from schema_kit import execute, script
from schema_kit.catalog import Catalog
from schema_kit.catalog.advisory import held
from schema_kit.cli.output import echo_json, echo_sql
from schema_kit.cli.partman import beside_partman
from schema_kit.cli.run import Run, quiet
from schema_kit.errors import DeclarationError, ExecutionError, PlanError, SchemaKitError
from schema_kit.model import Table
from schema_kit.names import QualifiedName
from schema_kit.prerequisites import free, held_here
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan, Step
from schema_kit.steps.partitions import Analyze
from schema_kit.tasks.copying import Drained, drained

_POLLS, _POLL_SECONDS = 60, 0.5


class Kept(Protocol):
    """What a command looks after, a table with its policy."""

    @property
    def parent(self) -> QualifiedName:
        """The table."""
        ...


One = TypeVar("One", bound=Kept)


@dataclass(frozen=True)
class Job(Generic[One]):
    """What a partitioned table may need.

    Args:
        title: what it is, for people; one run at a time works on a table under that title, whatever its command.
        decide: what a partitioned table needs, as it is now.
        due: whether a table needs a closer look, decided from its policy and its partitions alone.
    """

    title: str
    decide: Callable[[Catalog, One], Plan]
    due: Callable[[Catalog, One, Table | None], bool] = lambda catalog, one, table: True


def work(
    run: Run,
    title: str,
    jobs: Sequence[Job[One]],
    sets: Sequence[tuple[One, Table | None]],
    workers: int = 1,
    sessions: int = 1,
) -> None:
    """Do for each partitioned table what it needs; a job or a partitioned table that fails does not stop the others.

    Args:
        run: the call: where to look and to send, and how to talk.
        title: what it is, for people.
        jobs: what each partitioned table may need, in this order.
        sets: the sets, each with its policy and, where that is known, its partitions.
        workers: how many sets are looked after at a time; more than one, and each worker has a connection of its own.
        sessions: how many send the steps of one set that may be sent side by side; not with several workers.

    Raises:
        SchemaKitError: what went wrong with the only one; or that some of them failed, each said on stderr.
    """
    done: list[Step] = []
    failed = list(run.unreadable)
    wanted = [(one, due) for one, table in sets if (due := _due(jobs, run.catalog, one, table))]
    with run.telling() as emit:
        if run.dry_run:
            for one, due in wanted:
                failed += _planned(due, one, run, done, emit)
        elif workers == 1:
            for one, due in wanted:
                failed += _sent(due, one, run.connection, run.catalog, run.policy, _both(emit, done), sessions)
        else:
            failed += _in_parallel(wanted, run, _both(emit, done), workers)
    if done or not failed:
        show(Plan(title, tuple(done)), run)
    fail(failed, done, "the rest would be" if run.dry_run else "the rest is")


def send(run: Run, decide: execute.Decide) -> None:
    """Decide and send, or print, what is of no set."""
    plan = run.observed(decide)
    if not run.dry_run:
        with run.telling() as emit:
            plan = Plan(plan.title, execute.run(run.connection, decide, run.policy, emit))
    show(plan, run)


def foreseen(decide: Callable[[One], Plan], wanted: Iterable[One]) -> list[Step]:
    """Return the steps of what can be planned; what is refused is said when its turn comes."""
    found = list[Step]()
    for one in wanted:
        with suppress(SchemaKitError):
            found += decide(one).steps
    return found


def _due(jobs: Sequence[Job[One]], catalog: Catalog, one: One, table: Table | None) -> list[Job[One]]:
    """Return the jobs that a table needs a closer look for; where even that is unknown, its turn says why."""
    found = []
    for job in jobs:
        try:
            due = job.due(catalog, one, table)
        except (SchemaKitError, sa.exc.DBAPIError):
            due = True
        found += [job] if due else []
    return found


def _planned(
    jobs: Sequence[Job[One]], one: One, run: Run, done: list[Step], emit: execute.Emit
) -> list[SchemaKitError]:
    """Decide, and collect what would be sent; what went wrong is given back."""
    failed, catalog = [], run.catalog
    for job in jobs:
        try:
            decide = execute.telling_notes(partial(_decided, job, catalog, one), emit)
            plan = execute.observed(run.connection, decide, run.policy, emit)
            done += free(run.connection, plan).steps
            catalog = drained(catalog, plan)
        except SchemaKitError as error:
            failed.append(naming(one, error))
    return failed


def _decided(job: Job[One], catalog: Catalog, one: One) -> Plan:
    """Decide, and note what cannot be decided before the drain that comes first is done."""
    plan = job.decide(catalog, one)
    if isinstance(catalog, Drained) and catalog.unseen:
        names = ", ".join(dict.fromkeys(catalog.unseen))
        catalog.unseen.clear()
        return plan + Plan("", (), (f"{names}: what becomes of them ({job.title}) is decided once they exist",))
    return plan


def _sent(
    jobs: Sequence[Job[One]],
    one: One,
    connection: sa.Connection,
    catalog: Catalog,
    policy: LockPolicy,
    emit: execute.Emit,
    sessions: int = 1,
) -> list[SchemaKitError]:
    """Send what one set needs, job after job; what went wrong is given back."""
    failed = []
    try:
        with beside_partman(connection, one.parent, policy, emit):
            for job in jobs:
                try:
                    with alone(connection, job.title, one) as free:
                        if free:
                            execute.run(connection, partial(job.decide, catalog, one), policy, emit, sessions)
                except SchemaKitError as error:
                    failed.append(naming(one, error))
    except SchemaKitError as error:
        failed.append(error)
    except sa.exc.DBAPIError as error:
        failed.append(execute.not_observed(error, connection))
    return failed


def _in_parallel(
    wanted: Sequence[tuple[One, Sequence[Job[One]]]], run: Run, emit: execute.Emit, workers: int
) -> list[SchemaKitError]:
    """Several sets at a time. An interrupt ends what is running; what was committed stays."""
    now, at_work, stopped = run.catalog.now(), set[sa.Connection](), threading.Event()

    def tell(event: execute.Event) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        emit(event)

    def look_after(one: One, due: Sequence[Job[One]]) -> list[SchemaKitError]:
        with run.connection.engine.connect() as own:
            at_work.add(own)
            try:
                return _sent(due, one, own, Catalog(own, now), run.policy, tell)
            finally:
                at_work.discard(own)

    with ThreadPoolExecutor(workers) as pool:
        try:
            contexts = [copy_context() for _ in wanted]
            told = pool.map(lambda context, pair: context.run(look_after, *pair), contexts, wanted)
            return [error for failed in told for error in failed]
        except KeyboardInterrupt:
            stopped.set()
            for own in tuple(at_work):
                if own.connection.dbapi_connection is not None:
                    own.connection.dbapi_connection.cancel()
            raise


@contextmanager
def alone(connection: sa.Connection, title: str, one: One) -> Iterator[bool]:
    """Run one job of a kind at a time on each table: of two that need the same, one would only be overtaken.

    Yields:
        False where another one still works after half a minute: the table is left to it, and that is said.
    """

    def again(attempt: int) -> bool:
        time.sleep(_POLL_SECONDS)
        return attempt < _POLLS

    with held(connection, f"schema_kit: {title} {one.parent}", again) as free:
        if not free:
            click.echo(f"another run is at it ({title}): {one.parent} is left to that one", err=True)
        yield free


def _both(emit: execute.Emit, done: list[Step]) -> execute.Emit:
    """Tell what happens, and keep what is committed."""

    def tell(event: execute.Event) -> None:
        if isinstance(event, execute.StepDone):
            done.append(event.step)
        emit(event)

    return tell


def naming(one: Kept, error: SchemaKitError) -> SchemaKitError:
    """Return an error that names the table: what is wrong with a word of its policy is said of the word alone."""
    if isinstance(error, DeclarationError) and str(one.parent) not in error.reason:
        return DeclarationError(f"{one.parent}: {error.reason}")
    return error


def fail(
    failed: Sequence[SchemaKitError],
    done: Sequence[object] = (),
    rest: str = "the rest is",
) -> None:
    """Raise what went wrong, if something has.

    Args:
        failed: what went wrong.
        done: what was done all the same.
        rest: what was done all the same, for people.

    Raises:
        SchemaKitError: the only one; or that some sets failed, each said on stderr: PlanError, where nothing was
            written since what exists refuses each.
    """
    distinct = list({error.reason: error for error in failed}.values())
    done = [step for step in done if not isinstance(step, Analyze)]
    if len(distinct) == 1 and not done:
        raise distinct[0]
    for error in distinct:
        click.echo(f"error: {error.reason}", err=True)
    if distinct and not done and all(isinstance(error, PlanError) for error in distinct):
        raise PlanError(f"{len(distinct)} failed.")
    if distinct:
        raise ExecutionError(f"{len(distinct)} failed; {rest} done.")


def show(plan: Plan, run: Run) -> None:
    """What was done (not with --quiet), or would be: summaries, the exact SQL, or JSON with both."""
    form = "sql" if run.dry_run and run.form == "text" else run.form
    if form == "text" and quiet():
        return
    policy = held_here(run.connection, run.policy)
    if form == "json":
        steps = [
            {
                "summary": step.summary,
                "locks": [{"mode": lock.mode.value, "table": str(lock.table)} for lock in step.locks],
                "sql": list(script.render(step, policy)),
            }
            for step in plan.steps
        ]
        echo_json({"steps": steps})
    elif not plan:
        click.echo("nothing to do", err=True)
    elif form == "sql":
        echo_sql(script.write(plan, policy))
    else:
        for step in plan.steps:
            click.echo(step.summary)
