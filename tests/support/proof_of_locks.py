"""Each step's stated locks, compared with what the server says it took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted
from schema_kit.lint.look import held
from schema_kit.names import OWN_PATH, QualifiedName
from schema_kit.script import lock_statement, render
from schema_kit.steps import Plan, Step, Transaction
from schema_kit.steps.step import LockMode
from tests.support.database import QUICK, Database
from tests.support.locks import wait_until
from tests.support.shadows import bare_calls

Locks = dict[str, str]

ORDER = list(LockMode)

FUNCTIONS = """SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
  AND proname NOT IN ('lower', 'upper')"""

RELATIONS = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


def stated(step: Step, least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE) -> Locks:
    """The claim of a step, the strongest for each table."""
    return _strongest(((_plain(lock.table), lock.mode) for lock in step.locks), least)


def taken(
    watcher: psycopg.Connection[Any], pid: int, there: dict[int, str], least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE
) -> Locks:
    """What a backend holds or waits for, on relations that were there before."""
    return _strongest(((there[oid], mode) for oid, mode in held(watcher, pid) if oid in there), least)


def _strongest(locks: Iterable[tuple[str, LockMode]], least: LockMode) -> Locks:
    found: dict[str, LockMode] = {}
    for table, mode in locks:
        if ORDER.index(mode) >= ORDER.index(least):
            found[table] = max(mode, found.get(table, mode), key=ORDER.index)
    return {table: mode.value for table, mode in sorted(found.items())}


def _plain(name: QualifiedName) -> str:
    return f"{name.schema}.{name.name}"


@dataclass
class Proof:
    """Sends plans, and checks each step on the server before it is sent."""

    database: Database
    proved: set[type[Step]] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    """PostgreSQL's functions, but for those that the tables here call."""

    def run(self, decide: Callable[[Catalog], Plan]) -> None:
        connection = self.database.sqlalchemy()
        execute.run(connection, lambda: decide(Catalog(connection)), QUICK, self._on)

    def steps(self, *steps: Step) -> None:
        """Send steps made by hand."""
        for step in steps:
            rest = [step]
            self.run(lambda _, rest=rest: Plan("one step", (rest.pop(),) if rest else ()))  # type: ignore[misc]

    def _on(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.proved.add(type(event.step))
            self.calls(event.step)
            if event.step.transaction is not Transaction.NONE:
                self.prove(event.step)

    def calls(self, step: Step) -> None:
        """What it calls is PostgreSQL's own: a function of a user may fit better than the one that is meant."""
        if not self.known:
            self.known |= {row[0] for row in self.database.sql(FUNCTIONS)}
        for statement in render(step, QUICK):
            if statement.startswith(f"SET LOCAL search_path TO {OWN_PATH}"):
                return
            assert bare_calls(statement, self.known) == set(), f"{step.summary}: {statement}"

    def prove(self, step: Step) -> None:
        """What the step takes by itself is what it states, and so is what is taken up front."""
        there = self.there()
        with psycopg.connect(self.database.url, autocommit=True) as watcher:
            assert self._taken_by(step.sql(), watcher, there) == stated(step), step.summary
            if first := lock_statement(step):
                found = self._taken_by((first,), watcher, there, LockMode.SHARE)
                assert found == stated(step, LockMode.SHARE), f"{step.summary}: taken up front"

    def there(self) -> dict[int, str]:
        return {oid: name.replace('"', "") for oid, name in self.database.sql(RELATIONS)}

    def _taken_by(
        self,
        statements: Iterable[str],
        watcher: psycopg.Connection[Any],
        there: dict[int, str],
        least: LockMode = LockMode.SHARE_UPDATE_EXCLUSIVE,
    ) -> Locks:
        with psycopg.connect(self.database.url) as connection:
            for statement in statements:
                if statement.endswith(("FROM STDIN", "FROM STDIN (FORMAT csv)")):
                    with connection.cursor().copy(statement.encode()):
                        continue
                connection.execute(statement.encode())
            found = taken(watcher, connection.info.backend_pid, there, least)
            connection.rollback()
        return found

    def beside(self, step: Step, *gates: str) -> None:
        """Prove a step outside of transactions: hold each gate in turn, and look while the step waits for it."""
        there = self.there()
        found: Locks = {}
        with psycopg.connect(self.database.url, autocommit=True) as watcher:
            for gate in gates:
                found |= self._while_waiting(step, gate, watcher, there)
        assert found == stated(step), step.summary
        self.proved.add(type(step))
        self.calls(step)

    def _while_waiting(self, step: Step, gate: str, watcher: psycopg.Connection[Any], there: dict[int, str]) -> Locks:
        with psycopg.connect(self.database.url, autocommit=True) as sender:
            pid = sender.info.backend_pid
            with psycopg.connect(self.database.url) as holder:
                holder.execute(gate.encode())
                with in_background(lambda: [sender.execute(statement.encode()) for statement in step.sql()]):
                    wait_until(
                        lambda: watcher.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).rowcount
                    )
                    found = taken(watcher, pid, there)
                    holder.rollback()
        return found


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[None]:
    """Run *work* in a thread, and raise here what it raised."""
    raised: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield
    thread.join()
    if raised:
        raise raised[0]


Scene = Callable[[Proof], None]
Scenes = dict[Scene, set[type[Step]]]
"""Which steps each scene shows."""
