"""Archives by partition of tables of every shape: sub-partitions, names, lists and hashes."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.errors import PlanError
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps.partitions import register_sql
from tests.support.archives import VIEW, archived, places, restore, run
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.tables import months

pytestmark = [pytest.mark.archives, pytest.mark.majors]


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


CUT = {"LIST": "FOR VALUES IN (1)", "HASH": "FOR VALUES WITH (MODULUS 1, REMAINDER 0)"}


@pytest.mark.parametrize("strategy", CUT)
@pytest.mark.parametrize("archive", [{}, {"control": "at", "interval": "1 month"}])
def test_what_is_partitioned_by_values_goes_by_rows(database: Database, strategy: str, archive: dict[str, str]) -> None:
    """None of its partitions ever ends; its rows go all the same, to an archive that need not be partitioned so."""
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
