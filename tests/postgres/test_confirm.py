"""Which commands ask, and which never do: each that click knows, with a terminal and without one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import click
import pytest

from schema_kit.cli import db
from tests.support.archives import NOW, archived, build, later, retire, there
from tests.support.cli import called, shell
from tests.support.commands import commands, on_a_terminal
from tests.support.database import Database
from tests.support.matrix import perform, thinned

pytestmark = [pytest.mark.cli]

CONVERT = "partitions convert s.plain --control at --interval 1mon"


def plain(database: Database) -> None:
    """A partitioned table with a gap and rows in its default partition, one without a policy, and a plain table."""
    build(database)
    database.sql(
        "DROP TABLE s.t_03",
        "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
        "INSERT INTO s.t VALUES (999, '2026-07-09', 'w')",
        "CREATE TABLE s.plain (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO s.plain SELECT i, '2026-05-01'::timestamptz + i * interval '1 day' FROM generate_series(0, 40) i",
        "CREATE TABLE s.found (at timestamptz NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE s.found_05 PARTITION OF s.found FOR VALUES FROM ('2026-05-01+00') TO ('2026-06-01+00')",
    )


def converted(database: Database) -> None:
    plain(database)
    assert shell(database, *f"{CONVERT} --strategy copy --now {NOW}".split()).returncode == 0


def moved(database: Database) -> None:
    archived(database)
    assert shell(database, "archive", "run", "--now", NOW).returncode == 0


def dropping(database: Database) -> None:
    build(database, retention_keep_table=False, retention_grace="0")


def within_grace(database: Database) -> None:
    """Partitions that a policy drops after a grace period that is not over."""
    build(database, retention_keep_table=False)


def after_grace(database: Database) -> None:
    within_grace(database)
    assert retire(database).returncode == 0
    later(database)


def expiring(database: Database) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.log (id bigint PRIMARY KEY, at timestamptz NOT NULL)")
    database.sql("CREATE INDEX ON s.log (at)", "INSERT INTO s.log VALUES (1, '2026-01-01')")
    perform(database, lambda op: op.set_ttl_policy("log", "at", age="60 days", schema="s"))


def exported(database: Database, folder: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_01", "--to", str(folder)).returncode == 0


def installed(database: Database) -> None:
    assert shell(database, "sql", "apply").returncode == 0


def expiring_to_an_archive(database: Database) -> None:
    expiring(database)

    def operate(op: Any) -> None:
        op.create_archive_table("log", schema="s")
        op.set_archive_policy("log", "60 days", schema="s", way="rows", control="at")
        op.set_ttl_policy("log", "at", age="60 days", schema="s", archive_first=True)

    perform(database, operate)


@dataclass(frozen=True)
class Case:
    words: str
    begin: Callable[..., object] = plain


ASKS = {
    "retire": Case("partitions retire", dropping),
    "retire after the grace period": Case("partitions retire s.t", after_grace),
    "retire --no-grace": Case("partitions retire --no-grace", within_grace),
    "undo": Case("partitions undo s.t", build),
    "convert --finish": Case("partitions convert s.plain --finish", converted),
    "export --drop": Case("archive export s.t_01 s.t_02 --to {folder} --drop", build),
    "files --forget": Case("archive files --forget {file}", exported),
    "sql remove": Case("sql remove", installed),
    "ttl run": Case("ttl run", expiring),
}
NEVER = {
    "maintain, with drops": Case("partitions maintain", after_grace),
    "retire within the grace period": Case("partitions retire", within_grace),
    "ttl run to an archive": Case("ttl run", expiring_to_an_archive),
    "archive run": Case("archive run", archived),
    "convert --abort": Case("partitions convert s.plain --abort"),
    "partitions adopt": Case("partitions adopt s.found"),
    "partitions split": Case("partitions split s.t_04"),
    "partitions create-next": Case("partitions create-next", build),
    "archive restore": Case("archive restore s.t --since 2026-01-01 --until 2026-02-01", moved),
    "archive export": Case("archive export s.t_01 --to {folder}", build),
    "archive import": Case("archive import --manifest s.t", exported),
    "partitions hand-over": Case("partitions hand-over s.t"),
    "sql run": Case("sql run blockers"),
    "sql show": Case("sql show create_parent"),
    "init": Case("init {folder}/."),
    "lint": Case("lint"),
    "advise plan": Case("advise plan VACUUM", build),
}
"""What a command needs that the others do not: the others are called by their names alone."""


def begin(case: Case, database: Database, folder: Path) -> None:
    case.begin(*((database, folder) if case.begin is exported else (database,)))


def options(command: click.Command) -> list[click.Option]:
    return [one for one in command.params if isinstance(one, click.Option)]


ALL = dict(commands())
REFUSED = ("partitions hand-over", "lint", "advise index", "advise partition", "advise plan")
"""Refused, unasked: there is no pg_partman, no project, no statement that was counted."""
MAY_ASK = {
    name for name, command in ALL.items() if any("--yes" in one.opts and not one.hidden for one in options(command))
}


def argv(database: Database, case: Case, folder: Path) -> list[str]:
    """The words of a call, with the clock and the database where the command takes them."""
    if "/." in case.words:
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
        (folder / "migrations").mkdir()
        (folder / "migrations" / "env.py").write_text("")
    files = "SELECT file_url FROM schema_kit.archive_file"
    file = database.sql(files)[0][0] if "{file}" in case.words else ""
    words = case.words.format(folder=folder, file=file).split()
    name = max((name for name in ALL if case.words.startswith(name)), key=len)
    takes = {option.name for option in options(ALL[name])}
    return [*words, *(("--now", NOW) if "now" in takes else ()), *(("--url", database.url) if "url" in takes else ())]


def state(database: Database) -> list[tuple[Any, ...]]:
    """Tables with what they hold, and functions."""
    where = "relkind IN ('r', 'p') AND relnamespace <> ALL (ARRAY['pg_catalog', 'information_schema']::regnamespace[])"
    tables = [name for (name,) in database.sql(f"SELECT oid::regclass::text FROM pg_class WHERE {where} ORDER BY 1")]
    return [*((name, *database.sql(f"SELECT count(*) FROM {name}")) for name in ("pg_proc", *tables))]


def test_each_command_that_asks_is_tried() -> None:
    tried = {name for name in ALL for case in ASKS.values() if case.words.startswith(name)}
    assert tried | {"db reset", "partitions convert"} == MAY_ASK


@pytest.mark.parametrize("name", thinned(ASKS, "retire", "retire --no-grace", "convert --finish", "ttl run"))
def test_what_drops_for_good_asks(database: Database, tmp_path: Path, name: str) -> None:
    case = ASKS[name]
    begin(case, database, tmp_path)
    words, before = argv(database, case, tmp_path), state(database)
    refused = called(["schema_kit", *words])
    assert (refused.returncode, "add --yes" in refused.stderr, "Nothing was changed" in refused.stderr) == (
        2,
        True,
        True,
    )
    declined = on_a_terminal("n", *words)
    assert (declined.returncode, declined.stderr.count("Go on? [y/N]")) == (3, 1), declined.stderr
    assert "Nothing was changed" in declined.stderr
    dry = on_a_terminal("n", *words, "--dry-run")
    assert (dry.returncode, "[y/N]" in dry.stderr) == (0, False), dry.stderr
    assert state(database) == before
    done = on_a_terminal("y", *words)
    assert (done.returncode, done.stderr.count("Go on? [y/N]")) == (0, 1), done.stderr
    assert state(database) != before


@pytest.mark.parametrize("name", thinned(ASKS, "undo", "export --drop", "files --forget", "sql remove"))
def test_yes_answers(database: Database, tmp_path: Path, name: str) -> None:
    case = ASKS[name]
    begin(case, database, tmp_path)
    words, before = argv(database, case, tmp_path), state(database)
    done = on_a_terminal("n", *words, "--yes")
    assert (done.returncode, "[y/N]" in done.stderr) == (0, False), done.stderr
    assert state(database) != before


NEVER_ASKING = {name: Case(name) for name in ALL if name not in MAY_ASK} | NEVER
FIRST = ("maintain, with drops", "partitions create-next", "retire within the grace period", "archive run")


@pytest.mark.parametrize("name", thinned([name for name in NEVER_ASKING if not name.startswith("db ")], *FIRST))
@pytest.mark.parametrize("terminal", [True, False])
def test_the_others_never_ask(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, terminal: bool
) -> None:
    monkeypatch.chdir(tmp_path)  # no project is here
    case = NEVER_ASKING[name]
    begin(case, database, tmp_path)
    words = argv(database, case, tmp_path)
    done = on_a_terminal("n", *words) if terminal else called(["schema_kit", *words])
    assert done.returncode in ((2, 3) if name in REFUSED else (0, 4)), done.stderr
    assert "[y/N]" not in done.stderr + done.stdout


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("db ")])
def test_the_embedded_server(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With a stand-in for the server: what is tested is the question."""
    server = mock.MagicMock()
    monkeypatch.setattr(db, "embedded", server)
    monkeypatch.setattr(os, "execve", mock.Mock())
    asks = name == "db reset"
    assert called(["schema_kit", *name.split()]).returncode == (2 if asks else 0)
    assert on_a_terminal("n", *name.split()).returncode == (3 if asks else 0)
    assert not server.reset.called
    done = on_a_terminal("y", *name.split())
    assert (done.returncode, "[y/N]" in done.stderr, server.reset.called) == (0, asks, asks)


def test_a_conversion_asks_on_a_terminal_alone(database: Database) -> None:
    plain(database)
    words = [*CONVERT.split(), "--url", database.url]
    before = state(database)
    declined = on_a_terminal("n", *words)
    assert (declined.returncode, declined.stderr.count("[y/N]"), state(database)) == (3, 1, before)
    assert called(["schema_kit", *words]).returncode == 0


def test_yes_keeps_the_grace_period_and_says_so(database: Database) -> None:
    within_grace(database)
    done = retire(database, "--yes")
    assert (done.returncode, "--no-grace" in done.stderr, there(database)) == (0, True, "01 02 03 04 05 06")
    done = retire(database, "--yes", "--no-grace")
    assert (done.returncode, "grace" in done.stderr, there(database)) == (0, False, "03 04 05 06")
