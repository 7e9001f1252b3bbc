"""A database of its own for each test, and short ways to use it."""

from __future__ import annotations

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


@dataclass
class Database:
    """An empty database, with as many connections as a test wants."""

    url: str
    stack: ExitStack
    events: list[Event] = field(default_factory=list)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A plain psycopg connection, closed after the test."""
        return self.stack.enter_context(psycopg.connect(self.url, autocommit=autocommit))

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Send statements; the rows of the last one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def sqlalchemy(self) -> sa.Connection:
        """An autocommit connection, as the package uses it."""
        return self.stack.enter_context(
            environment.connect(sa.make_url(self.url).set(drivername="postgresql+psycopg"), autocommit=True)
        )

    def run(self, decide: Callable[[Catalog], Plan], policy: LockPolicy = QUICK) -> tuple[Step, ...]:
        """Send what *decide* wants, as the doors do; events are kept."""
        connection = self.sqlalchemy()
        return execute.run(connection, lambda: decide(Catalog(connection)), policy, self.events.append)
