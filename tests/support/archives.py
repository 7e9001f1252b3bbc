"""Sets whose months leave: retired, or archived by partition."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from schema_kit.errors import PlanError
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.tables import checksum, months

NOW = "2026-05-20"


def build(database: Database, table: str = "t", schema: str = "s", **policy: Any) -> Database:
    """A partitioned table from January to June 2026, with a row a day, kept for two months."""
    own = f'"{schema}"."{table}"'
    policy = {"retention": "2 months", **policy}
    database.sql(
        *load("partman/tables/part_config.sql"),
        f'CREATE SCHEMA IF NOT EXISTS "{schema}"',
        f"CREATE TABLE {own} (id bigint, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
        "PARTITION BY RANGE (at)",
        *months(own),
        f"INSERT INTO {own} SELECT i, '2026-01-01+00'::timestamptz + i * interval '1 day', 'w' "
        "FROM generate_series(0, 150) i",
        register_sql(Partitioning(QualifiedName(schema, table), "at", "1 mon", **policy)),
    )
    return database


def attached(database: Database, table: str = "s.t") -> str:
    """The months that are attached, those detach pending marked; not those that were premade since."""
    found = database.sql(
        f"SELECT right(inhrelid::regclass::text, 2) || CASE WHEN inhdetachpending THEN '!' ELSE '' END "
        f"FROM pg_inherits WHERE inhparent = '{table}'::regclass AND inhrelid::regclass::text !~ '_p2' ORDER BY 1"
    )
    return " ".join(row[0] for row in found)


def there(database: Database, schema: str = "s") -> str:
    found = database.sql(
        f"SELECT right(relname, 2) FROM pg_class WHERE relkind = 'r' AND relnamespace = '{schema}'::regnamespace "
        "AND relname LIKE 't\\_%' ORDER BY 1"
    )
    return " ".join(row[0] for row in found)


def retire(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell(database, "partitions", "retire", "--now", NOW, *arguments)


def later(database: Database) -> None:
    """Eight days pass."""
    database.sql("UPDATE schema_kit.retired_partition SET retired_at = '2026-05-11'")


VIEW = "all_t"


def run(database: Database | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell(database, "archive", "run", "--now", NOW, *arguments)


def restore(database: Database, since: str, until: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell(database, "archive", "restore", "s.t", "--since", since, "--until", until, *arguments)


def archived(
    database: Database, table: str = "t", schema: str = "s", view: str | None = None, **policy: Any
) -> Database:
    """A partitioned table from January to June 2026, a row a day, and an archive for what is older than two months."""
    build(database, table, schema, **{"retention": None, **policy})

    def operate(op: Any) -> None:
        op.create_archive_table(table, schema=schema, view=view)
        op.set_archive_policy(table, "2 months", schema=schema)

    perform(database, operate)
    return database


def places(database: Database) -> tuple[str, str, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What is where, what is in transit, and a checksum of all rows."""
    way = database.sql("SELECT partition_name FROM schema_kit.archived_partition WHERE moved_at IS NULL")
    return attached(database), attached(database, "s.t_archive"), way, [checksum(database, "s.t", "s.t_archive")]


@contextmanager
def reading(database: Database, *statements: str) -> Iterator[set[tuple[Any, ...]]]:
    """Readers of the view in a loop, and of both tables the other way round, or of what is said: what they saw."""
    seen, ended, failed = set[tuple[Any, ...]](), threading.Event(), list[Exception]()

    def read(statement: str, level: str) -> None:
        try:
            with psycopg.connect(database.url, autocommit=False) as connection:
                connection.execute(f"SET default_transaction_isolation = '{level}'".encode())
                connection.commit()
                while not ended.is_set():
                    row = connection.execute(statement.encode(), prepare=True).fetchone()
                    assert row
                    seen.add(row)
                    connection.commit()
        except psycopg.Error as error:
            failed.append(error)

    both = f"SELECT count(*), count(DISTINCT id), sum(id) FROM s.{VIEW}"
    turned = (
        "SELECT count(*), count(DISTINCT id), sum(id) FROM (SELECT id, at FROM s.t_archive UNION ALL "
        "SELECT id, at FROM s.t) x"
    )
    readers = [
        threading.Thread(target=read, args=(statement, level))
        for statement in statements or (both, turned)
        for level in ("read committed", "repeatable read")
    ]
    for reader in readers:
        reader.start()
    try:
        yield seen
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert not failed


def in_exactly_one_place(database: Database) -> int:
    """The rows in the table, in the archive, and in what retired_partition names as detached."""
    names = []
    if database.sql("SELECT to_regclass('schema_kit.retired_partition') IS NOT NULL")[0][0]:
        names = database.sql(
            "SELECT partition_name FROM schema_kit.retired_partition WHERE NOT EXISTS ("
            "SELECT 1 FROM pg_inherits WHERE inhrelid = partition_oid AND NOT inhdetachpending)"
        )
    tables = ["s.t", "s.t_archive", *(name for (name,) in names)]
    found = database.sql(
        "SELECT count(*), count(DISTINCT id) FROM (" + " UNION ALL ".join(f"SELECT id FROM {t}" for t in tables) + ") x"
    )
    assert found[0][0] == found[0][1]
    return int(found[0][0])


ROWS = 151


def refused(database: Database, operate: Any, words: str, kind: type[Exception] = PlanError) -> None:
    before = database.sql("SELECT count(*) FROM pg_class")
    with pytest.raises(kind, match=words):
        perform(database, operate)
    assert database.sql("SELECT count(*) FROM pg_class") == before
