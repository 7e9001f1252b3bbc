"""A database of its own for each test, and short ways to use it."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa

from schema_kit import environment, execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan, Step

QUICK = LockPolicy(first=50, longest=200, attempts=6, statement_timeout=10_000)
_OF_THE_NEXT_SESSION = r"alter\s+(database|role|user|system)|pg_reload_conf"


def own_role(name: str) -> str:
    """Return the name of a role that several tests create: roles are the cluster's, so each worker has its own."""
    return f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


@dataclass
class Database:
    """An empty database, with as many connections as a test needs."""

    url: str
    stack: ExitStack
    events: list[Event] = field(default_factory=list)
    _idle: list[psycopg.Connection[Any]] = field(default_factory=list, repr=False)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A plain psycopg connection, closed after the test."""
        return self.stack.enter_context(psycopg.connect(self.url, autocommit=autocommit))

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements in a session without settings of its own; the rows of the last one."""
        connection = self._idle.pop() if self._idle else self._session()
        if connection.closed or select.select([connection], [], [], 0)[0]:  # by the test, or by a server that stopped
            connection = self._session()
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
            connection.execute("DISCARD ALL")
            if connection.info.server_version >= 150000:
                connection.execute(
                    "SELECT pg_stat_force_next_flush()"
                )  # others see it in statistics as if it had ended
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        ended = connection.info.server_version < 150000
        if ended or any(re.search(_OF_THE_NEXT_SESSION, each, re.IGNORECASE) for each in statements):
            while self._idle:
                self._idle.pop().close()
        return rows

    def _session(self) -> psycopg.Connection[Any]:
        connection = self.connect()
        connection.prepare_threshold = None  # DISCARD ALL forgets what is prepared
        return connection

    def sqlalchemy(self) -> sa.Connection:
        """An autocommit connection, as the package uses it."""
        return self.stack.enter_context(
            environment.connect(sa.make_url(self.url).set(drivername="postgresql+psycopg"), autocommit=True)
        )

    def run(self, decide: Callable[[Catalog], Plan], policy: LockPolicy = QUICK) -> tuple[Step, ...]:
        """Send what *decide* returns, as the entry points do; events are kept."""
        connection = self.sqlalchemy()
        return execute.run(connection, lambda: decide(Catalog(connection)), policy, self.events.append)
