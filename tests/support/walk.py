"""Each command of the shell once, on a database that has something for each of them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.archives import NOW, archived
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform

LOCAL = {
    *(f"db {name}" for name in ("psql", "reset", "start", "status", "stop", "url")),
    *("diff", "init", "lint", "sql list", "sql render", "sql show"),
}
"""Commands that look at no database, have their own, or run the project's env.py."""


@dataclass(frozen=True)
class Call:
    """How a command is called.

    Args:
        words: behind its name.
        acts: it changes the database.
        dry: it has --dry-run, and that works where nothing can be written.
        due: it says with exit code 4 that work is due.
    """

    words: str = ""
    acts: bool = False
    dry: bool = True
    due: bool = False

    @property
    def codes(self) -> tuple[int, ...]:
        """How it may end where it can do its work."""
        return (0, 4) if self.due else (0,)


RANGE = "s.t --since 2026-01-01 --until 2026-02-01"
CALLS = {
    "advise index": Call("--statements {folder}/statements.sql"),
    "advise partition": Call("s.plain --statements {folder}/statements.sql"),
    "advise plan": Call("'SELECT * FROM s.plain WHERE id = 7'"),
    "archive export": Call("s.t_04 --to {folder}", acts=True),
    "archive files": Call(),
    "archive files --forget": Call("{folder}/x.parquet --yes", acts=True, dry=False),
    "archive import": Call("{folder}/x.parquet", acts=True, dry=False),
    "archive restore": Call(RANGE, acts=True, dry=False),
    "archive run": Call(f"--now {NOW}", acts=True),
    "archive status": Call(f"--now {NOW}", due=True),
    "archive verify": Call(),
    "doctor": Call(due=True),
    "health": Call(f"--now {NOW}", due=True),
    "health --remember": Call(acts=True, dry=False),
    "partitions adopt": Call("s.found", acts=True),
    "partitions check": Call(f"--now {NOW}", due=True),
    "partitions convert": Call(f"s.plain --control at --interval 1mon --now {NOW}", acts=True),
    "partitions create-next": Call(f"--now {NOW}", acts=True),
    "partitions drain-default": Call(f"s.more --now {NOW}", acts=True),
    "partitions fill-gaps": Call(f"s.more --now {NOW}", acts=True),
    "partitions hand-over": Call("s.more", acts=True, dry=False),
    "partitions list": Call(f"--now {NOW}"),
    "partitions maintain": Call(f"--now {NOW}", acts=True),
    "partitions retire": Call(f"--now {NOW} --yes", acts=True),
    "partitions split": Call("s.t_04", acts=True),
    "partitions timeline": Call(f"--now {NOW}"),
    "partitions undo": Call("s.found --yes", acts=True),
    "refresh": Call("s.days", acts=True),
    "report": Call(f"--out {{folder}}/report.html --now {NOW}"),
    "sql apply": Call(acts=True),
    "sql remove": Call("--yes", acts=True),
    "sql run": Call("blockers"),
    "sql status": Call(due=True),
    "status": Call(f"--now {NOW}", due=True),
    "ttl run": Call(f"--yes --now {NOW}", acts=True),
    "ttl status": Call(f"--now {NOW}"),
}


def build(database: Database) -> None:
    """A table with an archive and a view, one without partitions ahead, a plain table, one whose rows expire."""
    archived(database)
    assert shell(database, "archive", "run", "--now", NOW).returncode == 0
    month = "FOR VALUES FROM ('2026-05-01+00') TO ('2026-06-01+00')"
    database.sql(
        "CREATE TABLE s.plain (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO s.plain SELECT i, '2026-05-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 40) i",
        "CREATE MATERIALIZED VIEW s.days AS SELECT DATE '2026-05-01' AS day",
        "CREATE UNIQUE INDEX ON s.days (day)",
        "CREATE TABLE s.found (at timestamptz PRIMARY KEY) PARTITION BY RANGE (at)",
        f"CREATE TABLE s.found_05 PARTITION OF s.found {month}",
        "CREATE TABLE s.more (at timestamptz PRIMARY KEY) PARTITION BY RANGE (at)",
        f"CREATE TABLE s.more_05 PARTITION OF s.more {month}",
        "CREATE TABLE s.more_default PARTITION OF s.more DEFAULT",
        "INSERT INTO s.more VALUES ('2026-02-03')",
        "CREATE TABLE s.log (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "CREATE INDEX ON s.log (at)",
        "INSERT INTO s.log SELECT i, '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 9) i",
    )
    perform(database, lambda op: op.set_partition_policy("more", control="at", interval="1 month", schema="s"))
    perform(database, lambda op: op.set_ttl_policy("log", "at", age="60 days", schema="s"))
