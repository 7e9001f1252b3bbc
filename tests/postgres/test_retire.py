"""`schema_kit partitions retire`, through the console script: what leaves, what stays, and what becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from typing import Any

import psycopg
import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.archives import NOW, attached, build, later, retire, there
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.locks import HELD_SECONDS, busy
from tests.support.matrix import perform
from tests.support.tables import months

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

BUDGET = 300


def test_what_is_kept(database: Database) -> None:
    build(database)
    done = retire(database)
    assert done.returncode == 0, done.stderr
    assert attached(database) == "03 04 05 06"
    assert there(database) == "01 02 03 04 05 06"
    assert [line for line in done.stdout.splitlines() if line.startswith("detach")] == [
        "detach s.t_01 from s.t concurrently",
        "detach s.t_02 from s.t concurrently",
    ]
    later(database)
    again = retire(database, "--yes")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "nothing to do\n")


def test_a_dry_run_prints_the_sql_and_sends_none(database: Database) -> None:
    build(database, retention_keep_table=False)
    done = retire(database, "--dry-run", "--no-grace")
    assert done.stdout.count("CONCURRENTLY;") == 2
    assert done.stdout.count("DROP TABLE") == 2
    assert attached(database) == "01 02 03 04 05 06"
    steps = json.loads(retire(database, "--dry-run", "--format", "json").stdout)["steps"]
    assert [step["summary"].split()[0] for step in steps] == ["create", *["record", "detach"] * 2, "analyze"]
    assert database.sql("SELECT to_regclass('schema_kit.retired_partition')") == [(None,)]


def test_dropped_after_the_grace_period_only(database: Database) -> None:
    build(database, retention_keep_table=False)
    assert retire(database).returncode == 0
    assert retire(database).stderr == "nothing to do\n"
    assert there(database) == "01 02 03 04 05 06"
    later(database)
    assert "drop s.t_01" in retire(database, "--yes").stdout
    assert there(database) == "03 04 05 06"
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]


@pytest.mark.parametrize(("grace", "arguments"), [("7 days", ["--no-grace", "--yes"]), ("0", ["--yes"])])
def test_dropped_at_once_where_it_is_said(database: Database, grace: str, arguments: list[str]) -> None:
    build(database, retention_keep_table=False, retention_grace=grace)
    assert retire(database, *arguments).returncode == 0
    assert there(database) == "03 04 05 06"


def test_moved_and_never_dropped(database: Database) -> None:
    build(database, retention_keep_table=False, retention_schema="Old.ก")
    refused = retire(database)
    assert refused.returncode == 3
    assert 'there is no schema "Old.ก"' in refused.stderr
    database.sql('CREATE SCHEMA "Old.ก"', 'CREATE TABLE "Old.ก".t_02 (id int)')
    done = retire(database, "--yes")
    assert done.returncode == 0, done.stderr
    assert "s.t_02 stays where it is: schema Old.ก has a t_02 already" in done.stderr
    assert there(database, '"Old.ก"') == "01 02"
    assert attached(database) == "03 04 05 06"
    database.sql('DROP TABLE "Old.ก".t_02')
    later(database)
    assert retire(database, "--yes").returncode == 0
    assert there(database) == "03 04 05 06"
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(2,)]


def test_what_others_need_stays_and_is_said_each_run(database: Database) -> None:
    build(database)
    database.sql(
        "CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t_01 LIMIT 3",
        "CREATE VIEW s.january AS SELECT * FROM s.t_01",
        "CREATE TABLE s.t_00 PARTITION OF s.t FOR VALUES FROM ('2025-12-01+00') TO ('2026-01-01+00')",
    )
    level = database.sql("SHOW wal_level")[0][0]
    database.sql("SET client_min_messages = error", "CREATE PUBLICATION p FOR TABLE s.t_00")
    for _ in range(2):
        done = retire(database)
        assert done.returncode == 0, (done.stderr, level)
        assert "t_01 has outlived its retention and stays: 3 rows of s.child refer to it by" in done.stderr
        assert "view s.january depends on it" in done.stderr
        assert "t_00 has outlived its retention and stays: publication p names s.t_00 itself" in done.stderr
        assert attached(database) == "00 01 03 04 05 06"


def test_only_what_the_policy_covers(database: Database) -> None:
    build(database)
    database.sql(
        "CREATE TABLE s.t_xx PARTITION OF s.t FOR VALUES FROM ('2025-11-03+00') TO ('2025-11-17+00')",
        "CREATE TABLE s.t_yy PARTITION OF s.t FOR VALUES FROM (MINVALUE) TO ('2025-11-01+00')",
        "CREATE TABLE s.t_zz PARTITION OF s.t FOR VALUES FROM ('2025-12-01+00') TO ('2026-01-01+00')",
    )
    done = retire(database)
    assert "s.t_xx is left alone: 2025-11-03 to 2025-11-17 are not ranges of 1 mon" in done.stderr
    assert attached(database) == "03 04 05 06 xx"


def test_the_last_one_stays(database: Database) -> None:
    build(database)
    done = shell(database, "partitions", "retire", "--now", "2030-01-01")
    assert "s.t_06 is left alone: it is the last partition of s.t" in done.stderr
    assert attached(database) == "06"


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [
        ({"retention": "3 days"}, 3, "shorter than a partition"),
        ({"retention": "30 days"}, 3, "shorter than a partition"),
        ({"retention": "1000"}, 3, "Write a length of time"),
        ({"retention": "a while"}, 2, "'a while' is not an interval"),
        ({"retention_grace": "soon"}, 2, "'soon' is not an interval"),
        ({"retention_grace": "7"}, 2, "which is not a length of time"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    database: Database, policy: dict[str, str], code: int, words: str
) -> None:
    build(database, **policy)
    done = retire(database)
    assert (done.returncode, attached(database)) == (code, "01 02 03 04 05 06")
    assert words in done.stderr


def test_ids(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint NOT NULL) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE s.t_{n}0 PARTITION OF s.t FOR VALUES FROM ({n}00) TO ({n + 1}00)" for n in range(1, 7)),
        "INSERT INTO s.t SELECT generate_series(100, 550)",
        register_sql(Partitioning(QualifiedName("s", "t"), "id", "100", retention="250")),
    )
    assert retire(database).returncode == 0
    assert attached(database) == "30 40 50 60"


def test_one_that_fails_does_not_stop_the_others(database: Database) -> None:
    build(database, "a", detach="concurrently")
    database.sql("CREATE TABLE s.a_rest PARTITION OF s.a DEFAULT")
    build(database, "b", detach="blocking")
    build(database, "c")
    done = retire(database)
    assert done.returncode != 0
    assert "cannot detach s.a_01 from s.a concurrently: s.a_rest is a default partition" in done.stderr
    assert "detach s.b_01 from s.b, blocking: the policy says so" in done.stdout
    assert [attached(database, f"s.{name}") for name in "bc"] == ["03 04 05 06"] * 2


def test_what_an_operation_detached_is_not_dropped(database: Database) -> None:
    build(database, retention_keep_table=False)
    perform(database, lambda op: op.detach_partition_concurrently("t", "t_04", schema="s"))
    assert retire(database, "--yes", "--no-grace").returncode == 0
    assert there(database) == "03 04 05 06"
    database.sql("ALTER TABLE s.t ATTACH PARTITION s.t_04 FOR VALUES FROM ('2026-04-01+00') TO ('2026-05-01+00')")
    assert "forget that s.t_04 was retired" in retire(database).stdout
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]


def test_a_row_whose_table_is_another_now_drops_nothing(database: Database) -> None:
    build(database, retention_keep_table=False)
    retire(database)
    database.sql("ALTER TABLE s.t_01 RENAME TO t_k1", "DROP TABLE s.t_02", "CREATE TABLE s.t_02 (id int)")
    later(database)
    assert retire(database, "--yes").returncode == 0
    assert there(database) == "02 03 04 05 06 k1"
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]


def test_partitions_of_partitions_leave_whole(database: Database) -> None:
    build(database, retention_keep_table=False, retention_grace="0")
    database.sql(
        "DROP TABLE s.t_01",
        "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00') "
        "PARTITION BY HASH (id)",
        "CREATE TABLE s.t_01a PARTITION OF s.t_01 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "INSERT INTO s.t VALUES (1, '2026-01-05', 'w')",
    )
    done = retire(database, "--yes")
    assert done.returncode == 0, done.stderr
    assert there(database) == "03 04 05 06"
    assert database.sql("SELECT to_regclass('s.t_01'), to_regclass('s.t_01a')") == [(None, None)]


def test_maintain_does_it_too(database: Database) -> None:
    build(database)
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert attached(database) == "03 04 05 06"


@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", [{}, {"retention_keep_table": False, "retention_grace": "0"}])
def test_two_at_once(database: Database, policy: dict[str, Any]) -> None:
    build(database, **policy)
    for arguments in (["retire", "--yes"], ["maintain"]):
        with busy(database, "SELECT 1 FROM s.t LIMIT 1", seconds=1.5):
            running = [
                subprocess.Popen(
                    command(database, "partitions", *words, "--now", NOW), cwd=ROOT, stderr=subprocess.PIPE, text=True
                )
                for words in (["retire", "--yes"], arguments)
            ]
            ended = [(one.communicate()[1], one.returncode) for one in running]
        assert [code for _, code in ended] == [0, 0], ended
        assert attached(database) == "03 04 05 06"


@pytest.mark.exhaustive
def test_on_a_terminal_it_asks_before_it_drops(database: Database) -> None:
    build(database, retention_keep_table=False, retention_grace="0")
    for answer, left in (("n", "01 02 03 04 05 06"), ("y", "03 04 05 06")):
        person, terminal = os.openpty()
        running = subprocess.Popen(
            command(database, "partitions", "retire", "--now", NOW),
            cwd=ROOT,
            stdin=terminal,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(terminal)
        os.write(person, f"{answer}\n".encode())
        said = running.communicate()[1]
        os.close(person)
        assert "this drops s.t_01, s.t_02, with all rows. Go on?" in said
        assert (attached(database), there(database)) == (left, left)


@pytest.mark.deep
@pytest.mark.parametrize("default", [False, True])
def test_killed_at_every_step_it_ends_where_an_undisturbed_run_ends(database: Database, default: bool) -> None:
    ends = []
    for kill in (None, *range(1, 9, 1 + default)):
        database.sql("SET client_min_messages = error", "DROP SCHEMA IF EXISTS s, schema_kit CASCADE")
        build(database, retention_keep_table=False, retention_grace="0")
        database.sql("CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)")
        if default:
            database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
        if kill is not None:
            one = subprocess.Popen(
                command(database, "partitions", "retire", "--yes", "--now", NOW, "--format", "json"),
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert one.stderr is not None
            for line, _ in enumerate(one.stderr, 1):
                if line == kill:
                    one.send_signal(signal.SIGKILL)
            one.communicate()
        done = retire(database, "--yes")
        assert done.returncode == 0, done.stderr
        record = database.sql("SELECT count(*) FROM schema_kit.retired_partition")[0][0]
        ends.append((there(database), attached(database), record))
    assert set(ends) == {(ends[0])}
    assert ends[0][0] == "03 04 05 06" + (" dd" if default else "")


@pytest.mark.parametrize("default", [False, True])
def test_writers_go_on(database: Database, default: bool) -> None:
    build(database, retention_keep_table=False, retention_grace="0")
    database.sql("CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)")
    if default:
        database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
    ended, failed, longest, rounds = threading.Event(), list[Exception](), [0.0], [0]

    def write(number: int) -> None:
        connection = database.connect(autocommit=False)
        at = f"2026-05-{number + 10}+00"
        try:
            while not ended.is_set():
                rounds[0] += 1
                for statement in (
                    f"INSERT INTO s.t VALUES ({rounds[0]}000, '{at}', 'new') ON CONFLICT DO NOTHING",
                    f"INSERT INTO s.child SELECT id, at FROM s.t WHERE at = '{at}' LIMIT 1",
                    "SELECT count(*) FROM s.t",
                ):
                    began = time.monotonic()
                    connection.execute(statement.encode())
                    longest[0] = max(longest[0], time.monotonic() - began)
                connection.commit()
        except psycopg.Error as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    with busy(database, "INSERT INTO s.t VALUES (-1, '2026-05-03', 'open')", "SELECT 1 FROM s.child LIMIT 1"):
        done = retire(database, "--yes", "--lock-timeout", f"{BUDGET}ms")
    ended.set()
    for writer in writers:
        writer.join()
    assert done.returncode == 0, done.stderr
    assert not failed
    assert rounds[0] > 10
    assert longest[0] < BUDGET / 1000 + HELD_SECONDS
    assert there(database).startswith("03 04 05 06")


def test_session_settings_change_nothing(database: Database) -> None:
    build(database, timezone="Asia/Kathmandu")
    database.sql("DROP TABLE s.t_01, s.t_02, s.t_03, s.t_04, s.t_05, s.t_06")
    database.sql(*months("s.t", zone="+05:45"))
    name = database.sql("SELECT current_database()")[0][0]
    for setting in ("TimeZone = 'America/New_York'", "DateStyle = 'SQL, DMY'", "IntervalStyle = 'iso_8601'"):
        database.sql(f"ALTER DATABASE {name} SET {setting}")
    # In Kathmandu it is April already, so that February ended two months before.
    done = shell(database, "partitions", "retire", "--now", "2026-04-30 18:20+00")
    assert done.returncode == 0, done.stderr
    assert attached(database) == "03 04 05 06"


def test_rights_that_are_missing_are_said(database: Database) -> None:
    build(database)
    database.sql(
        "DROP ROLE IF EXISTS retirer", "CREATE ROLE retirer LOGIN", "GRANT USAGE ON SCHEMA s, schema_kit TO retirer"
    )
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA s, schema_kit TO retirer")
    try:
        done = shell(database.url.replace("postgres@", "retirer@"), "partitions", "retire", "--now", NOW)
        assert done.returncode == 3
        assert "s.t belongs to postgres, whose rights retirer lacks" in done.stderr
        assert "retirer lacks CREATE on schema schema_kit" in done.stderr
        assert attached(database) == "01 02 03 04 05 06"
    finally:
        database.sql("DROP OWNED BY retirer", "DROP ROLE retirer")


def test_odd_names(database: Database) -> None:
    odd = "ก.A"
    build(database, odd, odd, retention_keep_table=False, retention_grace="0")
    assert retire(database, "--yes").returncode == 0
    found = database.sql(f'SELECT count(*) FROM pg_inherits WHERE inhparent = \'"{odd}"."{odd}"\'::regclass')
    assert found == [(4,)]


def test_a_detach_by_hand_that_was_interrupted_is_finalized_and_kept(database: Database) -> None:
    build(database, retention_keep_table=False, retention_grace="0")
    with psycopg.connect(database.url) as holder, database.connect() as other:
        holder.execute("SELECT 1 FROM s.t")
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("ALTER TABLE s.t DETACH PARTITION s.t_05 CONCURRENTLY")
    assert attached(database) == "01 02 03 04 05! 06"
    assert retire(database, "--yes").returncode == 0
    assert (attached(database), there(database)) == ("03 04 06", "03 04 05 06")


def test_each_range_under_a_list_is_maintained_by_itself(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, region text, at date NOT NULL, PRIMARY KEY (id, region, at)) "
        "PARTITION BY LIST (region)",
        "CREATE TABLE s.child (id bigint, region text, at date, FOREIGN KEY (id, region, at) REFERENCES s.t)",
        "CREATE TABLE s.t_rest PARTITION OF s.t DEFAULT",
        *(
            f"CREATE TABLE s.t_{region} PARTITION OF s.t FOR VALUES IN ('{region}') PARTITION BY RANGE (at)"
            for region in "ab"
        ),
        *(statement for region in "ab" for statement in months(f"s.t_{region}", zone="")),
        "INSERT INTO s.t SELECT i, 'a', '2026-01-01'::date + i FROM generate_series(0, 150) i",
        "INSERT INTO s.t SELECT id, 'b', at FROM s.t",
        "INSERT INTO s.child SELECT id, region, at FROM s.t WHERE region = 'b' AND at = '2026-01-07'",
        register_sql(Partitioning(QualifiedName("s", "t"), "at", "1 mon", retention="2 months")),
    )
    for _ in range(2):
        done = retire(database)
        assert done.returncode == 0, done.stderr
        assert "s.t_b_01 has outlived its retention and stays: 1 row of s.child refers to it by" in done.stderr
        assert [attached(database, f"s.t_{region}") for region in "ab"] == ["03 04 05 06", "01 03 04 05 06"]
    rows = "SELECT partition_name, parent_table FROM schema_kit.retired_partition ORDER BY 1"
    assert database.sql(rows) == [("s.t_a_01", "s.t_a"), ("s.t_a_02", "s.t_a"), ("s.t_b_02", "s.t_b")]
    ends = ("2026-02-01", "2026-03-01")
    perform(database, lambda op: op.attach_partition_concurrently("t_a", "t_a_02", *ends, schema="s"))
    assert attached(database, "s.t_a") == "02 03 04 05 06"
