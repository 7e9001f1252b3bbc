"""Time-to-live policies, through the console script."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import schema_kit
from schema_kit import op
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import called
from tests.support.database import QUICK, Database
from tests.support.rows import NOW
from tests.support.tables import months


def ttl(database: Database, verb: str, *arguments: str, now: str = NOW) -> subprocess.CompletedProcess[str]:
    """Call it, and wait for its end, without a terminal."""
    return called(["schema_kit", "ttl", verb, *arguments, "--url", database.url, "--now", now])


def ran(database: Database, *arguments: str, now: str = NOW) -> str:
    """`ttl run --yes`, which has to succeed; what was done."""
    done = ttl(database, "run", "--yes", *arguments, now=now)
    assert done.returncode == 0, done.stderr
    return done.stdout


def operate(database: Database, operation: Callable[[], None]) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        operation()


def policy(database: Database, table: str, column: str, **options: Any) -> None:
    operate(database, lambda: op.set_ttl_policy(table, column, **options))


def log(database: Database, type_: str = "timestamptz", values: str = "now() - i * interval '1 day'") -> None:
    database.sql(
        f"CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at {type_})",
        "CREATE INDEX ON log (at)",
        f"INSERT INTO log (at) SELECT {values} FROM generate_series(1, 100) i",
        "INSERT INTO log (at) VALUES (NULL)",
    )


def in_months(database: Database, **more: Any) -> None:
    database.sql(
        "CREATE TABLE e (id bigint, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON e (at)",
        *months("e", 7, 11),
        "INSERT INTO e SELECT i, '2026-07-01+00'::timestamptz + i * interval '1 day' FROM generate_series(0, 140) i",
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(QualifiedName("public", "e"), "at", "1 mon", **more)),
    )
