"""Row security that hides rows from the role that works: each command handles all rows, or refuses and changes nothing.

The role that works is not a superuser: the owner of tables with FORCE ROW LEVEL SECURITY, or one that policies are for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from schema_kit import op, operations
from schema_kit.cli import cli
from schema_kit.environment import connect
from schema_kit.errors import SchemaKitError
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

NOW = "2026-03-15 00:00:00+00"
ROLE = f"clerk_{os.getpid()}"

MONTHS = (
    "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    *(
        f"CREATE TABLE s.t_p2026{m:02}01 PARTITION OF s.t FOR VALUES FROM ('2026-{m:02}-01') TO ('2026-{m + 1:02}-01')"
        for m in (1, 2, 3)
    ),
    "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
)
FILL = "INSERT INTO s.{} SELECT i, '2026-01-01'::timestamptz + {} * interval '1 day', 'x' FROM generate_series(1, 60) i"
PLAIN = "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, v text); CREATE INDEX ON s.t (at)"
IDS = (
    "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz, v text) PARTITION BY RANGE (id)",
    "CREATE TABLE s.t_p0 PARTITION OF s.t FOR VALUES FROM (0) TO (100)",
    "CREATE TABLE s.t_p100 PARTITION OF s.t FOR VALUES FROM (100) TO (200)",
    "INSERT INTO s.t SELECT i FROM generate_series(2, 90, 2) i UNION ALL SELECT 199",
)

Act = Callable[[str, Path], None]


def shell(*arguments: str) -> Act:
    """A command of the shell."""

    def act(url: str, folder: Path) -> None:
        words = [word.replace("FOLDER", str(folder)) for word in arguments]
        cli.main([*words, "--url", url], standalone_mode=False)

    return act


def operation(work: Callable[[], None]) -> Act:
    """An operation, as a program calls it."""

    def act(url: str, folder: Path) -> None:
        with connect(make_url(url), autocommit=True) as connection, operations(connection, policy=QUICK):
            work()

    return act


def policy(**more: Any) -> Callable[[], None]:
    """The policy of the table."""
    return lambda: op.set_partition_policy("t", schema="s", control="at", interval="1 month", premake=1, **more)


def nothing() -> None:
    """No policy."""


def archive_of_rows() -> None:
    """An archive that takes rows."""
    op.create_archive_table("t", schema="s")
    op.set_archive_policy("t", "1 day", schema="s", way="rows", control="at")


def time_to_live() -> None:
    """Rows expire."""
    op.set_ttl_policy("t", "at", age="1 day", schema="s")


NOTHING_LEFT = "SELECT NOT EXISTS (SELECT 1 FROM s.{})"
PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = 's.t'::regclass"
CASES: dict[str, tuple[tuple[str, ...], Callable[[], None], Act, str]] = {
    "create-next": (
        IDS,
        lambda: op.set_partition_policy("t", schema="s", control="id", interval="100", premake=1),
        shell("partitions", "create-next", "s.t"),
        "SELECT count(*) = 3 FROM pg_inherits WHERE inhparent = 's.t'::regclass",
    ),
    "drain-default": (
        (*MONTHS, FILL.format("t", "(i * 2 + 1 + 90)")),
        policy(),
        shell("partitions", "drain-default", "s.t"),
        NOTHING_LEFT.format("t_default"),
    ),
    "maintain": (
        (*MONTHS, FILL.format("t", "(i * 2 + 1)")),
        policy(),
        shell("partitions", "maintain", "s.t", "--now", NOW),
        NOTHING_LEFT.format("t_default"),
    ),
    "split": (
        (
            MONTHS[0],
            "CREATE TABLE s.wide PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-04-01')",
            FILL.format("t", "i"),
        ),
        policy(),
        shell("partitions", "split", "s.wide"),
        "SELECT to_regclass('s.wide') IS NULL",
    ),
    "undo": (
        (*MONTHS, FILL.format("t", "(i * 2)")),
        policy(),
        shell("partitions", "undo", "s.t", "--yes"),
        "SELECT relkind = 'r' FROM pg_class WHERE oid = 's.t'::regclass",
    ),
    "convert, attach": (
        (PLAIN, FILL.format("t", "i")),
        nothing,
        shell("partitions", "convert", "s.t", "--control", "at", "--interval", "1 month", "--strategy", "attach"),
        PARTITIONED,
    ),
    "convert, copy": (
        (PLAIN, FILL.format("t", "i")),
        nothing,
        shell("partitions", "convert", "s.t", "--control", "at", "--interval", "1 month", "--strategy", "copy"),
        PARTITIONED,
    ),
    "archive run": (
        (PLAIN, FILL.format("t", "i")),
        archive_of_rows,
        shell("archive", "run", "s.t", "--now", "2026-12-01"),
        "SELECT count(*) = 60 FROM s.t_archive",
    ),
    "restore": (
        (PLAIN, "CREATE TABLE s.t_archive (LIKE s.t INCLUDING ALL)", FILL.format("t_archive", "i")),
        lambda: op.set_archive_policy("t", "1 day", schema="s", way="rows", control="at"),
        operation(lambda: op.restore_archive_table("t", schema="s")),
        "SELECT count(*) = 60 FROM s.t",
    ),
    "drop_archive_table": (
        (PLAIN,),
        archive_of_rows,
        operation(lambda: op.drop_archive_table("t", schema="s")),
        "SELECT false",
    ),
    "ttl run": (
        (PLAIN, FILL.format("t", "i")),
        time_to_live,
        shell("ttl", "run", "s.t", "--now", "2026-12-01", "--yes"),
        NOTHING_LEFT.format("t"),
    ),
    "export": (
        (PLAIN, FILL.format("t", "i")),
        nothing,
        shell("archive", "export", "s.t", "--to", "FOLDER", "--as", "copy"),
        "SELECT sum(row_count) = 60 FROM schema_kit.archive_file",
    ),
    "update_in_batches": (
        (PLAIN, FILL.format("t", "i")),
        nothing,
        operation(lambda: op.update_in_batches("t", {"v": "new"}, schema="s")),
        "SELECT count(*) = 60 FROM s.t WHERE v = 'new'",
    ),
}
WORKS = {("undo", "the owner's"), ("convert, attach", "the owner's")}
"""Where no role is refused."""
ALONE = {"drop_archive_table": "INSERT INTO s.t_archive VALUES (1, now(), 'hidden')"}

STATE = """
SELECT c.relname, c.relkind::text, c.relforcerowsecurity,
       (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid),
       (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid)
FROM pg_class c WHERE c.relnamespace = 's'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"


@pytest.fixture
def clerk(database: Database) -> Iterator[str]:
    """A role of no rank, and how it comes in."""
    (name,) = database.sql("SELECT current_database()")[0]
    database.sql(
        f"CREATE ROLE {ROLE} LOGIN",
        f"GRANT CREATE ON DATABASE {name} TO {ROLE}",
        "CREATE SCHEMA s",
        f"GRANT ALL ON SCHEMA s TO {ROLE}",
    )
    try:
        yield database.url.replace("postgresql://postgres@", f"postgresql+psycopg://{quote(ROLE)}@")
    finally:
        database.sql(f"REASSIGN OWNED BY {ROLE} TO postgres", f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}")


@pytest.mark.parametrize("whose", ["the owner's", "another's"])
@pytest.mark.parametrize("case", CASES)
def test_all_rows_or_none(
    database: Database, clerk: str, case: str, whose: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build, registered, act, handled = CASES[case]
    database.sql(*build)
    connection = database.sqlalchemy()
    with operations(connection, policy=QUICK):
        registered()
    connection.close()
    database.sql(*([ALONE[case]] if case in ALONE else []))
    if database.sql("SELECT to_regnamespace('schema_kit') IS NOT NULL")[0][0]:
        database.sql(
            f"GRANT ALL ON SCHEMA schema_kit TO {ROLE}", f"GRANT ALL ON ALL TABLES IN SCHEMA schema_kit TO {ROLE}"
        )
    for (table,) in database.sql(TABLES):
        database.sql(
            f"CREATE POLICY even ON s.{table} USING (id % 2 = 0)",
            f"ALTER TABLE s.{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE s.{table} OWNER TO {ROLE}" if whose == "the owner's" else f"GRANT ALL ON s.{table} TO {ROLE}",
        )
    before = state(database)
    refusal = None
    try:
        act(clerk, tmp_path)
    except SchemaKitError as error:
        refusal = f"{capsys.readouterr().err}{error}"
    after = state(database)
    if refusal is None:
        assert database.sql(handled) == [(True,)]
        assert rows(after) == (0 if case == "ttl run" else rows(before))
    else:
        assert after == before
        assert ROLE in refusal or "[42501]" in refusal
    assert (case, whose) not in WORKS or refusal is None


def state(database: Database) -> list[tuple[Any, ...]]:
    """The tables, each with its rows counted by a superuser."""
    found = database.sql(STATE)
    return [(*row, *database.sql(f"SELECT count(*) FROM ONLY s.{row[0]}")[0]) for row in found]


def rows(tables: list[tuple[Any, ...]]) -> int:
    """Of all tables."""
    return sum(table[-1] for table in tables)
