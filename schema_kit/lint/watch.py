"""Every statement that one connection of psycopg sends, by whatever way, and what it does.

A cursor of ours goes out instead of psycopg's. It looks before and after each statement, in the statement's own
transaction and before its end. What commits on its own gets a transaction of ours around it; what refuses to run in
one (CREATE INDEX CONCURRENTLY, VACUUM) stands still behind a third session for as long as its locks are read.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import walk_stack
from typing import Any

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row

from schema_kit.catalog.code import without_leading_comments
from schema_kit.lint import roles, shared
from schema_kit.lint.difference import Between
from schema_kit.lint.facts import Failure, Statement
from schema_kit.lint.fence import here, refuse_statement
from schema_kit.lint.guard import ours
from schema_kit.lint.look import Eyes, Seen, roots, strongly
from schema_kit.lint.nested import Nested
from schema_kit.lint.promises import Promise
from schema_kit.lint.reach import Plan, unbounded
from schema_kit.lint.standstill import Standstill
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import split

_CONTROL = re.compile(
    r"\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION|SET|RESET|SHOW|DISCARD)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|PREPARE)\b", re.IGNORECASE)
_READS_ONLY = re.compile(r"\s*BEGIN\b.*\bREAD\s+ONLY\b", re.IGNORECASE | re.DOTALL)
_COMMITS = re.compile(r"\s*(COMMIT|END)\b", re.IGNORECASE)
_UNDOES = re.compile(r"\s*(ROLLBACK|ABORT)\b", re.IGNORECASE)
_READS_BY_PLAN = re.compile(r"\s*(UPDATE|DELETE|INSERT|MERGE|WITH|SELECT|EXECUTE|EXPLAIN)\b", re.IGNORECASE)
_RUNS_OTHERS = re.compile(r"\s*(DO|CALL|SELECT|EXECUTE|EXPLAIN|UPDATE|DELETE|INSERT|MERGE|WITH)\b", re.IGNORECASE)
_ROWS_ALONE = re.compile(r"\s*DO\b(?!.*\b(ALTER|CREATE|DROP|REINDEX|REFRESH)\b)", re.IGNORECASE | re.DOTALL)
_OF_THE_SERVER = re.compile(
    r"^\s*(DO|CALL|SELECT)\b|\b(ROLE|USER|GROUP|DATABASE|TABLESPACE|EXECUTE|GRANT|REVOKE)\b", re.IGNORECASE
)
_ASKS = re.compile(r"\s*(SELECT|SHOW|EXPLAIN|VALUES|TABLE)\b", re.IGNORECASE)
_ROWS = re.compile(r"\s*(UPDATE|DELETE|INSERT|MERGE)\b", re.IGNORECASE)
_LOCKS_ROWS = re.compile(r"\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE)\b", re.IGNORECASE)
_CASCADES = re.compile(r"\bCASCADE\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_NOT_IN_A_TRANSACTION = {"25001", "2D000"}
_SHOWN = 4000


class _DoesMore(Exception):
    """A query that writes, or locks."""


class Killed(BaseException):
    """The session was ended, as a kill would end it: nothing that a revision catches."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of its own, outside of the revision's transaction.

    Args:
        sql: the statement before it.
        line: of the revision's file.
        ours: an operation of schema_kit has sent it.
    """

    sql: str
    line: int
    ours: bool


class Watch:
    """What one session does while it is watched.

    Args:
        version_table: Alembic's own, which is left out.
        standstill: holds statements that commit by themselves; None where their locks need not be read.
        killed_after: end the session after so many commits of their own.
    """

    def __init__(
        self,
        version_table: str = "alembic_version",
        standstill: Standstill | None = None,
        killed_after: int | None = None,
    ) -> None:
        self.commits: list[Commit] = []
        self._killed_after = killed_after
        self.statements: list[Statement] = []
        self.old: frozenset[int] | None = None
        self.bare, self.times = 0, 1
        self.version_table, self._standstill = version_table, standstill
        self._path: str | None = None
        self._last: Seen | None = None
        self._known: Seen | None = None
        self._transactions: dict[str, int] = {}
        self._busy = self._reads_only = False
        self._names: Mapping[QualifiedName, Mapping[str, str]] = {}
        self.chain: Watch | None = None
        """What has watched the revisions before this one that were one with it; others know what it knew."""
        self.roots: Mapping[QualifiedName, QualifiedName] = {}
        self.relied: frozenset[Promise] | None = None
        self.nested = Nested()

    @contextmanager
    def during(self, path: str) -> Iterator[None]:
        """Watch while a revision runs, whose file is *path*; what an earlier one has left is known."""
        self._path, self._last = str(Path(path).resolve()), None
        self._names, self.roots = {}, {}
        try:
            yield
        finally:
            self._path = None

    def restart(self) -> None:
        """Begin the list of statements again, for another revision."""
        self.statements, self.commits, self._transactions, self.bare = [], [], {}, 0

    def forget(self, sql: str = "") -> None:
        """What is known of the catalog is so no more, if *sql* changes it, which is not looked at."""
        if not (_CONTROL.match(sql) or _ASKS.match(sql) or (sql and self.version_table in sql)):
            self._last = self._known = None

    def attach(self, connection: psycopg.Connection[Any]) -> None:
        """Give a connection the cursor of ours."""
        rollback = connection.rollback

        def undone() -> None:
            self._last = self._known = None
            rollback()

        connection.rollback = undone  # type: ignore[method-assign]
        connection.pgconn.exec_(b"SET jit = off")  # a look is small, and planned as if it were large
        self.nested.attach(connection)
        connection.cursor_factory = type("WatchedCursor", (_Cursor,), {"watch": self})

    @property
    def active(self) -> bool:
        """Whether a revision runs, and no look of ours."""
        return self._path is not None and not self._busy

    def left_out(self, name: QualifiedName) -> bool:
        """Return whether a table is Alembic's or schema_kit's."""
        return name.name == self.version_table or name.schema == "schema_kit"

    def committed(self, connection: psycopg.Connection[Any]) -> None:
        """Take down a commit of its own.

        Raises:
            Killed: it is the one after which the session ends.
        """
        last = self.statements[-1].sql if self.statements else ""
        self.commits.append(Commit(last, self._line(), ours()))
        if len(self.commits) == self._killed_after:
            connection.close()
            raise Killed

    def needless(self, connection: psycopg.Connection[Any], sql: str) -> bool:
        """Create the roles that a statement names and the server lacks; whether it does not have to be sent."""
        if connection.info.transaction_status == pq.TransactionStatus.IDLE:
            self._last = None
        rows = Eyes(connection).rows
        roles.stand_in(sql, rows)
        return roles.needless(without_leading_comments(sql), rows)

    def unwatched(self, connection: psycopg.Connection[Any], sql: str, send: Callable[[], Any]) -> None:
        """Send a statement at which nothing is looked but what it does to the whole server."""
        refuse_statement(sql)
        self.forget(sql)
        if self._busy or not _OF_THE_SERVER.search(sql):
            send()
            return
        eyes = Eyes(connection)
        alone = connection.autocommit and connection.info.transaction_status == pq.TransactionStatus.IDLE
        if alone:
            eyes.rows("BEGIN")
        try:
            send()
            if shared.touched(eyes.glance(None).locks):
                shared.keep(connection, sql)
        except psycopg.Error as error:
            if not alone:
                raise
            eyes.rows("ROLLBACK")
            if error.sqlstate not in _NOT_IN_A_TRANSACTION:
                raise
            send()
        else:
            if alone:
                eyes.rows("COMMIT")

    def run(
        self, connection: psycopg.Connection[Any], sql: str, send: Callable[[], None], plan: Callable[[], Plan] = dict
    ) -> None:
        """Send one statement, and look before and after it; *plan* is how PostgreSQL would run it."""
        sql = without_leading_comments(sql)
        shown = " ".join(sql.split())[:_SHOWN]
        if _CONTROL.match(sql):
            if _ENDS.match(sql):
                self._last = None
                self._reads_only = bool(_READS_ONLY.match(sql))
            if _UNDOES.match(sql):
                self._last = self._known = None
            begun = connection.info.transaction_status == pq.TransactionStatus.INTRANS
            send()
            if begun and _COMMITS.match(sql):
                self.committed(connection)
            return
        if self._reads_only and connection.info.transaction_status == pq.TransactionStatus.INTRANS:
            send()  # nothing is locked, written or made
            return
        self._busy, self._reads_only = True, False
        try:
            refuse_statement(sql)
            if connection.autocommit and connection.info.transaction_status == pq.TransactionStatus.IDLE:
                self._alone(connection, shown, send, plan)
            else:
                self._inside(connection, shown, send, plan)
        except psycopg.Error as error:
            failure = Failure(error.sqlstate or "", (error.diag.message_primary or str(error)).strip())
            self.statements.append(Statement(shown, self._line(), self._number(None), failure=failure))
            self._last = self._known = None
            raise
        finally:
            self._busy = False

    def _inside(
        self,
        connection: psycopg.Connection[Any],
        sql: str,
        send: Callable[[], None],
        plan: Callable[[], Plan],
    ) -> None:
        eyes = Eyes(connection)
        if connection.info.transaction_status == pq.TransactionStatus.IDLE:
            self._last = None
        before = self._last or self._first(eyes)
        asks = bool(_ASKS.match(sql))
        by_plan = bool(_READS_BY_PLAN.match(sql) or _ROWS_ALONE.match(sql)) and not (
            asks and not strongly(before) and not _LOCKS_ROWS.search(sql)
        )
        dependents = eyes.dependents() if _CASCADES.search(sql) else None
        reached = dict[QualifiedName, str]()
        if by_plan:  # a table without rows is read from end to end whatever its indexes are
            eyes.rows("SELECT pg_catalog.set_config('enable_seqscan', 'off', true)")
            if _WRITES.search(sql):
                reached = self._reached(eyes, before, plan)
        if runs_others := bool(_RUNS_OTHERS.match(sql)):
            eyes.rows(self.nested.begin())
        send()
        if runs_others:
            eyes.rows(self.nested.end())
        if by_plan:
            eyes.rows("SELECT pg_catalog.set_config('enable_seqscan', 'on', true)")
        after = eyes.glance(before) if asks else eyes.look(before, promises=not _ROWS.match(sql))
        if asks and strongly(after) != strongly(before):
            after = eyes.look(before)
        if shared.touched(after.locks):
            shared.keep(connection, sql)
        if runs_others:
            new = self._new(after)
            reached = dict(one for plan in self.nested.plans for one in unbounded(plan, new)) | reached
        counted = list[QualifiedName]()

        def there(table: QualifiedName) -> int:
            counted.append(table)
            return eyes.count(table)

        taken = (dependents, eyes.dependents()) if dependents is not None else None
        self._note(before, after, sql, there=there, begins=eyes.begins, taken=taken, reached=reached)
        self._last = self._known = eyes.look(after, promises=False) if counted else after  # to count is to scan

    def _reached(self, eyes: Eyes, before: Seen, plan: Callable[[], Plan]) -> dict[QualifiedName, str]:
        """Return the tables that a statement writes without a bound, by its plan; none where it cannot be planned."""
        eyes.rows("SAVEPOINT schema_kit_lint")
        try:
            found = plan()
        except psycopg.Error:  # PostgreSQL says so again when it is sent
            eyes.rows("ROLLBACK TO SAVEPOINT schema_kit_lint")
            found = {}
        eyes.rows("RELEASE SAVEPOINT schema_kit_lint")
        return dict(unbounded(found, self._new(before))) if found else {}

    def _new(self, seen: Seen) -> frozenset[QualifiedName]:
        """Return the tables that have only the rows that the revision has put there."""
        return frozenset(one.name for oid, one in seen.relations.items() if oid not in (self.old or ()))

    def _first(self, eyes: Eyes) -> Seen:
        """Return the look before the first statement of a transaction: the catalog is as the last one has left it."""
        seen = eyes.glance(self._known) if self._known else eyes.look()
        if self.old is None:
            self.old = frozenset(seen.relations)
        if self.chain:
            self.old, self.relied, self._names = self.chain.old, self.chain.relied, self.chain._names
        if self.relied is None:
            self.relied = seen.promises
        self.roots = self.roots or roots(seen)
        self._names = self._names or {
            one.name: {column.name: column.like for column in one.columns.values()} for one in seen.relations.values()
        }
        return seen

    def _alone(
        self, connection: psycopg.Connection[Any], sql: str, send: Callable[[], None], plan: Callable[[], Plan]
    ) -> None:
        eyes = Eyes(connection)
        self._last = None
        eyes.rows("BEGIN")
        try:
            if _ASKS.match(sql) and self._known:
                send()
                if strongly(seen := eyes.glance(self._known)) or shared.touched(seen.locks):  # by a function
                    raise _DoesMore
            else:
                self._inside(connection, sql, send, plan)
            eyes.rows("COMMIT")
            if not _ASKS.match(sql):
                self.committed(connection)
        except _DoesMore:
            eyes.rows("ROLLBACK; BEGIN")
            self._last = None
            self._inside(connection, sql, send, plan)
            eyes.rows("COMMIT")
            self.committed(connection)
        except psycopg.Error as error:
            with suppress(psycopg.Error):
                eyes.rows("ROLLBACK")
            if error.sqlstate not in _NOT_IN_A_TRANSACTION:
                raise
            self._bare(connection, sql, send)
        finally:
            self._last = None

    def _bare(self, connection: psycopg.Connection[Any], sql: str, send: Callable[[], None]) -> None:
        """What runs in no transaction of ours."""
        self.bare += 1
        eyes = Eyes(connection)
        before = self._first(eyes)
        eyes.rows(self.nested.begin(local=False))
        with self._stopped(connection) as locks:
            send()
        eyes.rows(self.nested.end(local=False))
        self._known = after = eyes.look()
        reached = dict(one for plan in self.nested.plans for one in unbounded(plan, self._new(after)))
        self._note(before, after, sql, there=eyes.count, begins=eyes.begins, locks=locks, reached=reached)
        self.committed(connection)

    @contextmanager
    def _stopped(self, connection: psycopg.Connection[Any]) -> Iterator[set[tuple[int, Any]]]:
        if self._standstill is None:
            yield set()
            return
        with self._standstill.of(connection.info.backend_pid) as locks:
            yield locks

    def _note(
        self,
        before: Seen,
        after: Seen,
        sql: str,
        *,
        there: Callable[[QualifiedName], int],
        begins: Callable[[QualifiedName], bool],
        locks: set[tuple[int, Any]] | None = None,
        taken: tuple[frozenset[Promise], frozenset[Promise]] | None = None,
        reached: Mapping[QualifiedName, str] | None = None,
    ) -> None:
        if locks is not None:
            before.locks, after.locks = frozenset(), frozenset(locks)
        assert self.old is not None  # it was remembered before
        between = Between(
            before,
            after,
            sql,
            self.old,
            self.left_out,
            self._names,
            self.relied or frozenset(),
            taken or (frozenset(), frozenset()),
            reached or {},
        )
        number = self._number(before.transaction if locks is None else None)
        made = between.statement(self._line(), number, there=there, begins=begins)
        self.statements.append(replace(made, ours=ours(), times=self.times, commits=locks is not None))

    def _number(self, transaction: str | None) -> int:
        name = transaction or f"alone {len(self.statements)}"
        return self._transactions.setdefault(name, len(self._transactions) + 1)

    def _line(self) -> int:
        callers = walk_stack(sys._getframe(1))
        return next((line for frame, line in callers if frame.f_code.co_filename == self._path), 0)


class _Cursor(psycopg.Cursor[Any]):
    """A cursor that a Watch looks through."""

    watch: Watch

    def execute(self, query: Any, params: Any = None, **kw: Any) -> _Cursor:
        given = _text(query, self)
        if (text := here(given)) != given:
            query = text.encode()
        if self.watch.needless(self.connection, text):
            return self
        if not self.watch.active:
            self.watch.unwatched(self.connection, text, lambda: super(_Cursor, self).execute(query, params, **kw))
            return self
        parts = () if params else _parts(text)
        if len(parts) < 2:
            self._watched(text, lambda: super(_Cursor, self).execute(query, params, **kw), params)
            return self
        self._several(parts, params, kw)
        return self

    def _watched(self, text: str, send: Callable[[], Any], params: Any = None) -> None:
        def plan() -> Plan:
            with psycopg.Cursor(self.connection, row_factory=tuple_row) as cursor:
                cursor.execute(f"EXPLAIN (VERBOSE, FORMAT JSON) {text}".encode(), params, prepare=False)
                ((found,),) = cursor.fetchall()
            return dict((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])

        self.watch.run(self.connection, text, send, plan)

    def _several(self, parts: tuple[str, ...], params: Any, kw: dict[str, Any]) -> None:
        """Several statements in one message are one transaction, unless they say otherwise."""
        send = super().execute
        idle = self.connection.info.transaction_status == pq.TransactionStatus.IDLE
        wrap = self.connection.autocommit and idle and not any(_ENDS.match(part) for part in parts)
        results = list[Any]()
        eyes = Eyes(self.connection)
        if wrap:
            eyes.rows("BEGIN")
        try:
            for part in parts:
                self._watched(part, lambda part=part: send(part.encode(), params, **kw))  # type: ignore[misc]
                results += self._results
        except BaseException:
            if wrap:
                with suppress(psycopg.Error):
                    eyes.rows("ROLLBACK")
            raise
        if wrap:
            eyes.rows("COMMIT")
            self.watch.committed(self.connection)
        self._results[:] = results
        self._select_current_result(0)

    def executemany(self, query: Any, params_seq: Any, **kw: Any) -> None:
        if not self.watch.active:
            super().executemany(query, params_seq, **kw)
            return
        given = list(params_seq)
        first = given[0] if given else None
        self.watch.times = len(given)
        try:
            self._watched(_text(query, self), lambda: super(_Cursor, self).executemany(query, given, **kw), first)
        finally:
            self.watch.times = 1

    @contextmanager
    def copy(self, statement: Any, params: Any = None, **kw: Any) -> Iterator[Any]:
        """COPY is not looked at: its rows go out in a block of the caller's."""
        refuse_statement(_text(statement, self))
        with super().copy(statement, params, **kw) as copy:
            yield copy


def _text(query: Any, cursor: psycopg.Cursor[Any]) -> str:
    if isinstance(query, bytes):
        return query.decode(errors="replace")
    return query if isinstance(query, str) else str(query.as_string(cursor))


def _parts(text: str) -> tuple[str, ...]:
    if ";" not in text.rstrip("; \n\t"):
        return ()
    try:
        return split(text)
    except ValueError:  # what cannot be split is one statement
        return ()
