"""Each way in says once that nothing was changed, where that is so, and nowhere else; exit code 3 goes with it."""

from __future__ import annotations

import io
from argparse import Namespace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

import schema_kit
from schema_kit import environment, execute, op
from schema_kit.catalog.session import send
from schema_kit.errors import ExecutionError, PlanError, Refusal
from schema_kit.steps import Plan, Step
from schema_kit.tasks import retirement
from tests.support import files, offline
from tests.support.archives import NOW, build
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.cli, pytest.mark.majors]

SAID = "Nothing was changed"
GOOD = 'op.create_index_concurrently("ix", "a", ["n"])'
REFUSED = {
    "by the database": 'op.create_index_concurrently("bad", "nowhere", ["n"])',
    "by its arguments": 'op.create_index_concurrently("bad", "a", "n")',
    "in the transaction": 'op.create_archive_table("nowhere")',
}
OFFLINE = {
    "by what cannot be known": 'op.attach_partition_concurrently("a", "e", 1, 2)',
    "by its arguments": REFUSED["by its arguments"],
}


def _operate(database: Database, *calls: str) -> None:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection):
        for call in calls:
            eval(call, {"op": op})  # noqa: S307 - the calls of this file


@pytest.mark.parametrize("name", REFUSED)
def test_operations(database: Database, name: str) -> None:
    database.sql("CREATE TABLE a (id bigint PRIMARY KEY, n int)")
    for calls, changes in (((REFUSED[name],), False), ((GOOD, REFUSED[name]), True), ((GOOD, REFUSED[name]), False)):
        with pytest.raises(Refusal) as refused:
            _operate(database, *calls)
        assert str(refused.value).count(SAID) == (not changes), "an index that is there already is no change"


def test_an_operation_says_it_where_the_block_goes_on(database: Database) -> None:
    database.sql("CREATE TABLE a (id bigint PRIMARY KEY, n int)")
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection):
        op.create_index_concurrently("ix", "a", ["n"])
        with pytest.raises(Refusal, match=SAID):
            op.create_index_concurrently("bad", "nowhere", ["n"])


def _upgrade(database: Database, folder: Path, *, sql: bool = False) -> str:
    """What Alembic's command ends with."""
    config = Config(folder / "alembic.ini", output_buffer=io.StringIO(), cmd_opts=Namespace(x=[f"url={database.url}"]))
    with pytest.raises(CommandError) as refused:
        command.upgrade(config, "head", sql=sql)
    return str(refused.value)


@pytest.mark.parametrize("name", REFUSED)
def test_a_migration(database: Database, tmp_path: Path, name: str) -> None:
    both = () if name == "in the transaction" else (GOOD,)  # the two kinds are not for one revision
    offline.write(tmp_path, "\n    ".join((*both, REFUSED[name])))
    earlier = _upgrade(database, tmp_path)
    assert SAID not in earlier, "the baseline was made before"
    assert ("this revision are committed" in earlier) == bool(both)
    assert _upgrade(database, tmp_path).count(SAID) == 1, "this time nothing came before"


@pytest.mark.parametrize("name", OFFLINE)
def test_a_script(database: Database, tmp_path: Path, name: str) -> None:
    offline.write(tmp_path, OFFLINE[name])
    assert _upgrade(database, tmp_path, sql=True).count(SAID) == 1


COMMANDS = {
    "partitions list s.gone": 3,
    "partitions create-next s.gone": 3,
    "partitions maintain s.gone": 3,
    "partitions retire s.gone --dry-run": 3,
    "partitions fill-gaps --since 2026-01-01 s.gone": 3,
    "partitions drain-default s.gone": 3,
    "partitions split s.gone": 3,
    "partitions undo s.t": 2,
    "partitions undo --yes s.gone": 3,
    "partitions undo --yes s.gone s.gone2": 3,
    "partitions convert --control at --interval 1mon s.gone": 3,
    "partitions convert --control at --interval 1mon s.gone --dry-run": 3,
    "partitions adopt s.gone": 3,
    "archive run s.gone": 3,
    "archive restore --since 2026-01-01 --until 2026-02-01 s.gone": 3,
    "archive export --to {folder} s.gone": 3,
    "archive export --to {folder}/gone s.t": 2,
    "archive export --to {folder} --drop --older-than 1day --until 2026-01-01 --yes s.t": 2,
    "archive import {folder}/s.t.parquet --manifest s.t": 2,
    "ttl run --yes s.gone": 3,
}


def test_each_command(database: Database, tmp_path: Path) -> None:
    build(database)
    for words, code in COMMANDS.items():
        done = shell(database, *words.format(folder=tmp_path).split())
        assert (done.returncode, done.stderr.count(SAID)) == (code, 1), (words, done.stderr)


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.exhaustive)])
def test_one_set_is_done_and_another_refused(database: Database, workers: str) -> None:
    build(database, table="good")
    build(database, table="bad")
    database.sql("ALTER TABLE s.bad RENAME at TO moment")
    argv = "partitions", "maintain", "--workers", workers, "--now", NOW
    for code, said in ((1, 0), (3, 1)):  # the second time, the good one has all that it needs
        done = shell(database, *argv)
        assert (done.returncode, done.stderr.count(SAID)) == (code, said), done.stderr


def test_rows_that_were_loaded_and_cannot_be_attached(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Plan:
        raise PlanError("cannot attach it.")

    files.build(database)
    argv = "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes"
    assert shell(database, *argv).returncode == 0
    monkeypatch.setattr(retirement, "attach", refuse)
    for code, said in ((1, 0), (3, 1)):  # loaded by the first run, found by the second
        done = shell(database, "archive", "import", "--manifest", "s.t")
        assert "cannot attach it." in done.stderr
        assert (done.returncode, done.stderr.count(SAID)) == (code, said), done.stderr


def test_what_an_interrupted_build_has_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """An INVALID index exists, though no step was committed."""
    database.sql("CREATE TABLE a (id bigint PRIMARY KEY, n int)", "INSERT INTO a VALUES (1)")
    tried = list[str]()

    def cut_off(connection: sa.Connection, step: Step, *rest: object) -> tuple[int, None]:
        tried.append(step.summary)
        if len(tried) > 1:
            raise PlanError("somebody was faster.")
        with pytest.raises(sa.exc.DBAPIError):
            send(connection, "CREATE UNIQUE INDEX CONCURRENTLY ix ON a ((1 / (n - n)))")
        raise execute._Overtaken from None

    database.sql("UPDATE a SET n = 1")
    monkeypatch.setattr(execute, "_send_once", cut_off)
    with pytest.raises(ExecutionError, match=r"somebody was faster\.\nIt was interrupted .* INVALID index") as refused:
        _operate(database, GOOD)
    assert SAID not in str(refused.value)
