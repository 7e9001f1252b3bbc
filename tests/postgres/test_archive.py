"""Archives by partition: made, filled by `schema_kit archive run`, and never a row in two places or in none."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from functools import partial
from typing import Any

import psycopg
import pytest

from schema_kit.errors import DeclarationError, PlanError
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.archives import (
    NOW,
    ROWS,
    VIEW,
    archived,
    attached,
    build,
    in_exactly_one_place,
    places,
    reading,
    restore,
    run,
)
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.locks import HELD_SECONDS, busy
from tests.support.matrix import perform
from tests.support.tables import checksum, months

pytestmark = [pytest.mark.archives, pytest.mark.majors]

BUDGET = 300


def test_whole_partitions_go_and_no_row_is_copied(database: Database) -> None:
    archived(database)
    files = database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    before = places(database)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert [line.split(" from ")[0] for line in done.stdout.splitlines() if not line.startswith("rec")] == [
        "create schema_kit.retired_partition",
        "detach s.t_01",
        "attach s.t_01 to s.t_archive",
        "detach s.t_02",
        "attach s.t_02 to s.t_archive",
    ]
    assert "detach s.t_01 from s.t concurrently" in done.stdout
    assert places(database) == ("03 04 05 06", "01 02", [], before[3])
    assert files == database.sql("SELECT pg_relation_filenode('s.t_01'), pg_relation_filenode('s.t_01_pkey')")
    assert database.sql("SELECT count(*) FROM schema_kit.retired_partition") == [(0,)]
    assert database.sql(
        "SELECT partition_name, table_name, archive_table, goes_to, moved_at IS NOT NULL "
        "FROM schema_kit.archived_partition ORDER BY 1"
    ) == [(f"s.t_0{n}", "s.t", "s.t_archive", "s.t_archive", True) for n in (1, 2)]
    again = run(database)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "nothing to do\n")


def test_a_dry_run_prints_the_sql_and_sends_none(database: Database) -> None:
    archived(database)
    before = places(database)
    done = run(database, "--dry-run")
    assert done.stdout.count("CONCURRENTLY;") == done.stdout.count('ALTER TABLE "s"."t_archive" ATTACH') == 2
    steps = json.loads(run(database, "--dry-run", "--format", "json").stdout)["steps"]
    assert [step["summary"].split()[0] for step in steps] == [
        "create",
        *["record", "detach", "attach"] * 2,
        "analyze",
    ]
    assert places(database) == before


@pytest.mark.exhaustive
def test_a_reader_of_the_view_sees_each_row_once_at_every_moment(database: Database) -> None:
    archived(database, view=VIEW)
    expected = (ROWS, ROWS, sum(range(ROWS)))
    with reading(database) as seen:
        for _ in range(6):
            done = run(database, "--restored")
            assert done.returncode == 0, done.stderr
            assert f"in one commit: view s.{VIEW} shows both tables" in done.stdout
            assert attached(database, "s.t_archive") == "01 02"
            back = shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01")
            assert back.returncode == 0, back.stderr
            assert attached(database) == "01 02 03 04 05 06"
    assert seen == {expected}


def test_plans_of_the_view_prune(database: Database) -> None:
    archived(database, view=VIEW)
    run(database)
    for at, only in (("2026-01-15", "t_01"), ("2026-05-15", "t_05")):
        plan = database.sql(f"EXPLAIN SELECT * FROM s.{VIEW} WHERE at = '{at}'")
        scanned = {row[0].split(" on ")[1].split()[0] for row in plan if " on t" in row[0]}
        assert {name.removesuffix("_pkey") for name in scanned} == {only}, plan
    generic = database.sql(
        "SET plan_cache_mode = force_generic_plan",
        f"PREPARE p (timestamptz) AS SELECT * FROM s.{VIEW} WHERE at = $1",
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE p ('2026-01-15')",
    )
    assert "never executed" not in str(generic)
    assert "t_01" in str(generic)
    assert "t_05" not in str(generic)


@pytest.mark.parametrize("way", ["default", "self", "blocking"])
def test_the_next_best_way_is_one_commit_and_says_why(database: Database, way: str) -> None:
    archived(database, detach="blocking" if way == "blocking" else "auto")
    if way == "default":
        database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
    elif way == "self":
        database.sql(
            "ALTER TABLE s.t ADD up bigint, ADD up_at timestamptz, ADD FOREIGN KEY (up, up_at) REFERENCES s.t",
            "ALTER TABLE s.t_archive ADD up bigint, ADD up_at timestamptz",
        )
    before = places(database)
    done = run(database)
    assert done.returncode == 0, done.stderr
    why = {"default": "s.t_dd is a default partition", "self": "s.t refers to itself", "blocking": "the policy says so"}
    assert f"move s.t_01 from s.t to s.t_archive in one commit: {why[way]}" in done.stdout
    assert "validate" in done.stdout
    hot = "03 04 05 06" + (" dd" if way == "default" else "")
    assert places(database) == (hot, "01 02", [], before[3])


def test_what_others_need_stays_and_is_said_each_run(database: Database) -> None:
    archived(database)
    database.sql(
        "CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t_01 LIMIT 3",
    )
    for _ in range(2):
        done = run(database)
        assert done.returncode == 0, done.stderr
        assert "s.t_01 is to go to s.t_archive and stays: 3 rows of s.child refer to it by" in done.stderr
        assert (attached(database), attached(database, "s.t_archive")) == ("01 03 04 05 06", "02")


def test_foreign_keys_go_along_with_the_rows(database: Database) -> None:
    archived(database)
    database.sql(
        "CREATE TABLE s.word (word text PRIMARY KEY)",
        "INSERT INTO s.word VALUES ('w')",
        "ALTER TABLE s.t ADD FOREIGN KEY (word) REFERENCES s.word",
    )
    assert run(database).returncode == 0
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.sql("DELETE FROM s.word")
    assert (
        shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01").returncode == 0
    )
    assert attached(database) == "01 02 03 04 05 06"
    assert database.sql(
        "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE contype = 'f' AND conparentid <> 0"
    ) == [(6, True)]


def test_ids(database: Database) -> None:
    database.sql(
        *load("partman/tables/part_config.sql"),
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint NOT NULL) PARTITION BY RANGE (id)",
        *(f"CREATE TABLE s.t_{n}0 PARTITION OF s.t FOR VALUES FROM ({n}00) TO ({n + 1}00)" for n in range(1, 7)),
        "INSERT INTO s.t SELECT generate_series(100, 550)",
        register_sql(Partitioning(QualifiedName("s", "t"), "id", "100")),
    )

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s")
        op.set_archive_policy("t", "250", schema="s")

    perform(database, operate)
    assert run(database).returncode == 0
    assert (attached(database), attached(database, "s.t_archive")) == ("30 40 50 60", "10 20")


@pytest.mark.exhaustive
def test_partitions_of_partitions_go_whole(database: Database) -> None:
    archived(database, view=VIEW)
    database.sql(
        "DROP TABLE s.t_01",
        "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00') "
        "PARTITION BY HASH (id)",
        "CREATE TABLE s.t_01a PARTITION OF s.t_01 FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
        "CREATE TABLE s.t_01b PARTITION OF s.t_01 FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        "INSERT INTO s.t SELECT i, '2026-01-05', 'w' FROM generate_series(1, 20) i",
    )
    for drop in (False, True):
        if drop:
            database.sql(f"DROP VIEW s.{VIEW}")
        before = places(database)
        done = run(database, "--restored")
        assert done.returncode == 0, done.stderr
        assert ("concurrently" in done.stdout) is drop
        assert places(database) == ("03 04 05 06", "01 02", [], before[3])
        assert (
            shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-03-01").returncode
            == 0
        )
        assert places(database) == ("01 02 03 04 05 06", "", [], before[3])


def test_odd_names(database: Database) -> None:
    odd = "ก.A\"'" + "x" * 20
    quoted = '"' + odd.replace('"', '""') + '"'
    database.sql(
        *load("partman/tables/part_config.sql"),
        f"CREATE SCHEMA {quoted}",
        f"CREATE TABLE {quoted}.{quoted} ({quoted} timestamptz NOT NULL PRIMARY KEY) PARTITION BY RANGE ({quoted})",
        *(
            f'CREATE TABLE {quoted}."{n}.P" PARTITION OF {quoted}.{quoted} '
            f"FOR VALUES FROM ('2026-0{n}-01+00') TO ('2026-0{n + 1}-01+00')"
            for n in range(1, 7)
        ),
        f"INSERT INTO {quoted}.{quoted} SELECT '2026-01-01+00'::timestamptz + i * interval '1 day' "
        "FROM generate_series(0, 150) i",
        register_sql(Partitioning(QualifiedName(odd, odd), odd, "1 mon")),
    )

    def operate(op: Any) -> None:
        op.create_archive_table(odd, schema=odd, view=f'{quoted}.{quoted[:-1]}v"')
        op.set_archive_policy(odd, "2 months", schema=odd)

    perform(database, operate)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert database.sql(f'SELECT count(*) FROM {quoted}.{quoted[:-1]}_archive"') == [(59,)]
    assert database.sql(f'SELECT count(*) FROM {quoted}.{quoted[:-1]}v"') == [(151,)]


@pytest.mark.deep
@pytest.mark.parametrize("way", ["concurrently", "view", "default"])
def test_killed_at_every_step_it_ends_where_an_undisturbed_run_ends(database: Database, way: str) -> None:
    ends = []
    for kill in (None, *range(1, 14, 1 if way == "concurrently" else 3)):
        database.sql("SET client_min_messages = error", "DROP SCHEMA IF EXISTS s, schema_kit CASCADE")
        archived(database, view=VIEW if way == "view" else None)
        if way == "default":
            database.sql("CREATE TABLE s.t_dd PARTITION OF s.t DEFAULT")
        if kill is not None:
            one = subprocess.Popen(
                command(database, "archive", "run", "--now", NOW, "--format", "json"),
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
            assert in_exactly_one_place(database) == ROWS
        done = run(database)
        assert done.returncode == 0, done.stderr
        ends.append((places(database), database.sql("SELECT count(*) FROM schema_kit.archived_partition")[0]))
    assert all(end == ends[0] for end in ends)
    assert ends[0][0][1] == "01 02"


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", ["concurrently", "view"])
def test_writers_and_readers_go_on(database: Database, way: str) -> None:
    archived(database, view=VIEW if way == "view" else None)
    ended, failed, longest, rounds = threading.Event(), list[Exception](), [0.0], [0]

    def write(number: int) -> None:
        at = f"2026-05-{number + 10}+00"
        try:
            with psycopg.connect(database.url) as connection:
                while not ended.is_set():
                    rounds[0] += 1
                    for statement in (
                        f"INSERT INTO s.t VALUES ({rounds[0]}000, '{at}', 'new') ON CONFLICT DO NOTHING",
                        f"UPDATE s.t SET word = 'x' WHERE at = '{at}'",
                        "SELECT count(*) FROM s.t",
                        "SELECT count(*) FROM s.t_archive",
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
    with busy(database, "INSERT INTO s.t VALUES (-1, '2026-05-03', 'open')"):
        done = run(database, "--lock-timeout", f"{BUDGET}ms")
    ended.set()
    for writer in writers:
        writer.join()
    assert done.returncode == 0, done.stderr
    assert not failed
    assert rounds[0] > 10
    assert longest[0] < BUDGET / 1000 + HELD_SECONDS
    assert attached(database, "s.t_archive") == "01 02"


@pytest.mark.exhaustive
def test_two_at_once(database: Database) -> None:
    archived(database)
    with busy(database, "SELECT 1 FROM s.t LIMIT 1", seconds=1.5):
        running = [
            subprocess.Popen(
                command(database, "archive", "run", "--now", NOW), cwd=ROOT, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        ended = [(one.communicate()[1], one.returncode) for one in running]
    assert [code for _, code in ended] == [0, 0], ended
    assert places(database)[:3] == ("03 04 05 06", "01 02", [])


def test_beside_retention_the_archive_comes_first(database: Database) -> None:
    archived(database, retention="3 months", retention_keep_table=False, retention_grace="0")
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert (attached(database), attached(database, "s.t_archive")) == ("03 04 05 06", "01 02")
    assert in_exactly_one_place(database) == ROWS


# Back from the archive


@pytest.mark.exhaustive
@pytest.mark.parametrize("view", [None, VIEW])
def test_a_range_comes_back_and_stays_until_it_is_asked_for(database: Database, view: str | None) -> None:
    archived(database, view=view)
    before = places(database)
    assert run(database).returncode == 0
    done = restore(database, "2026-02-01", "2026-03-01")
    assert done.returncode == 0, done.stderr
    assert "validate" not in done.stdout
    assert places(database) == ("02 03 04 05 06", "01", [], before[3])
    again = restore(database, "2026-02-01", "2026-03-01")
    assert (again.returncode, again.stderr) == (0, "nothing to do\n")
    kept = run(database)
    assert "s.t_02 was restored from the archive and stays until it is asked for: --restored" in kept.stderr
    assert "archive_overdue" not in shell(database, "partitions", "check", "--now", "2026-03-20").stdout
    assert attached(database) == "02 03 04 05 06"
    assert run(database, "--restored").returncode == 0
    assert places(database) == ("03 04 05 06", "01 02", [], before[3])


@pytest.mark.exhaustive
@pytest.mark.parametrize("kill", [None, *range(1, 12, 2)])
def test_a_part_of_a_partition_comes_back_row_by_row(database: Database, kill: int | None) -> None:
    archived(database, view=VIEW)
    before = places(database)[3]
    assert run(database).returncode == 0
    if kill:
        arguments = ("restore", "s.t", "--since", "2026-01-20", "--until", "2026-02-10", "--format", "json")
        one = subprocess.Popen(command(database, "archive", *arguments), cwd=ROOT, stdout=-1, stderr=-1, text=True)
        assert one.stderr is not None
        for line, _ in enumerate(one.stderr, 1):
            if line == kill:
                one.send_signal(signal.SIGKILL)
        one.communicate()
    done = restore(database, "2026-01-20", "2026-02-10")
    assert done.returncode == 0, done.stderr
    ends = "SELECT count(*), min(at)::date::text, max(at)::date::text FROM"
    assert database.sql(f"{ends} s.t WHERE at < '2026-03-01+00'") == [(21, "2026-01-20", "2026-02-09")]
    assert database.sql(f"{ends} s.t_archive") == [(38, "2026-01-01", "2026-02-28")]
    assert places(database)[3] == before
    assert restore(database, "2026-01-20", "2026-02-10").stderr == "nothing to do\n"
    later = run(database)
    assert later.returncode == 0
    assert "is to go to s.t_archive and stays: its range overlaps that of s.t_01" in later.stderr


@pytest.mark.exhaustive
def test_equal_rows_are_skipped_and_different_ones_refused(database: Database) -> None:
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "CREATE TABLE s.t_k1 PARTITION OF s.t FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00')",
        "INSERT INTO s.t SELECT * FROM s.t_archive WHERE id < 5",
        "UPDATE s.t SET word = 'other' WHERE id IN (3, 4)",
    )
    before = places(database)
    refusal = restore(database, "2026-01-01", "2026-02-01")
    assert refusal.returncode == 3
    assert "2 of them exist with the same key and other values, the first of them (3," in refusal.stderr
    assert places(database) == before
    database.sql("UPDATE s.t SET word = 'w'")
    assert restore(database, "2026-01-01", "2026-02-01").returncode == 0
    assert database.sql("SELECT count(*), count(DISTINCT id) FROM s.t") == [(123, 123)]
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(28,)]


@pytest.mark.exhaustive
def test_beside_the_table(database: Database) -> None:
    archived(database)
    before = places(database)[3]
    assert run(database).returncode == 0
    done = restore(database, "2026-01-01", "2026-02-10", "--beside", "Looked.ที่")
    assert done.returncode == 3
    assert 'there is no schema "Looked"' in done.stderr
    for _ in range(2):
        done = restore(database, "2026-01-01", "2026-02-10", "--beside", '"s"."Looked.ที่"')
        assert done.returncode == 0, done.stderr
    assert attached(database, '"s"."Looked.ที่"') == "01", "and one that was made for the days of February"
    assert database.sql('SELECT count(*) FROM s."Looked.ที่"') == [(40,)]
    assert [checksum(database, "s.t", "s.t_archive", 's."Looked.ที่"')] == before


@pytest.mark.parametrize("ends", [("2026-02-01", "2026-01-01"), ("soon", "2026-01-01")])
def test_a_range_that_is_none_is_refused(database: Database, ends: tuple[str, str]) -> None:
    archived(database)
    assert restore(database, *ends).returncode == 2


# Looking


@pytest.mark.exhaustive
def test_status(database: Database) -> None:
    nothing = shell(database, "archive", "status")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr == "no table has an archive policy (op.set_archive_policy registers one)\n"
    archived(database)
    told = json.loads(shell(database, "archive", "status", "--now", NOW, "--format", "json").stdout)
    assert [(one["due"], one["partitions"], one["error"]) for one in told] == [(["s.t_01", "s.t_02"], [], None)]
    run(database)
    restore(database, "2026-02-01", "2026-03-01")
    database.sql("ANALYZE")
    (one,) = json.loads(shell(database, "archive", "status", "--now", NOW, "--format", "json").stdout)
    assert [(p["partition"], p["from"], p["rows"]) for p in one["partitions"]] == [("s.t_01", "2026-01-01", 31)]
    assert one["partitions"][0]["bytes"] > 0
    assert one["partitions"][0]["archived_at"]
    assert (one["due"], one["restored"], one["on_their_way"]) == ([], ["s.t_02"], [])
    text = shell(database, "archive", "status", "--now", NOW).stdout
    assert "s.t to s.t_archive, by partition, after 2 months" in text
    assert "restored: s.t_02" in text
    assert shell(database, "archive", "status", "s.nowhere").returncode == 3


def test_what_is_overdue_is_found(database: Database) -> None:
    archived(database, premake=1)
    arguments = ("check", "--now", NOW)
    found = shell(database, "partitions", *arguments)
    assert found.returncode == 4
    assert "s.t_01, s.t_02 of s.t: due for s.t_archive (after 2 months). Run schema_kit archive run s.t" in found.stdout
    assert run(database).returncode == 0
    assert shell(database, "partitions", *arguments).stdout == ""


def test_what_went_to_the_archive_is_no_gap(database: Database) -> None:
    archived(database, premake=1)
    database.sql(
        "CREATE TABLE s.child (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES s.t)",
        "INSERT INTO s.child SELECT id, at FROM s.t_01 LIMIT 1",
    )
    assert run(database).returncode == 0
    assert attached(database) == "01 03 04 05 06"
    assert "[gap]" not in shell(database, "partitions", "check", "--now", NOW).stdout
    assert shell(database, "partitions", "fill-gaps", "--now", NOW).stderr == "nothing to do\n"


@pytest.mark.exhaustive
def test_an_archive_that_is_behind_is_mended(database: Database) -> None:
    archived(database, view=VIEW)
    database.sql("ALTER TABLE s.t ADD gone int", "ALTER TABLE s.t_archive ADD gone int")
    assert run(database).returncode == 0
    database.sql(
        "ALTER TABLE s.t ADD more int NOT NULL DEFAULT 7, ALTER word SET DEFAULT 'x', ALTER word SET NOT NULL, "
        "ADD CONSTRAINT short CHECK (length(word) < 9), DROP COLUMN gone",
    )
    refused(
        database,
        lambda op: op.repair_archive_table("t", schema="s"),
        "s.t_archive has a column gone, which s.t has not",
    )
    for _ in range(2):
        perform(
            database,
            lambda op: op.repair_archive_table("t", schema="s", drop_columns=["gone"], view=VIEW),
        )
    assert shell(database, "archive", "verify").returncode == 0
    assert database.sql("SELECT count(*), min(more) FROM s.t_archive") == [(59, 7)]
    assert database.sql(f"SELECT count(*), sum(more) FROM s.{VIEW}") == [(ROWS, ROWS * 7)]
    assert shell(database, "archive", "run", "--now", "2026-06-20").returncode == 0
    assert attached(database, "s.t_archive") == "01 02 03"


@pytest.mark.exhaustive
@pytest.mark.parametrize("first", ["t", "t_archive"])
def test_a_view_over_both_loses_a_dropped_column(database: Database, first: str) -> None:
    """A reader of the view sees each row while the column goes; what the view had besides stays."""
    archived(database, view=VIEW)
    database.sql(
        f"GRANT SELECT ON s.{VIEW} TO pg_monitor WITH GRANT OPTION",
        f"GRANT SELECT (word), UPDATE (id, word) ON s.{VIEW} TO pg_read_all_stats",
        f"COMMENT ON VIEW s.{VIEW} IS 'it''s both'",
        f"COMMENT ON COLUMN s.{VIEW}.id IS 'which'",
        f"ALTER VIEW s.{VIEW} SET (security_barrier)",
    )
    access = (
        "SELECT relowner::regrole, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(relacl) a), "
        "reloptions, obj_description(oid), col_description(oid, 1), ARRAY(SELECT attacl::text FROM pg_attribute "
        f"WHERE attrelid = c.oid AND attname = 'id') FROM pg_class c WHERE oid = 's.{VIEW}'::regclass"
    )
    before = database.sql(access)
    assert run(database).returncode == 0
    with reading(database) as seen:
        for table in (first, *({"t", "t_archive"} - {first})):
            perform(database, partial(_without_word, table))
    assert seen == {(ROWS, ROWS, sum(range(ROWS)))}
    assert database.sql(access) == before
    assert shell(database, "archive", "run", "--now", "2026-06-20").returncode == 0


def _without_word(table: str, op: Any) -> None:
    op.drop_column_concurrently(table, "word", schema="s")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("sql", "says"),
    [
        (f"CREATE VIEW s.above AS SELECT word FROM s.{VIEW}", "view s.above depends on it"),
        ("CREATE VIEW s.own AS SELECT id, word FROM s.t", "view s.own depends on it"),
        (
            f"CREATE OR REPLACE VIEW s.{VIEW} AS SELECT * FROM s.t WHERE id >= 0 UNION ALL SELECT * FROM s.t_archive",
            f"view s.{VIEW} depends on it",
        ),
        (f"CREATE RULE own AS ON INSERT TO s.{VIEW} DO INSTEAD NOTHING", f"view s.{VIEW} has a rule own"),
        (f"ALTER VIEW s.{VIEW} ALTER word SET DEFAULT 'x'", f"view s.{VIEW} has a default of column word"),
    ],
)
def test_another_view_stops_a_drop(database: Database, sql: str, says: str) -> None:
    archived(database, view=VIEW)
    database.sql(sql)
    refused(database, lambda op: op.drop_column_concurrently("t", "word", schema="s"), says)
    assert database.sql(f"SELECT count(word) FROM s.{VIEW}") == [(ROWS,)]


@pytest.mark.exhaustive
def test_a_repair_names_what_it_does_not_do(database: Database) -> None:
    archived(database)
    database.sql("ALTER TABLE s.t_archive ADD CONSTRAINT own CHECK (id < 1000)")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "a check own that s.t has not so")
    refused(database, lambda op: op.repair_archive_table("nowhere"), "there is no table public.nowhere")
    database.sql("ALTER TABLE s.t_archive DROP CONSTRAINT own")
    assert run(database).returncode == 0
    database.sql("ALTER TABLE s.t ADD must int, ADD twice bigint GENERATED ALWAYS AS (id * 2) STORED")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "twice is generated")
    database.sql("ALTER TABLE s.t DROP twice", "UPDATE s.t SET must = 1", "ALTER TABLE s.t ALTER must SET NOT NULL")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "must is NOT NULL and has no default")
    database.sql("ALTER TABLE s.t_archive ADD must int GENERATED ALWAYS AS (1) STORED NOT NULL")
    refused(database, lambda op: op.repair_archive_table("t", schema="s"), "must is generated in s.t_archive")


@pytest.mark.exhaustive
def test_a_partition_on_its_way_follows_too(database: Database) -> None:
    """Detached when the run was killed; then the table changed, and its archive with it."""
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "ALTER TABLE s.t_archive DETACH PARTITION s.t_01",
        "UPDATE schema_kit.archived_partition SET moved_at = NULL WHERE partition_name = 's.t_01'",
        "ALTER TABLE s.t ADD more int DEFAULT 7, ALTER word SET NOT NULL, ADD CONSTRAINT few CHECK (id < 1000)",
        "ALTER TABLE s.t_archive ADD more int DEFAULT 7, ALTER word SET NOT NULL, ADD CONSTRAINT few CHECK (id < 1000)",
    )
    stopped = run(database)
    assert stopped.returncode == 3
    for _ in range(2):
        perform(database, lambda op: op.repair_archive_table("t", schema="s"))
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert attached(database, "s.t_archive") == "01 02"
    assert database.sql("SELECT count(*), min(more) FROM s.t_archive") == [(59, 7)]


def test_verify(database: Database) -> None:
    archived(database)
    run(database)
    fine = shell(database, "archive", "verify", "--checksums")
    assert (fine.returncode, len(fine.stdout.splitlines())) == (0, 2), fine.stdout
    assert fine.stdout.startswith("s.t_01: 31 rows, ")
    assert shell(database, "archive", "verify", "--checksums").stdout == fine.stdout
    database.sql("UPDATE s.t_archive SET word = 'v' WHERE id = 3")
    assert shell(database, "archive", "verify", "--checksums").stdout != fine.stdout
    database.sql(
        "ALTER TABLE s.t ADD more int NOT NULL DEFAULT 7, ALTER word SET DEFAULT 'x'",
        "CREATE INDEX words ON s.t (word)",
    )
    done = shell(database, "archive", "verify", "--format", "json")
    assert done.returncode == 4
    (told,) = json.loads(done.stdout)
    assert [(d["kind"], d["object"], d["stops"]) for d in told["differences"]] == [
        ("column missing", "more", True),
        ("default", "word", False),
        ("index missing", "words", False),
    ]


# Bad input: nothing is written


def refused(database: Database, operate: Any, words: str, kind: type[Exception] = PlanError) -> None:
    before = database.sql("SELECT count(*) FROM pg_class")
    with pytest.raises(kind, match=words):
        perform(database, operate)
    assert database.sql("SELECT count(*) FROM pg_class") == before


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP COLUMN word", "s.t_archive has no column word"),
        ("ADD COLUMN more int", "s.t_archive has a column more, which s.t has not"),
        ("ALTER word TYPE varchar(10)", "column word of s.t_archive is character varying"),
        ("ALTER word SET NOT NULL", "column word of s.t_archive is NOT NULL, other than in s.t"),
        ("ADD CONSTRAINT short CHECK (length(word) < 9)", "s.t_archive has a check short that s.t has not so"),
    ],
)
def test_an_archive_in_another_shape_is_refused_and_named(database: Database, change: str, words: str) -> None:
    archived(database)
    database.sql(f"ALTER TABLE s.t_archive {change}")
    refused(database, lambda op: op.set_archive_policy("t", "3 months", schema="s"), words)
    refused(database, lambda op: op.create_archive_table("t", schema="s"), words)
    before = attached(database)
    done = run(database)
    assert done.returncode == 3, done.stdout
    assert "Nothing was changed" in done.stderr
    assert "schema_kit archive verify s.t" in done.stderr
    assert attached(database) == before


@pytest.mark.exhaustive
def test_policies_that_make_no_sense_are_refused(database: Database) -> None:
    archived(database)

    def set_policy(*arguments: Any, **more: Any) -> Any:
        return lambda op: op.set_archive_policy("t", *arguments, schema="s", **more)

    refused(database, set_policy("3 days"), "archive_after of s.t is 3 days, shorter than a partition")
    refused(database, set_policy("1000"), "Write a length of time")
    refused(database, set_policy("a while"), "'a while' is not an interval", DeclarationError)
    refused(database, set_policy(), "archive_after or a condition", DeclarationError)
    refused(database, set_policy("3 months", way="boat"), "way is partition or rows", DeclarationError)
    refused(database, set_policy("3 months", condition="true"), "way='rows'")
    refused(database, set_policy(way="rows", condition="nonsense > 1"), 'invalid condition: column "nonsense" does not')
    refused(database, set_policy("3 months", archive_table_name="nowhere"), "there is no table s.nowhere")
    refused(database, lambda op: op.set_archive_policy("nowhere", "3 months"), "there is no table public.nowhere")
    refused(
        database,
        lambda op: op.create_archive_table("t", "t", schema="s"),
        "cannot be its own archive",
        DeclarationError,
    )
    refused(
        database, lambda op: op.create_archive_table("t", "a", schema="s", compression="zip"), "pglz", DeclarationError
    )
    refused(database, lambda op: op.create_archive_table("t", "a", schema="s", indexes=["no"]), "s.t has no index no")
    database.sql("UPDATE schema_kit.archive_policy SET archive_after = '1 day'")
    done = run(database)
    assert (done.returncode, attached(database)) == (3, "01 02 03 04 05 06")
    assert "shorter than a partition" in done.stderr


def test_a_moment_of_its_own_is_for_rows_alone(database: Database) -> None:
    build(database, retention=None)
    perform(database, lambda op: op.create_archive_table("t", schema="s", archived_at=True))
    refused(
        database,
        lambda op: op.set_archive_policy("t", "2 months", schema="s"),
        "no partition can bring it; schema_kit.archived_partition says when each one came",
    )
    perform(
        database,
        lambda op: op.set_archive_policy(
            "t", "2 months", schema="s", way="rows", control="at", archived_at="archived_at"
        ),
    )


def test_rights_that_are_missing_are_said(database: Database) -> None:
    archived(database)
    database.sql(
        "DROP ROLE IF EXISTS archiver", "CREATE ROLE archiver LOGIN", "GRANT USAGE ON SCHEMA s, schema_kit TO archiver"
    )
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA s, schema_kit TO archiver")
    try:
        done = run(database.url.replace("postgres@", "archiver@"))
        assert done.returncode == 3
        assert "belongs to postgres, whose rights archiver lacks" in done.stderr
        assert attached(database) == "01 02 03 04 05 06"
    finally:
        database.sql("DROP OWNED BY archiver", "DROP ROLE archiver")


def test_a_session_that_only_reads_is_refused(database: Database) -> None:
    archived(database)
    done = run(database.url + "&options=-c%20default_transaction_read_only%3Don")
    assert done.returncode == 3
    assert "this session is read-only" in done.stderr


# The archive itself


def test_an_archive_has_what_its_table_has(database: Database) -> None:
    build(database, retention=None)
    database.sql(
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader",
        "GRANT USAGE ON SCHEMA s TO reader",
        "GRANT SELECT ON s.t TO reader",
        "ALTER TABLE s.t ADD CONSTRAINT short CHECK (length(word) < 9), ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON s.t USING (id > 100)",
        "CREATE INDEX words ON s.t (lower(word)) WHERE id > 3",
    )
    try:
        perform(
            database,
            lambda op: op.create_archive_table(
                "t", "old", schema="s", archive_schema="s", compression="pglz", interval="1 year", view="every"
            ),
        )
        assert database.sql(
            "SELECT partition_interval, automatic_maintenance FROM schema_kit.part_config ORDER BY 1"
        ) == [
            ("1 mon", "on"),
            ("1 year", "off"),
        ]
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", archive_table_name="old"))
        assert run(database).returncode == 0
        assert attached(database, "s.old") == "01 02"
        assert database.sql("SET ROLE reader", "SELECT count(*) FROM s.old") == [(0,)]
        if int(database.sql("SHOW server_version_num")[0][0]) >= 150000:
            assert database.sql("SET ROLE reader", "SELECT count(*) FROM s.every") == [(50,)]
        found = database.sql(
            "SELECT regexp_replace(indexdef, '^.* USING ', '') FROM pg_indexes WHERE schemaname = 's' "
            "AND tablename IN ('t', 'old') ORDER BY 1"
        )
        assert found[0::2] == found[1::2]
        perform(database, lambda op: op.create_archive_table("t", "old", schema="s", view="every"))
    finally:
        database.sql("DROP OWNED BY reader", "DROP ROLE reader")


def test_indexes_that_are_chosen_and_indexes_of_its_own(database: Database) -> None:
    build(database, retention=None)
    database.sql("CREATE INDEX a ON s.t (word)", "CREATE INDEX b ON s.t (id)")

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s", indexes=["b"])
        op.create_index_concurrently("own", "t_archive", ["word", "id"], schema="s")
        op.set_archive_policy("t", "2 months", schema="s")

    perform(database, operate)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert "create index t_01_own on s.t_01 concurrently" in done.stdout
    found = database.sql("SELECT indexname FROM pg_indexes WHERE tablename = 't_archive' ORDER BY 1")
    assert [row[0] for row in found] == ["own", "t_archive_b", "t_archive_pkey"]
    assert database.sql("SELECT bool_and(indisvalid) FROM pg_index") == [(True,)]


def test_a_plain_table_has_a_plain_archive_or_a_partitioned_one(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.p (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)",
    )
    refused(
        database,
        lambda op: op.create_archive_table("p", schema="s", control="at", interval="1 month"),
        "p_pkey is unique over \\(id\\), without at",
    )
    refused(
        database, lambda op: op.create_archive_table("p", schema="s", control="at"), "by RANGE: its", DeclarationError
    )

    def operate(op: Any) -> None:
        op.create_archive_table("p", schema="s", archived_at=True)
        op.set_archive_policy("p", "30 days", schema="s", way="rows", control="at", archived_at="archived_at")
        op.drop_archive_policy("p", schema="s")
        op.drop_archive_table("p", schema="s")
        op.drop_archive_table("p", schema="s")

    perform(database, operate)
    assert database.sql("SELECT to_regclass('s.p_archive'), to_regclass('schema_kit.archive_policy')") == [(None, None)]


@pytest.mark.exhaustive
def test_an_archive_with_rows_is_not_dropped(database: Database) -> None:
    archived(database, view=VIEW)
    drop = lambda op: op.drop_archive_table("t", schema="s", view=VIEW)  # noqa: E731
    refused(database, drop, "the policy of s.t sends rows there")
    assert run(database).returncode == 0
    perform(database, lambda op: op.drop_archive_policy("t", schema="s"))
    refused(database, drop, "it holds rows")
    refused(database, lambda op: op.drop_archive_table("t", schema="s"), f"view s.{VIEW} shows it")
    database.sql("DELETE FROM s.t_archive")
    perform(database, drop)
    assert database.sql(f"SELECT to_regclass('s.t_archive'), to_regclass('s.{VIEW}'), count(*) FROM s.t") == [
        (None, None, 92)
    ]


CUT = {"LIST": "FOR VALUES IN (1)", "HASH": "FOR VALUES WITH (MODULUS 1, REMAINDER 0)"}


@pytest.mark.parametrize("strategy", CUT)
@pytest.mark.parametrize("archive", [{}, {"control": "at", "interval": "1 month"}])
def test_what_is_cut_by_values_goes_by_rows(database: Database, strategy: str, archive: dict[str, str]) -> None:
    """None of its partitions ever ends; its rows go all the same, to an archive that need not be cut so."""
    database.sql(
        "CREATE SCHEMA s",
        f"CREATE TABLE s.t (k int, at timestamptz, id bigint, PRIMARY KEY (k, at, id)) PARTITION BY {strategy} (k)",
        f"CREATE TABLE s.t_1 PARTITION OF s.t {CUT[strategy]}",
        "CREATE INDEX ON s.t (at)",
        "INSERT INTO s.t SELECT 1, date '2026-01-01' + i, i FROM generate_series(0, 150) i",
        *load("partman/tables/part_config.sql"),
    )
    before = "SELECT count(*), sum(hashtext(x::text)) FROM (SELECT k, at, id FROM s.t UNION ALL "
    perform(database, lambda op: op.create_archive_table("t", schema="s", **archive))
    before += "SELECT k, at, id FROM s.t_archive) x"
    expected = database.sql(before)
    with pytest.raises(PlanError, match=f"s.t is partitioned by {strategy}, so that none of its partitions ever ends"):
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s"))
    perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", way="rows", control="at"))
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert database.sql("SELECT count(*), max(at)::date::text FROM s.t_archive") == [(79, "2026-03-20")]
    made = database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t_archive'::regclass")
    assert made == [(3 if archive else 0,)]
    assert restore(database, "2026-01-01", "2026-02-01").returncode == 0
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(48,)]
    assert database.sql(before) == expected


def test_a_range_below_a_list_is_archived_by_partition(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.l (k int, at timestamptz NOT NULL) PARTITION BY LIST (k)",
        "CREATE TABLE s.t PARTITION OF s.l FOR VALUES IN (1) PARTITION BY RANGE (at)",
        *months("s.t", last=5),
        "INSERT INTO s.l SELECT 1, timestamptz '2026-01-01+00' + i * interval '1 day' FROM generate_series(0, 140) i",
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(QualifiedName("s", "t"), "at", "1 mon")),
    )

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s")
        op.set_archive_policy("t", "2 months", schema="s")

    perform(database, operate)
    before = places(database)[3]
    assert run(database).returncode == 0
    assert places(database) == ("03 04 05", "01 02", [], before)
    assert restore(database, "2026-01-01", "2026-03-01").returncode == 0
    assert places(database) == ("01 02 03 04 05", "", [], before)
