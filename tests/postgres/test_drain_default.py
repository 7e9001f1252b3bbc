"""A default partition is drained, a partition is split, while others write and read: through Alembic's entry point."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

import schema_kit
from schema_kit import op, report
from schema_kit.errors import PlanError
from schema_kit.execute import Event, StepStarted
from schema_kit.names import QualifiedName
from schema_kit.steps import Step
from schema_kit.steps.copy_swap import Settle
from schema_kit.steps.copying import BeginCopy
from tests.support.copies import DEFAULT, PATIENT, WHOLE, begin, cli, drain, held, left_behind, split
from tests.support.database import Database
from tests.support.matrix import longer
from tests.support.writers import ROWS, STILL, same, writing

pytestmark = [pytest.mark.partitions, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize("workers", longer([1, 3], 1, mark=pytest.mark.deep))
def test_a_default_is_drained_while_it_is_written(database: Database, workers: int) -> None:
    begin(database, *DEFAULT)
    with writing(database, "s.t", "s.control") as applications:
        drain(database, workers)
    assert set().union(*(application.kinds for application in applications)) >= {"move", "change_key", "savepoint"}
    assert sum(held(database).values()) > STILL
    assert "s.t_default" not in held(database)
    assert len(held(database)) == 6
    assert left_behind(database) == []
    assert max(application.longest for application in applications) < PATIENT.longest / 1000 + 1
    drain(database)  # nothing to do
    same(database, "s.t", "s.control")


@pytest.mark.deep
def test_a_partition_is_split_while_it_is_written(database: Database) -> None:
    begin(database, *WHOLE)
    with writing(database, "s.t", "s.control"):
        split(database, workers=2)
    bounds = database.sql(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid "
        "WHERE h.inhparent = 's.t'::regclass ORDER BY 1"
    )
    assert [name for name, _ in bounds] == [f"t_p2026{month:02}01" for month in range(1, 7)]
    assert bounds[0][1].startswith("FOR VALUES FROM (MINVALUE) TO ('2026-02-01")
    assert bounds[-1][1].endswith("TO ('2026-07-01 00:00:00+00')")
    assert left_behind(database) == []
    split(database)  # it was split before


@pytest.mark.exhaustive
def test_the_new_default_has_the_index_names_of_the_old_one(database: Database) -> None:
    """Also where a user gave one another name, and another table's index has the name that it had."""
    begin(database, *DEFAULT)
    names = "SELECT relname FROM pg_class c JOIN pg_index x ON x.indexrelid = c.oid WHERE x.indrelid = "
    before = database.sql(f"{names} 's.t_default'::regclass ORDER BY 1")
    drain(database)
    assert database.sql(f"{names} 's.t_default'::regclass ORDER BY 1") == before
    for table in ("s.t", "s.control"):
        database.sql(f"INSERT INTO {table} (id, at) VALUES (-9999, '2025-03-04')")
    database.sql("ALTER INDEX s.t_default_word_idx RENAME TO t_words")
    database.sql("CREATE INDEX t_default_word_idx ON s.control (word)")
    drain(database)
    assert [row[0] for row in database.sql(f"{names} 's.t_default'::regclass ORDER BY 1")] == [
        "t_default_at_idx",
        "t_default_pkey",
        "t_words",
    ]


@pytest.mark.exhaustive
def test_rows_that_no_window_takes_stay_in_the_default(database: Database) -> None:
    begin(database, *DEFAULT)
    database.sql("INSERT INTO s.t (id, at) VALUES (-10000, 'infinity'), (-10001, '-infinity'), (-10002, '20000-01-01')")
    drain(database)
    assert held(database)["s.t_default"] == 3
    assert sum(held(database).values()) == ROWS + STILL + 3


def test_numbers_that_are_none_stay_in_the_default_too(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id numeric PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
        "INSERT INTO s.t VALUES ('NaN'), ('Infinity'), ('-Infinity'), (7), (8.5), (1007)",
    )
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.create_part_config()
        op.set_partition_policy("t", control="id", interval="1000", schema="s")
        op.drain_default_concurrently("t", schema="s")
    assert sorted(held(database).values()) == [1, 2, 3]
    assert held(database)["s.t_default"] == 3


@pytest.mark.deep
def test_killed_again_and_again_it_comes_to_its_end(database: Database) -> None:
    begin(database, *DEFAULT)
    killed = 0
    with writing(database, "s.t", "s.control", writers=3):
        for lines in range(1, 200, 3):
            # More lines than at the last time, or it would never get past a step that is in progress again.
            code, told = cli(database, "drain-default", "s.t", "--workers", "2", lines=2 + lines)
            if code == 0:
                break
            assert code == -signal.SIGKILL, told
            killed += 1
    assert killed >= 5
    assert "s.t_default" not in held(database)
    assert left_behind(database) == []


@pytest.mark.deep
def test_what_was_begun_is_taken_back(database: Database) -> None:
    begin(database, *DEFAULT)
    with writing(database, "s.t", "s.control", writers=3):
        for lines in (4, 24):
            code, _ = cli(database, "drain-default", "s.t", lines=lines)
            if code == 0:
                break
            assert cli(database, "drain-default", "s.t", "--abort")[0] == 0
            assert left_behind(database) == []
            assert database.sql("SELECT count(*) FROM schema_kit.copy_run") == [(0,)]
            assert set(held(database)) == {"s.t_default"}
            assert cli(database, "drain-default", "s.t", "--abort")[0] == 0  # nothing is left to take back


@pytest.mark.exhaustive
def test_splitting_by_the_shell(database: Database) -> None:
    begin(database, *WHOLE)
    code, told = cli(database, "split", "s.t_before", "--workers", "2")
    assert code == 0, told
    assert len(held(database)) == 6
    assert cli(database, "split", "s.t_before")[0] == 0
    assert cli(database, "split", "s.nothing")[0] == 3
    assert cli(database, "split", "s.t_p20260101")[0] == 0
    assert any('"event": "StepProgress"' in line and "rows/s" in line for line in told)


@pytest.mark.exhaustive
def test_list_shows_a_copy_in_progress(database: Database) -> None:
    begin(database, *DEFAULT)
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        for step in (BeginCopy, Settle):
            with told(step), contextlib.suppress(StoppedError):
                op.drain_default_concurrently("t", schema="s")
            shown = json.loads(listed(database, "--format", "json"))["copies"]
            assert [(copy["source"], copy["purpose"]) for copy in shown] == [("s.t_default", "drain")] * len(shown)
            line = "s.t_default  is being copied (drain): all chunks copied, 7 of 7 tables compared"
            assert (line in listed(database, "s.t")) == (step is Settle)
            assert bool(shown) == (step is Settle)
        drain(database)
    assert "is being copied" not in listed(database)


class StoppedError(Exception):
    pass


@contextlib.contextmanager
def told(before: type[Step]) -> Iterator[None]:
    """Stop before the first step of that kind."""
    kept = report.to_logging

    def tell(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, before):
            raise StoppedError

    report.to_logging = tell
    try:
        yield
    finally:
        report.to_logging = kept


def listed(database: Database, *arguments: str) -> str:
    command = [sys.executable, "-m", "schema_kit", "partitions", "list", *arguments, "--url", database.url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


ODD = 'a "b".c ไทย ' + "x" * 30


def test_odd_names(database: Database) -> None:
    name = ODD.replace('"', '""')
    database.sql(
        'CREATE SCHEMA "S s"',
        f'CREATE TABLE "S s"."{name}" ("I d" bigint, "a t" timestamp, "%s" text, "sel""ect" int[], j json, '
        'PRIMARY KEY ("I d", "a t", "%s")) PARTITION BY RANGE ("a t")',
        f'CREATE TABLE "S s"."{name}_d" PARTITION OF "S s"."{name}" DEFAULT',
        f"""INSERT INTO "S s"."{name}" SELECT i, timestamp '2026-01-30' + i * interval '1 minute',
        'a%' || i || chr(92) || chr(39), ARRAY[i], '{{}}' FROM generate_series(1, 5000) i""",
    )
    with schema_kit.operations(database.sqlalchemy()):
        op.create_part_config()
    parent = str(QualifiedName("S s", ODD))
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) "
            "VALUES (%s, 'a t', '1 mon')",
            [parent],
        )
    with schema_kit.operations(database.sqlalchemy()):
        op.drain_default_concurrently(ODD, schema="S s")
    count = f'SELECT count(DISTINCT tableoid), count(*) FROM "S s"."{name}"'
    assert database.sql(count) == [(2, 5000)]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (["CREATE VIEW s.v AS SELECT * FROM s.t_default"], "view s.v depends on it"),
        (
            ["CREATE TRIGGER x AFTER INSERT ON s.t_default EXECUTE FUNCTION suppress_redundant_updates_trigger()"],
            "trigger x",
        ),
        (["ALTER TABLE s.t DROP CONSTRAINT t_pkey"], "no primary key"),
        (
            ["CREATE TABLE s.x (i bigint, a timestamptz, FOREIGN KEY (i, a) REFERENCES s.t_default)"],
            "foreign key x_i_a_fkey",
        ),
    ],
    ids=["view", "trigger", "key", "referred to"],
)
def test_what_cannot_move_is_refused_by_name(database: Database, wrong: list[str], why: str) -> None:
    begin(database, *DEFAULT)
    database.sql(*wrong)
    with pytest.raises(PlanError, match=why):
        drain(database)
    assert database.sql("SELECT to_regclass('schema_kit.copy_run')") == [(None,)]
