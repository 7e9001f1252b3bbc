"""A default partition that is drained step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

import schema_kit
from schema_kit import execute, op
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted
from schema_kit.names import QualifiedName
from schema_kit.plans.copying import abandon
from schema_kit.script import render
from schema_kit.steps import Plan, Step
from schema_kit.tasks.copying import drain
from tests.support.database import QUICK, Database

SET = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL, body text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
    "INSERT INTO s.t SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', 'as it was' "
    "FROM generate_series(1, 60000) i",
)
T = QualifiedName("s", "t")
CONTENT = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM s.t t"


@dataclass
class Scene:
    database: Database

    def __post_init__(self) -> None:
        self.database.sql(*SET)
        with schema_kit.operations(self.database.sqlalchemy()):
            op.create_part_config()
        self.database.sql(
            "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) "
            "VALUES ('s.t', 'at', '1 mon')"
        )
        self.done: list[Step] = []

    def decide(self, catalog: Catalog) -> Plan:
        policy = catalog.policy(T)
        assert policy
        return drain(catalog, policy)

    def run(self, before: type[Step] | None = None, then: Callable[[Step], object] = lambda _: None) -> None:
        """Drain it; before the first step of that kind, something happens."""
        connection = self.database.sqlalchemy()
        happened = False

        def tell(event: Event) -> None:
            nonlocal happened
            if isinstance(event, StepStarted):
                if before and isinstance(event.step, before) and not happened:
                    happened = True
                    then(event.step)
                self.done.append(event.step)

        execute.run(connection, lambda: self.decide(Catalog(connection)), QUICK, tell)
        assert happened or before is None

    def until(self, kind: type[Step]) -> Step:
        """Stop before the first step of that kind, and return it."""

        class StopError(Exception):
            pass

        steps: list[Step] = []

        def stop(step: Step) -> None:
            steps.append(step)
            raise StopError

        with pytest.raises(StopError):
            self.run(kind, stop)
        return steps[0]

    def abandoned(self) -> Step:
        """What would take back what the copy has made so far."""
        catalog, default = Catalog(self.database.sqlalchemy()), QualifiedName("s", "t_default")
        policy = catalog.policy(T)
        assert policy
        return abandon(default, catalog.copying(default, catalog.table(T), policy, "drain")).steps[0]

    def sent(self, kind: type[Step]) -> int:
        return sum(isinstance(step, kind) for step in self.done)

    def send(self, step: Step) -> None:
        """One commit of a step, by hand."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            for statement in render(step, QUICK):
                connection.execute(statement.encode())
