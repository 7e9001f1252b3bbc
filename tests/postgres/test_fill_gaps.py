"""``schema_kit partitions fill-gaps``, as a shell calls it."""

from __future__ import annotations

import json
import signal
import subprocess
from itertools import pairwise

import psycopg
import pytest

from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import split
from schema_kit.steps.partitions import register_sql
from tests.support.catalog import facts
from tests.support.check import MONTHS, NOW, T, check, codes
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.locks import waiting
from tests.support.tables import leaves, partition, register

pytestmark = [pytest.mark.partitions, pytest.mark.cli, pytest.mark.majors]


@pytest.fixture
def holes(database: Database) -> Database:
    """January and May 2026 alone, and the clock in March: two ranges and the current one are missing."""
    database.sql(
        "CREATE SCHEMA app",
        """CREATE TABLE app.t (id bigint, at timestamptz NOT NULL, body text, PRIMARY KEY (id, at))
             PARTITION BY RANGE (at)""",
        "CREATE INDEX t_body ON app.t (body)",
        partition("app.t", "2026-01-01", "2026-02-01"),
        partition("app.t", "2026-05-01", "2026-06-01"),
    )
    register(database, Partitioning(T, "at", "1 mon", premake=2))
    return database


def test_it_makes_what_is_missing_and_says_when_nothing_is(holes: Database) -> None:
    assert "gap" in codes(holes)
    done = shell(holes, "partitions", "fill-gaps", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert [line.split()[2] for line in done.stdout.splitlines()] == [
        "app.t_p20260201",
        "app.t_p20260301",
        "app.t_p20260401",
    ]
    assert codes(holes) == []
    made = facts(holes)
    again = shell(holes, "partitions", "fill-gaps", "app.t", "--now", NOW)
    assert (again.returncode, again.stdout) == (0, "")
    assert "nothing to do" in again.stderr
    assert facts(holes) == made


def test_a_dry_run_sends_nothing_and_prints_what_a_run_sends(holes: Database) -> None:
    before = facts(holes)
    dry = shell(holes, "partitions", "fill-gaps", "--dry-run", "--now", NOW)
    assert dry.returncode == 0, dry.stderr
    assert facts(holes) == before
    as_json = json.loads(shell(holes, "partitions", "fill-gaps", "--dry-run", "--format", "json", "--now", NOW).stdout)
    assert len(as_json["steps"]) == 3
    with psycopg.connect(holes.url, autocommit=True) as connection:
        for statement in split(dry.stdout):
            connection.execute(statement.encode())
    by_hand = facts(holes)
    holes.sql(*(f"DROP TABLE app.t_p2026{month}01" for month in ("02", "03", "04")))
    assert shell(holes, "partitions", "fill-gaps", "--now", NOW).returncode == 0
    assert facts(holes) == by_hand


def test_up_to_the_current_range_and_since_a_moment(holes: Database) -> None:
    assert shell(holes, "partitions", "fill-gaps", "--now", "2026-08-10").returncode == 0
    assert leaves(holes)[-1] == "t_p20260701", "the present's own window is create-next's"
    early = shell(holes, "partitions", "fill-gaps", "--since", "2025-11-15", "--now", NOW)
    assert [line.split()[2] for line in early.stdout.splitlines()] == ["app.t_p20251101", "app.t_p20251201"]
    holes.sql("DROP TABLE app.t_p20251201", "DROP TABLE app.t_p20260201")
    late = shell(holes, "partitions", "fill-gaps", "--since", "2026-01-10", "--now", NOW)
    assert [line.split()[2] for line in late.stdout.splitlines()] == ["app.t_p20260201"]
    assert "t_p20251201" not in leaves(holes)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--since", "soon"], 2, "'soon' is not a date or time"),
        (["--since", "1500-01-01"], 3, "lacks more than 1000 partitions, from 1500-01-01"),
        (["app.unknown"], 3, "no policy in schema_kit.part_config"),
        (["--lock-timeout", "soon"], 2, "is not a duration"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(holes: Database, arguments: list[str], code: int, words: str) -> None:
    before = facts(holes)
    done = shell(holes, "partitions", "fill-gaps", "--now", NOW, *arguments)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert facts(holes) == before


@pytest.mark.exhaustive
def test_ranges_of_rows_in_the_default_are_left_and_said_the_others_are_made(holes: Database) -> None:
    holes.sql("CREATE TABLE app.t_default PARTITION OF app.t DEFAULT", "INSERT INTO app.t VALUES (1, '2026-03-03')")
    dry = shell(holes, "partitions", "fill-gaps", "--dry-run", "--now", NOW)
    assert dry.returncode == 1, "what a run would say is said"
    assert "t_p20260201" in dry.stdout
    done = shell(holes, "partitions", "fill-gaps", "--now", NOW)
    assert done.returncode == 1
    assert {"t_p20260201", "t_p20260401"} < set(leaves(holes))
    assert "app.t_default holds rows of 2026-03-01 to 2026-04-01" in done.stderr
    assert "Traceback" not in done.stderr
    again = shell(holes, "partitions", "fill-gaps", "--now", NOW)
    assert (again.returncode, again.stdout) == (3, ""), "nothing else is left"
    assert holes.sql("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%not_here'") == [(0,)]
    holes.sql("TRUNCATE app.t_default")
    assert shell(holes, "partitions", "fill-gaps", "--now", NOW).returncode == 0
    assert codes(holes) == []


def test_a_name_that_a_detached_partition_still_has(holes: Database) -> None:
    assert shell(holes, "partitions", "fill-gaps", "--now", NOW).returncode == 0
    holes.sql(
        "INSERT INTO app.t VALUES (7, '2026-02-02')",
        "ALTER TABLE app.t DETACH PARTITION app.t_p20260201",
        "DROP TABLE app.t_p20260401",
    )
    done = shell(holes, "partitions", "fill-gaps", "--now", NOW)
    assert done.returncode == 1
    assert "create partition app.t_p20260401" in done.stdout
    statement = done.stderr.split("attach it (")[1].split("), or rename")[0]
    holes.sql(statement)
    assert codes(holes) == []
    assert holes.sql("SELECT count(*) FROM app.t") == [(1,)]


@pytest.mark.exhaustive
def test_killed_while_it_works_and_called_again(holes: Database) -> None:
    holder = holes.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t IN SHARE UPDATE EXCLUSIVE MODE")
    running = subprocess.Popen(
        command(holes, "partitions", "fill-gaps", "--since", "2016-01-01", "--now", NOW),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    waiting(holes)
    holder.rollback()
    before = len(leaves(holes))
    while len(leaves(holes)) < before + 3:
        assert running.poll() is None, "it is killed in the middle"
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    assert len(leaves(holes)) < 125
    assert shell(holes, "partitions", "fill-gaps", "--since", "2016-01-01", "--now", NOW).returncode == 0
    assert len(leaves(holes)) == 125
    assert [code for code in codes(holes) if code != "ahead_missing"] == []


@pytest.mark.exhaustive
def test_two_at_once_make_each_partition_once(holes: Database) -> None:
    both = [
        subprocess.Popen(
            command(holes, "partitions", "fill-gaps", "--since", "2025-01-01", "--now", NOW),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert len(leaves(holes)) == 17


def test_ids_dates_and_sets_below_a_list_parent(database: Database) -> None:
    database.sql(
        'CREATE SCHEMA "ร้าน"',
        'CREATE TABLE "ร้าน"."T.x" (region text, at date NOT NULL) PARTITION BY LIST (region)',
        """CREATE TABLE "ร้าน"."eu's" PARTITION OF "ร้าน"."T.x" FOR VALUES IN ('eu') PARTITION BY RANGE (at)""",
        """CREATE TABLE "ร้าน".us PARTITION OF "ร้าน"."T.x" FOR VALUES IN ('us') PARTITION BY RANGE (at)""",
        *(
            partition('"ร้าน".us', low, high, f'"ร้าน".us_{low[5:7]}')
            for low, high in pairwise(MONTHS)
            if low != "2026-02-01"
        ),
        'CREATE TABLE "ร้าน".ids (id numeric PRIMARY KEY) PARTITION BY RANGE (id)',
        'CREATE TABLE "ร้าน".a PARTITION OF "ร้าน".ids FOR VALUES FROM (MINVALUE) TO (1000)',
        'CREATE TABLE "ร้าน".b PARTITION OF "ร้าน".ids FOR VALUES FROM (3000) TO (MAXVALUE)',
        'INSERT INTO "ร้าน".ids VALUES (3500)',  # no gap reaches beyond the current range
    )
    register(database, Partitioning(QualifiedName("ร้าน", "T.x"), "at", "1 mon", premake=2))
    database.sql(register_sql(Partitioning(QualifiedName("ร้าน", "ids"), "id", "1000", premake=3)))
    assert {one["set"] for one in check(database) if one["code"] == "gap"} == {'"ร้าน".ids', '"ร้าน".us'}
    done = shell(database, "partitions", "fill-gaps", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert sorted(line.split(" from ")[0] for line in done.stdout.splitlines()) == [
        'create partition "ร้าน".ids_p1000',
        'create partition "ร้าน".ids_p2000',
        'create partition "ร้าน".us_p20260201',
    ]
    assert [one["code"] for one in check(database) if one["code"] == "gap"] == []


def test_sub_partitions_are_made_as_those_of_the_newest(database: Database) -> None:
    database.sql("CREATE SCHEMA app", "CREATE TABLE app.t (at date NOT NULL, n int) PARTITION BY RANGE (at)")
    for low, high in (MONTHS[0:2], MONTHS[4:6]):
        table = f"app.t_p{low.replace('-', '')}"
        database.sql(
            partition("app.t", low, high) + " PARTITION BY HASH (n)",
            *(
                f"CREATE TABLE {table}_{n} PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER {n})"
                for n in (0, 1)
            ),
        )
    register(database, Partitioning(T, "at", "1 mon", premake=2))
    assert shell(database, "partitions", "fill-gaps", "--now", NOW).returncode == 0
    assert "t_p20260301_1" in leaves(database)
    assert len(leaves(database)) == 10
    assert codes(database) == []


def test_a_role_that_cannot_write_gets_a_message(holes: Database) -> None:
    name, before = holes.sql("SELECT current_database()")[0][0], facts(holes)
    holes.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    done = shell(holes, "partitions", "fill-gaps", "--now", NOW)
    assert (done.returncode, done.stdout) == (3, "")
    assert "read-only" in done.stderr
    with holes.connect() as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert facts(holes) == before
    role = f"filler_{holes.sql('SELECT pg_backend_pid()')[0][0]}"
    holes.sql(
        f"CREATE ROLE {role} LOGIN",
        f"GRANT USAGE ON SCHEMA schema_kit, app TO {role}",
        f"GRANT SELECT ON schema_kit.part_config TO {role}",
    )
    try:
        done = shell(holes.url.replace("postgres@", f"{role}@"), "partitions", "fill-gaps", "--now", NOW)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert f"GRANT postgres TO {role}" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        holes.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert len(leaves(holes)) == 2
