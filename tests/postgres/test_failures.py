"""When something goes wrong: it ends, it says what is left, and the rest goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from schema_kit import environment, op
from schema_kit.catalog import scratch, session
from schema_kit.catalog.blockers import blockers
from schema_kit.errors import DeclarationError, ExecutionError, LockNotAvailable
from schema_kit.execute import StepStarted, Waiting
from schema_kit.model.locks import Lock, LockMode
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps.unpartition import Unswap
from tests.support.cli import ROOT
from tests.support.database import Database
from tests.support.locks import busy
from tests.support.matrix import build, perform, told
from tests.support.pack import migrate

pytestmark = [pytest.mark.steps, pytest.mark.majors]

CONVERTED = "CREATE TABLE public.w (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"


def test_a_rollback_that_meets_a_duplicate_is_tried_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql(CONVERTED, "INSERT INTO w SELECT generate_series(1, 50)")
    perform(database, lambda ops: ops.convert_to_partitioned("w", "at", "1 month", strategy="attach"))
    database.sql("INSERT INTO w SELECT i, now() + interval '3 months' FROM generate_series(40, 60) i")
    with told(monkeypatch) as events, pytest.raises(ExecutionError) as refused:
        perform(database, lambda ops: ops.unpartition("w"))
    assert refused.value.sqlstate == "23505"
    assert "(id) = (40), 2 rows" in str(refused.value)
    assert sum(isinstance(event, StepStarted) and isinstance(event.step, Unswap) for event in events) == 1
    assert database.sql("SELECT count(*) FROM w") == [(71,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("give_up", [False, True])
def test_a_lock_in_the_way_of_looking_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch, give_up: bool
) -> None:
    build(database, "plain")
    impatient = tuple(s.replace("'5s'", "'100ms'") for s in session.DRESS)
    monkeypatch.setattr(session, "DRESS", impatient)
    monkeypatch.setattr(scratch, "DRESS", impatient)
    policy = LockPolicy(first=50, longest=100, attempts=3 if give_up else 50)
    with told(monkeypatch) as events, busy(database, "LOCK TABLE s.t", seconds=4 if give_up else 1):
        connection = database.sqlalchemy()
        with environment_operations(connection, policy):
            if give_up:
                with pytest.raises(LockNotAvailable):
                    op.create_index_concurrently("ix", "t", [sa.text("v + 1")], schema="s")
            else:
                op.set_not_null_concurrently("t", "ref", schema="s")
    assert any(isinstance(event, Waiting) for event in events)


def environment_operations(connection: sa.Connection, policy: LockPolicy):  # type: ignore[no-untyped-def]
    from schema_kit import operations

    return operations(connection, policy=policy)


@pytest.mark.exhaustive
def test_one_broken_set_does_not_stop_the_others(database: Database) -> None:
    for name in "abc":
        database.sql(CONVERTED.replace("public.w", f"public.{name}"))
        perform(database, lambda ops, name=name: ops.convert_to_partitioned(name, "at", "1 month", strategy="attach"))  # type: ignore[misc]
    database.sql("DROP TABLE b")
    command = [sys.executable, "-m", "schema_kit", "partitions", "create-next", "--url", database.url]
    done = subprocess.run([*command, "--now", "2036-01-15"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "public.b is registered in part_config, but there is no such table" in done.stderr
    assert "Traceback" not in done.stderr
    assert "public.a_p20360101" in done.stdout
    assert "public.c_p20360101" in done.stdout
    only = subprocess.run([*command, "b"], capture_output=True, text=True, check=False)
    assert only.returncode == 3, "nothing was written"


def test_a_look_after_one_that_was_passed_over_says_that_the_connection_is_lost(database: Database) -> None:
    """Who blocks is looked for, and is not found out where the connection goes; the next look says so."""
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url) as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        database.sql(f"SELECT pg_terminate_backend({pid}, 10000)")
        assert blockers(connection, (Lock(LockMode.SHARE, QualifiedName("public", "w")),)) == ()
        with pytest.raises(sa.exc.DBAPIError, match="the connection was lost"), session.observing(connection):
            pass


@pytest.mark.deep
def test_a_connection_that_is_lost_under_alembic_is_a_sentence(database: Database) -> None:
    migrate(database, "upgrade", "baseline")
    with psycopg.connect(database.url) as other:
        other.execute("INSERT INTO line_support.users (line_user_id) VALUES ('U1')")
        other.execute(
            "INSERT INTO line_support.conversation (user_id, role, message, language) "
            "SELECT id, 'user', 'hi', 'en' FROM line_support.users"
        )
        command = [sys.executable, "-m", "alembic", "-x", f"url={database.url}", "upgrade", "head"]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            _terminate_when_building(database)
            _, said = process.communicate()
        other.rollback()
    assert process.returncode != 0
    assert "Traceback" not in said, said[-2000:]
    assert "An INVALID index may be left" in said or "is unknown; the next run checks" in said
    migrate(database, "upgrade", "head")


def _terminate_when_building(database: Database) -> None:
    end = time.monotonic() + 60
    # In this database: the view shows those of tests that run next to this one, too.
    building = "FROM pg_stat_progress_create_index WHERE datname = current_database()"
    while not database.sql(f"SELECT pg_terminate_backend(pid) {building}"):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_rows_that_were_committed_before_a_batch_failed_are_counted(database: Database) -> None:
    build(database, "plain")
    database.sql("ALTER TABLE s.t ADD PRIMARY KEY (id)", "ALTER TABLE s.t ADD CHECK (id < 400 OR v < 100)")
    with pytest.raises(ExecutionError, match=r"\d+ rows of this step are committed"):
        perform(
            database,
            lambda ops: ops.update_in_batches("t", {"v": 100}, schema="s", batch_size=100, target_seconds=1e-6),
        )


def test_a_budget_of_nothing_would_be_one_without_end(database: Database) -> None:
    with pytest.raises(DeclarationError, match="longest of a lock policy is 1 or more"):
        LockPolicy(longest=0)
    build(database, "plain")
    with pytest.raises(DeclarationError), op.lock_policy(longest=0):
        perform(database, lambda ops: ops.set_not_null_concurrently("t", "ref", schema="s"))


def test_the_lock_s_connection_goes_back_to_no_pool(database: Database) -> None:
    engine = sa.create_engine(
        database.url.replace("postgresql:", "postgresql+psycopg:"),
        pool_size=1,
        connect_args={"options": "-c statement_timeout=7777"},
    )
    with environment.one_migrator(engine) as check:
        check()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SHOW statement_timeout")).scalar() == "7777ms"
    engine.dispose()


@pytest.mark.exhaustive
def test_an_ini_file_without_logging_is_enough(database: Database, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s\npath_separator = os\n")
    (tmp_path / "env.py").write_text("from schema_kit import environment\n\nenvironment.run()\n")
    command = [sys.executable, "-m", "alembic", "-x", f"url={database.url}", "upgrade", "head"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_two_at_once_end_in_one_conversion(database: Database) -> None:
    database.sql(CONVERTED, "INSERT INTO w SELECT generate_series(1, 2000)")
    errors: list[BaseException] = []

    def convert() -> None:
        try:
            perform(database, lambda ops: ops.convert_to_partitioned("w", "at", "1 month", strategy="attach"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=convert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:  # the slower one may fail so; run again, it has nothing left to do
        perform(database, lambda ops: ops.convert_to_partitioned("w", "at", "1 month", strategy="attach"))
    assert database.sql("SELECT count(*) FROM w") == [(2000,)]
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 'w'::regclass") == [("p",)]
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname ~ '__(new|key)$'") == [(0,)]
