"""Tables whose bounds only functions in SQL read: LIST, and keys that a function of the user writes."""

from __future__ import annotations

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.partman import children, installed
from tests.support.partman_versions import VERSIONS, tables_of_5

pytestmark = [pytest.mark.partman, pytest.mark.majors]

OURS = "sql_api"
MADE = {
    "list": (
        "CREATE TABLE s.t (id int NOT NULL, x int) PARTITION BY LIST (id)",
        f"SELECT {OURS}.create_parent('s.t', 'id', '1', 'list', p_premake := 2)",
        "INSERT INTO s.t SELECT i, i FROM generate_series(1, 11) i",
        f"SELECT {OURS}.partition_data_id('s.t', 20)",
    ),
    "encoder": (
        "CREATE FUNCTION s.enc(timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS "
        "$$ SELECT 'INV' || to_char($1 AT TIME ZONE 'UTC', 'YYYYMMDD') $$",
        "CREATE FUNCTION s.dec(text) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS "
        "$$ SELECT to_timestamp(substr($1, 4, 8), 'YYYYMMDD') $$",
        "CREATE TABLE s.t (id text NOT NULL, x int) PARTITION BY RANGE (id)",
        f"SELECT {OURS}.create_parent('s.t', 'id', '1 day', p_premake := 2, p_time_encoder := 's.enc', "
        "p_time_decoder := 's.dec')",
        "INSERT INTO s.t SELECT s.enc(now() + i * interval '1 day'), i FROM generate_series(-1, 1) i",
    ),
}
STATE = f"SELECT to_jsonb(c) - 'maintenance_last_run' FROM {OURS}.part_config c"


@pytest.fixture(params=MADE)
def kind(request: pytest.FixtureRequest, database: Database) -> str:
    name = database.sql("SELECT current_database()")[0][0]
    database.sql(f"ALTER DATABASE {name} SET TimeZone TO 'UTC'")
    kind = str(request.param)
    installed(database, OURS).sql("CREATE SCHEMA partman", *MADE[kind])
    return kind


def test_python_leaves_them_to_the_functions(database: Database, kind: str) -> None:
    database.sql(f"CALL {OURS}.run_maintenance_proc()")
    before = children(database, "s.t")
    last = max(before.keys() - {"t_default"}, key=lambda name: (len(name), name))
    database.sql(f"DROP TABLE s.{last}")
    for command in ("maintain", "create-next", "check"):
        result = shell(database, "partitions", command)
        assert result.returncode == 0, (kind, command, result.stdout, result.stderr)
    assert last not in children(database, "s.t")
    database.sql(f"CALL {OURS}.run_maintenance_proc()")
    assert children(database, "s.t") == before


@pytest.mark.parametrize("version", VERSIONS)
def test_they_go_to_the_extension_and_come_back(database: Database, kind: str, version: str) -> None:
    database.sql(*tables_of_5(version))
    before = database.sql(STATE)
    result = shell(database, "partitions", "hand-over", "s.t")
    if (kind, version) == ("encoder", "5.1"):
        assert (result.returncode, "from 5.2 on knows a time_encoder" in result.stderr) == (3, True)
        return
    assert result.returncode == 0, result.stderr
    assert ("first digit" in result.stderr) == (version == "5.1")
    told = "SELECT partition_type, partition_interval, premake, datetime_string FROM partman.part_config"
    assert database.sql(told) == [("list", "1", 2, None) if kind == "list" else ("range", "1 day", 2, "YYYYMMDD")]
    assert database.sql(f"SELECT automatic_maintenance FROM {OURS}.part_config") == [("off",)]
    assert shell(database, "partitions", "hand-over", "s.t").stderr.strip().endswith("nothing to do")
    database.sql("UPDATE partman.part_config SET optimize_constraint = 8")
    refused = shell(database, "partitions", "adopt", "s.t")
    assert (refused.returncode, "--take-over" in refused.stderr) == (3, True)
    for said in ("turn schema_kit's maintenance of s.t on", "nothing to do"):
        result = shell(database, "partitions", "adopt", "s.t", "--take-over")
        assert result.returncode == 0, result.stderr
        assert said in result.stdout + result.stderr
    assert database.sql("SELECT automatic_maintenance FROM partman.part_config") == [("off",)]
    assert database.sql(f"SELECT optimize_constraint FROM {OURS}.part_config") == [(8,)]
    database.sql(f"UPDATE {OURS}.part_config SET optimize_constraint = 30")
    assert database.sql(STATE) == before


def test_one_that_only_the_extension_knows_is_taken_from_it(database: Database, kind: str) -> None:
    """Without the functions that go on with it, nothing is written."""
    database.sql(*tables_of_5("5.6"))
    before = database.sql(STATE)
    assert shell(database, "partitions", "hand-over", "s.t").returncode == 0
    database.sql("DELETE FROM schema_kit.part_config", "DROP TABLE schema_kit.part_config_sub CASCADE")
    refused = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert (refused.returncode, "schema_kit sql apply" in refused.stderr) == (3, True), kind
    assert shell(database, "sql", "apply", "--schema", OURS).returncode == 0
    result = shell(database, "partitions", "adopt", "s.t", "--take-over")
    assert result.returncode == 0, result.stderr
    grace = f"UPDATE {OURS}.part_config SET retention_grace = '0', infinite_time_partitions = "
    database.sql(f"{grace}{str(kind == 'encoder').lower()}")
    assert database.sql(STATE) == before


def test_what_the_extension_could_not_maintain_is_refused(database: Database, kind: str) -> None:
    database.sql(*tables_of_5("5.6"))
    refused = shell(database, "partitions", "hand-over", "s.t", "--rename")
    assert (refused.returncode, "omit --rename" in refused.stderr) == (3, True)
    database.sql("ALTER TABLE partman.part_config ADD optimize_trigger int")  # as 4.7 has
    database.sql("ALTER TABLE partman.part_config DROP time_encoder, DROP time_decoder")
    refused = shell(database, "partitions", "hand-over", "s.t")
    why = "does not know LIST" if kind == "list" else "from 5.2 on knows a time_encoder"
    assert (refused.returncode, why in refused.stderr) == (3, True)
    assert database.sql("SELECT count(*) FROM partman.part_config") == [(0,)]
