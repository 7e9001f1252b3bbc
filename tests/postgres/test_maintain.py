"""``schema_kit partitions maintain``: each table on its own, several at a time, two runs at once."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence

import psycopg
import pytest

from schema_kit.cli import jobs
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.cli import ROOT, command, interruptible, shell
from tests.support.database import Database
from tests.support.locks import HELD_SECONDS

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]

NOW = "2026-03-28"


def build(database: Database, names: Sequence[str], premake: int = 9) -> None:
    database.sql("CREATE SCHEMA app", *load("partman/tables/part_config.sql"))
    for name in names:
        parent = QualifiedName("app", name)
        database.sql(
            f"CREATE TABLE {parent.sql} (id int, at timestamptz NOT NULL) PARTITION BY RANGE (at)",
            register_sql(Partitioning(parent, "at", "1 day", premake=premake)),
        )


def count(database: Database) -> int:
    return int(database.sql("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'")[0][0])


@pytest.mark.parametrize("workers", ["1", "3"])
def test_all_sets_are_looked_after_but_the_broken_one(database: Database, workers: str) -> None:
    build(database, ["a", "b", 'C."x"', "ไทย"])
    database.sql("DROP TABLE app.b")
    done = shell(database, "partitions", "maintain", "--now", NOW, "--workers", workers)
    assert done.returncode == 1
    assert "app.b is registered in part_config, but there is no such table" in done.stderr
    assert "Traceback" not in done.stderr
    assert count(database) == done.stdout.count("create partition") == 30
    database.sql("DELETE FROM schema_kit.part_config WHERE parent_table = 'app.b'")
    again = shell(database, "partitions", "maintain", "--now", NOW, "--workers", workers)
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to do" in again.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("workers", ["1", "2"])
def test_two_at_once_do_each_thing_once(database: Database, workers: str) -> None:
    build(database, list("abcdef"), premake=39)
    arguments = ["maintain", "--now", NOW, "--format", "json", "--workers", workers]
    runs = [
        subprocess.Popen(
            command(database, "partitions", *arguments),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    made = [step["summary"] for out, _ in said for step in json.loads(out)["steps"]]
    assert len(made) == len(set(made)) == count(database) == 240


@pytest.mark.deep
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_again_and_again_it_ends_where_an_undisturbed_run_ends(database: Database, workers: str) -> None:
    build(database, list("abcd"), premake=39)
    kills = 0
    for _ in range(30):
        with subprocess.Popen(
            command(database, "partitions", "maintain", "--now", NOW, "--workers", workers),
            cwd=ROOT,
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        ) as run:
            before, end = count(database), time.monotonic() + 30
            while run.poll() is None and count(database) < before + 15 and time.monotonic() < end:
                time.sleep(0.01)
            if run.poll() is None:
                run.kill()
                kills += 1
        if count(database) == 160:
            break
    assert kills >= 3
    final = shell(database, "partitions", "maintain", "--now", NOW, "--workers", workers)
    assert final.returncode == 0, final.stderr
    assert count(database) == 160
    assert "nothing to do" in shell(database, "partitions", "maintain", "--now", NOW).stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_it_without_a_traceback(database: Database, workers: str, sent: signal.Signals) -> None:
    build(database, ["a", "b"])
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE app.a, app.b IN SHARE UPDATE EXCLUSIVE MODE")
    call = command(database, "partitions", "maintain", "--now", NOW, "--workers", workers)
    with interruptible(call, cwd=ROOT, stderr=subprocess.PIPE) as run:
        end = time.monotonic() + 30
        while not database.sql(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())"
        ):
            assert time.monotonic() < end
            time.sleep(0.01)
        run.send_signal(sent)
        _, said = run.communicate(timeout=60)
    assert run.returncode == 128 + sent, said
    assert "interrupted; what was committed stays" in said
    assert "Traceback" not in said
    holder.rollback()
    assert count(database) == 0
    assert shell(database, "partitions", "maintain", "--now", NOW, "--workers", workers).returncode == 0
    assert count(database) == 20


@pytest.mark.exhaustive
def test_writers_with_keys_to_the_table_go_on(database: Database) -> None:
    """CREATE TABLE ... PARTITION OF would stop them all, and wait behind the transaction that is open."""
    build(database, ["a"], premake=2)
    assert shell(database, "partitions", "maintain", "--now", NOW).returncode == 0
    database.sql(
        "ALTER TABLE app.a ADD PRIMARY KEY (id, at)",
        "CREATE TABLE app.note (id int, at timestamptz, FOREIGN KEY (id, at) REFERENCES app.a ON DELETE CASCADE)",
        "CREATE TABLE app.kind (n int PRIMARY KEY)",
        "INSERT INTO app.kind VALUES (1)",
        "ALTER TABLE app.a ADD n int NOT NULL DEFAULT 1 REFERENCES app.kind",
    )
    longest, failures, stop = [0.0], list[BaseException](), threading.Event()

    def write(number: int) -> None:
        try:
            with psycopg.connect(database.url) as connection:
                for row in itertools.count(number, 4):
                    began = time.monotonic()
                    at = f"2026-03-{28 + row % 3}T{row % 24:02}:00Z"
                    connection.execute("INSERT INTO app.a VALUES (%s, %s)", (row, at))
                    connection.execute("INSERT INTO app.note VALUES (%s, %s)", (row, at))
                    connection.execute("SELECT count(*) FROM app.a WHERE at = %s", (at,))
                    if row % 40 == number:
                        time.sleep(0.3)  # a transaction that holds its locks for a while
                        began += 0.3
                    connection.commit()
                    longest[0] = max(longest[0], time.monotonic() - began)
                    if stop.is_set():
                        return
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    done = shell(database, "partitions", "create-next", "--now", NOW, "--premake", "40", "--lock-timeout", "500ms")
    stop.set()
    for writer in writers:
        writer.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("create partition") == 38
    assert not failures
    assert longest[0] < 0.5 + HELD_SECONDS


def test_a_table_that_another_run_maintains_is_left_to_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, ["a", "b"])
    monkeypatch.setattr(jobs, "_POLL_SECONDS", 0.01)
    holder = database.connect()
    holder.execute("SELECT pg_advisory_lock(hashtextextended('schema_kit: create next partitions app.a', 0))")
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0
    assert "app.a is left to that one" in done.stderr
    assert done.stdout.count("create partition app.b") == 10
    assert "app.a" not in done.stdout


def test_where_nothing_can_be_written_it_is_said(database: Database) -> None:
    build(database, ["a"])
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert (done.returncode, done.stdout) == (3, "")
    assert "this session is read-only" in done.stderr
    assert "Nothing was changed" in done.stderr
    dry = shell(database, "partitions", "maintain", "--now", NOW, "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout.count("CREATE TABLE") == 10


RIGHTS = {
    "policies": (
        "GRANT USAGE ON SCHEMA app TO {}",
        "lacks USAGE on schema schema_kit (GRANT USAGE ON SCHEMA sch",
    ),
    "reading": ("GRANT USAGE ON SCHEMA schema_kit TO {}", "lacks SELECT on schema_kit.part_config (GRANT SELECT ON"),
    "owner": (
        "GRANT USAGE ON SCHEMA schema_kit, app TO {0}; GRANT SELECT ON schema_kit.part_config TO {0}",
        "app.a belongs to postgres, whose rights",
    ),
    "schema": (
        "GRANT USAGE ON SCHEMA schema_kit, app TO {0}; GRANT SELECT ON schema_kit.part_config TO {0}; "
        "ALTER TABLE app.a OWNER TO {0}",
        "lacks CREATE on schema app (GRANT CREATE ON SCHEMA app TO",
    ),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_which_right_is_missing_is_said(database: Database, case: str) -> None:
    build(database, ["a"])
    name = f"limited_{database.sql('SELECT current_database()')[0][0]}"
    grants, words = RIGHTS[case]
    database.sql(f"CREATE ROLE {name} LOGIN", *grants.format(name).split("; "))
    try:
        done = shell(database.url.replace("postgres@", f"{name}@"), "partitions", "create-next", "--now", NOW)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert count(database) == 0
    finally:
        database.sql(f"REASSIGN OWNED BY {name} TO postgres", f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.exhaustive
def test_as_cron_calls_it(database: Database) -> None:
    """With nearly nothing in the environment, by its own path, from another folder."""
    import sys

    build(database, ["a"])
    line = f"{sys.executable} -m schema_kit partitions maintain --now {NOW} --url '{database.url}'"
    bare = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "LOGNAME": "nobody", "SHELL": "/bin/sh"}
    if "PYTHONPATH" in os.environ:
        bare["PYTHONPATH"] = os.environ["PYTHONPATH"]
    done = subprocess.run(["/bin/sh", "-c", line], env=bare, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(database.url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_inherits").fetchone() is not None
    assert count(database) == 10


@pytest.mark.exhaustive
def test_all_that_is_due_is_done_and_check_is_content(database: Database) -> None:
    build(database, ["a", "b"], premake=2)
    database.sql(
        "CREATE TABLE app.a_default PARTITION OF app.a DEFAULT",
        "ALTER TABLE app.a ADD PRIMARY KEY (id, at)",
        "CREATE TABLE app.b_old PARTITION OF app.b FOR VALUES FROM ('2026-03-01+00') TO ('2026-03-02+00')",
        "CREATE TABLE app.b_older PARTITION OF app.b FOR VALUES FROM ('2025-03-01+00') TO ('2025-03-02+00')",
        "INSERT INTO app.a SELECT i, timestamptz '2026-03-25+00' + interval '1 hour' * i FROM generate_series(1, 99) i",
        "UPDATE schema_kit.part_config SET retention = '35 days' WHERE parent_table = 'app.b'",
    )
    assert shell(database, "partitions", "check", "--now", NOW).returncode == 4
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0, done.stderr
    clean = shell(database, "partitions", "check", "--now", NOW)
    assert clean.returncode == 0, clean.stdout
    assert database.sql("SELECT count(*) FROM app.a_default") == [(0,)]
    assert database.sql("SELECT count(*), count(DISTINCT tableoid) FROM app.a") == [(99, 5)]
    assert database.sql(
        "SELECT to_regclass('app.b_older') IS NOT NULL, count(*) FROM pg_inherits "
        "WHERE inhrelid = 'app.b_older'::regclass"
    ) == [(True, 0)]
    again = shell(database, "partitions", "maintain", "--now", NOW)
    assert (again.returncode, again.stdout) == (0, "")


def test_partitions_with_old_estimates_are_no_failure(database: Database) -> None:
    """The table's own statistics are off, and stay off from theirs: it is analyzed once in a run, and that is all."""
    build(database, ["a"], premake=1)
    assert shell(database, "partitions", "maintain", "--now", NOW).returncode == 0
    database.sql(
        "ALTER TABLE app.a_p20260328 SET (autovacuum_enabled = false)",
        "INSERT INTO app.a SELECT i, '2026-03-28 01:00+00' FROM generate_series(1, 10) i",
        "ANALYZE app.a_p20260328",
        "ANALYZE app.a_p20260329",
        "INSERT INTO app.a SELECT i, '2026-03-28 01:00+00' FROM generate_series(1, 900) i",
    )
    older_than_18 = database.sql("SHOW server_version_num")[0][0] < "180000"
    database.sql("ANALYZE app.a" if older_than_18 else "ANALYZE ONLY app.a", "DELETE FROM app.a WHERE id > 500")
    for _ in range(2):
        done = shell(database, "partitions", "maintain", "--now", NOW)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("analyze app.a") == (0 if older_than_18 else 1)


def test_a_row_that_is_not_a_policy_does_not_stop_the_others(database: Database) -> None:
    build(database, ["a", "b"], premake=2)
    database.sql(
        "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) "
        "VALUES ('x.y.z.no', 'at', '1 mon')"
    )
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 1
    assert done.stdout.count("create partition") == 6
    assert "x.y.z.no" in done.stderr
    assert "Traceback" not in done.stderr
    named = shell(database, "partitions", "maintain", "app.a", "--now", "2026-04-28")
    assert (named.returncode, named.stdout.count("create partition")) == (0, 31)


def test_a_table_without_automatic_maintenance_is_maintained_when_it_is_named(database: Database) -> None:
    build(database, ["a"], premake=2)
    database.sql("UPDATE schema_kit.part_config SET automatic_maintenance = 'off'")
    for verb in ("maintain", "create-next"):
        assert "nothing to do" in shell(database, "partitions", verb, "--now", NOW).stderr
    assert shell(database, "partitions", "create-next", "app.a", "--now", NOW).stdout.count("create partition") == 3


def test_a_table_that_cannot_even_be_looked_at_does_not_stop_the_others(database: Database) -> None:
    build(database, ["a", "b"], premake=2)
    database.sql(
        "CREATE TABLE app.i (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        register_sql(Partitioning(QualifiedName("app", "i"), "id", "1000")),
    )
    name = f"limited_{database.sql('SELECT current_database()')[0][0]}"
    database.sql(
        f"CREATE ROLE {name} LOGIN",
        f"GRANT USAGE ON SCHEMA schema_kit, app TO {name}",
        f"GRANT CREATE ON SCHEMA app TO {name}",
        f"GRANT SELECT ON schema_kit.part_config TO {name}",
        f"ALTER TABLE app.a OWNER TO {name}",
        f"ALTER TABLE app.b OWNER TO {name}",
    )
    try:
        done = shell(database.url.replace("postgres@", f"{name}@"), "partitions", "maintain", "--now", NOW)
        assert done.returncode == 1
        assert "app.i" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout.count("create partition") == count(database) == 6
    finally:
        database.sql(f"REASSIGN OWNED BY {name} TO postgres", f"DROP OWNED BY {name}", f"DROP ROLE {name}")
