"""Each command names each right that it lacks, with exit code 3, and goes on with it; docs/rights.md lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.archives import NOW, archived, build
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform, thinned
from tests.support.rights import PAGE, Limited, limited, row_of, until_it_goes_on

pytestmark = [pytest.mark.cli, pytest.mark.majors]


def plain(database: Database) -> None:
    """A partitioned table, and next to it a plain one."""
    build(database)
    database.sql(
        "CREATE TABLE s.plain (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO s.plain SELECT i, '2026-05-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 40) i",
        "CREATE TABLE s.found (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE s.found_05 PARTITION OF s.found FOR VALUES FROM ('2026-05-01+00') TO ('2026-06-01+00')",
        "CREATE TABLE s.found_06 PARTITION OF s.found FOR VALUES FROM ('2026-06-01+00') TO ('2026-07-01+00')",
    )


def gap(database: Database) -> None:
    build(database, retention=None)
    database.sql("DROP TABLE s.t_03")


def strays(database: Database) -> None:
    build(database, retention=None)
    database.sql("CREATE TABLE s.t_default PARTITION OF s.t DEFAULT", "INSERT INTO s.t VALUES (999, '2026-09-09', 'w')")


def wide(database: Database) -> None:
    build(database, retention=None)
    database.sql(
        "CREATE TABLE s.t_wide PARTITION OF s.t FOR VALUES FROM ('2030-01-01+00') TO ('2030-04-01+00')",
        "INSERT INTO s.t VALUES (998, '2030-01-09', 'w'), (999, '2030-03-09', 'w')",
    )


def by_partition(database: Database) -> None:
    archived(database)


def summed(database: Database) -> None:
    build(database)
    database.sql(
        "CREATE MATERIALIZED VIEW s.sums AS SELECT id, count(*) FROM s.t GROUP BY id",
        "CREATE UNIQUE INDEX ON s.sums (id)",
    )


def moved(database: Database) -> None:
    archived(database)
    assert shell(database, "archive", "run", "--now", NOW).returncode == 0


def by_rows(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.log (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text)",
        "CREATE INDEX ON s.log (at)",
        "INSERT INTO s.log SELECT i, '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 150) i",
    )
    perform(database, lambda op: op.create_archive_table("log", schema="s"))
    perform(database, lambda op: op.set_archive_policy("log", "60 days", schema="s", way="rows", control="at"))


def expiring(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.log (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text)",
        "CREATE INDEX ON s.log (at)",
        "CREATE TABLE s.child (id bigint PRIMARY KEY, log_id bigint REFERENCES s.log ON DELETE CASCADE)",
        "CREATE INDEX ON s.child (log_id)",
        "INSERT INTO s.log SELECT i, '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 150) i",
        "INSERT INTO s.child SELECT i, i FROM generate_series(0, 150) i",
    )
    perform(database, lambda op: op.set_ttl_policy("log", "at", age="60 days", schema="s", tree={"s.child": {}}))


@dataclass(frozen=True)
class Case:
    begin: Callable[[Database], None]
    words: str
    goes: tuple[int, ...] = (0,)
    """Exit codes of one that goes on, or says it among the rest."""
    now: bool = True


COMMANDS = {
    "partitions list": Case(plain, "partitions list"),
    "partitions check": Case(plain, "partitions check", (0, 4)),
    "partitions timeline": Case(plain, "partitions timeline"),
    "partitions create-next": Case(plain, "partitions create-next s.t"),
    "partitions maintain": Case(plain, "partitions maintain s.t"),
    "partitions retire": Case(plain, "partitions retire s.t"),
    "partitions undo": Case(plain, "partitions undo s.t --yes"),
    "partitions convert": Case(plain, "partitions convert s.plain --control at --interval 1mon"),
    "partitions adopt": Case(plain, "partitions adopt s.found"),
    "partitions fill-gaps": Case(gap, "partitions fill-gaps s.t"),
    "partitions drain-default": Case(strays, "partitions drain-default s.t"),
    "partitions split": Case(wide, "partitions split s.t_wide"),
    "archive run": Case(by_partition, "archive run"),
    "archive run of rows": Case(by_rows, "archive run"),
    "archive status": Case(moved, "archive status", (0, 4)),
    "archive verify": Case(moved, "archive verify", now=False),
    "archive restore": Case(moved, "archive restore s.t --since 2026-01-01 --until 2026-02-01", now=False),
    "archive export": Case(plain, "archive export s.t_01 --to {folder}", now=False),
    "archive export --drop": Case(plain, "archive export s.t_01 --to {folder} --drop --yes", now=False),
    "archive files": Case(plain, "archive files", now=False),
    "status": Case(moved, "status", (0, 4)),
    "refresh": Case(summed, "refresh s.sums", now=False),
    "health": Case(plain, "health", (0, 4), now=False),
    "report": Case(plain, "report --out {folder}/report.html", now=False),
    "sql apply": Case(plain, "sql apply --schema partman", now=False),
    "ttl run": Case(expiring, "ttl run --yes"),
    "ttl status": Case(expiring, "ttl status"),
}


def refusal(some: Limited, case: Case, folder: Path) -> Callable[[], str]:
    words = case.words.format(folder=folder).split() + (["--now", NOW] if case.now else [])

    def run() -> str:
        done = shell(some.url, *words)
        if done.returncode in case.goes and some.role not in done.stdout:
            return ""
        assert done.returncode in (3, *(case.goes if 4 in case.goes else ())), (done.returncode, done.stderr)
        return done.stderr + done.stdout

    return run


FIRST = (
    "partitions list",
    "partitions create-next",
    "partitions convert",
    "archive run of rows",
    "archive export",
    "ttl run",
)


@pytest.mark.parametrize("name", thinned(COMMANDS, *FIRST))
def test_each_right_is_named_and_granted(database: Database, name: str, tmp_path: Path) -> None:
    case = COMMANDS[name]
    case.begin(database)
    with limited(database) as some:
        some.owned("s", "schema_kit")
        granted = until_it_goes_on(some, refusal(some, case, tmp_path))
    row = row_of(name, granted)
    assert row in PAGE.read_text("utf-8"), row
