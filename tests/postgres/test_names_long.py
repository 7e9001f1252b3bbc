"""Many partitions under a name of more than 53 bytes: up to 15, PostgreSQL has room for some 70 of 63 bytes."""

from __future__ import annotations

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.partman import children, installed

pytestmark = [pytest.mark.partitions, pytest.mark.partman, pytest.mark.majors]

LONG = "a" * 60
MANY = 80


def test_python_creates_them(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        f"CREATE TABLE s.{LONG} (at date NOT NULL, tenant int NOT NULL) PARTITION BY RANGE (at)",
        f"CREATE TABLE s.one PARTITION OF s.{LONG} FOR VALUES FROM ('2026-05-01') TO ('2026-05-02') "
        "PARTITION BY HASH (tenant)",
        "CREATE TABLE s.one_h0 PARTITION OF s.one FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    )
    result = shell(database, "partitions", "adopt", f"s.{LONG}", "--premake", str(MANY))
    assert result.returncode == 0, result.stderr
    result = shell(database, "partitions", "create-next", "--now", "2026-05-01")
    assert result.returncode == 0, result.stderr
    assert len(children(database, f"s.{LONG}")) == MANY + 1
    made = "SELECT max(octet_length(relname)) FROM pg_class WHERE relnamespace = 's'::regnamespace AND relispartition"
    assert database.sql(f"{made} AND relkind IN ('r', 'p')") == [(62,)]
    result = shell(database, "partitions", "create-next", "--now", "2026-05-04")
    assert result.returncode == 0, result.stderr
    assert len(children(database, f"s.{LONG}")) == MANY + 4


def test_the_functions_in_sql_create_them(database: Database) -> None:
    installed(database).sql(
        f"CREATE TABLE s.{LONG} (at date NOT NULL) PARTITION BY RANGE (at)",
        f"SELECT partman.create_parent('s.{LONG}', 'at', '1 day', p_premake := 1, p_start_partition := '2026-05-01')",
        f"SELECT partman.create_partition_time('s.{LONG}', array_agg(timestamptz '2025-01-01' + i * interval '1 day')) "
        f"FROM generate_series(1, {MANY}) i",
    )
    made = children(database, f"s.{LONG}")
    first = "a" * 53 + "_p20250102"
    assert made[first] == "FOR VALUES FROM ('2025-01-02') TO ('2025-01-03')"
    assert len([one for one in made.values() if "'2025-" in one.partition("TO")[0]]) == MANY
    database.sql(f"SELECT partman.run_maintenance('s.{LONG}')")


def test_no_partition_takes_the_name_of_a_type(database: Database) -> None:
    installed(database).sql(
        "CREATE TABLE s.t (id int NOT NULL) PARTITION BY RANGE (id)",
        "CREATE DOMAIN s.t_p10 AS text",
        "CREATE TYPE s.t_default AS ENUM ('a')",
        "SELECT partman.create_parent('s.t', 'id', '10', p_premake := 1)",
    )
    assert sorted(children(database, "s.t")) == ["t_default_2", "t_p0", "t_p10_2"]
