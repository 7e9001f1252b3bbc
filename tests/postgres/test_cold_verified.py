"""`archive verify` compares the cold archive too; a server that is stopped ends a step, and holds no lock."""

from __future__ import annotations

import json
import signal
from typing import Any
from unittest import mock

import pytest

from schema_kit import execute
from schema_kit.errors import PlanError
from schema_kit.steps import cold as cold_steps
from tests.support.archives import VIEW, restore
from tests.support.cli import shell
from tests.support.cold import LATE, Cold, content, foreign, run, with_cold
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors]


def verified(database: Database, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = shell(database, "archive", "verify", *arguments, "--format", "json")
    assert result.returncode in (0, 4), result.stderr
    (told,) = json.loads(result.stdout)
    return result.returncode, told


def sentences(told: dict[str, Any]) -> str:
    return "\n".join(one["sentence"] for one in told["differences"])


def test_what_differs_on_the_server_is_named(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert verified(database)[0] == 0
    assert run(database).returncode == 0
    state, told = verified(database, "--checksums")
    assert (state, told["differences"]) == (0, [])
    there = [one["partition"] for one in told["checksums"] if one["partition"].endswith("__cold")]
    assert there == ["s.t_01__cold", "s.t_02__cold", "s.t_03__cold"]
    assert sum(one["rows"] for one in told["checksums"] if one["partition"] in there) > 0
    cold.data.sql("DELETE FROM s.t_02 WHERE id = (SELECT min(id) FROM s.t_02)")
    assert verified(database)[0] == 0  # no row is read
    state, told = verified(database, "--checksums")
    assert (state, [one["kind"] for one in told["differences"]]) == (4, ["cold rows"])
    assert "s.t_02__cold has 27 rows, checksum" in sentences(told)
    assert "28 rows, checksum" in sentences(told)


def test_a_column_that_the_cold_archive_lacks_is_named(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    database.sql("ALTER TABLE s.t ADD more int", "ALTER TABLE s.t_archive ADD more int")
    state, told = verified(database)
    assert state == 4
    assert "column more of s.t_archive is integer and missing there, in s.t_cold" in sentences(told)
    assert f"op.repair_archive_table('t', 't_archive', schema='s', view='s.{VIEW}') adds what is" in sentences(told)
    text = shell(database, "archive", "verify")
    assert (text.returncode, "column more of s.t_archive" in text.stdout) == (4, True)


LATER = (
    "ALTER TABLE s.t ADD mood s.mood NOT NULL DEFAULT 'high'",
    "ALTER TABLE s.t ADD \"it's 100%\" text DEFAULT 'a''b %1$L'",
    "ALTER TABLE s.t ADD at_last timestamptz DEFAULT '2026-01-01 12:00+00'",
    "ALTER TABLE s.t ADD many numeric(9, 2)[]",
)
REPAIR = {"schema": "s", "view": VIEW}


def test_columns_that_came_later_are_carried_to_the_server(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    database.sql("CREATE TYPE s.mood AS ENUM ('low', 'high')")
    assert run(database).returncode == 0
    database.sql(*LATER)
    assert verified(database)[0] == 4
    perform(database, lambda op: op.repair_archive_table("t", schema="s"))
    state, told = verified(database)
    assert (state, [(one["kind"], one["stops"]) for one in told["differences"]]) == (4, [("view", False)])
    assert f"view s.{VIEW} lacks columns of s.t" in sentences(told)
    perform(database, lambda op: op.repair_archive_table("t", **REPAIR))
    assert verified(database, "--checksums")[0] == 0
    columns = 'id, at, word, mood, "it\'s 100%", at_last, many'
    new = f"SELECT DISTINCT mood::text, \"it's 100%\", at_last = '2026-01-01 12:00+00', many FROM s.{VIEW}"
    assert database.sql(new) == [("high", "a'b %1$L", True, None)]
    perform(database, lambda op: op.repair_archive_table("t", **REPAIR))  # nothing is left to do
    before = content(database, f"(SELECT {columns} FROM s.{VIEW})")
    cold.data.sql("DELETE FROM s.t_03 WHERE id = 70")
    state, told = verified(database, "--checksums")
    assert (state, [one["kind"] for one in told["differences"]]) == (4, ["cold rows"])
    refused = restore(database, "2026-03-01", "2026-04-01", "--now", LATE)
    assert (refused.returncode, "are not those that went there" in refused.stderr) == (1, True)
    perform(database, lambda op: op.drop_archive_policy("t", schema="s"))
    cold.data.sql("INSERT INTO s.t_03 SELECT 70, '2026-01-01+00'::timestamptz + interval '70 days', 'w'")
    database.sql("UPDATE schema_kit.cold_partition SET summed = array_append(summed, 'gone')")  # and dropped again, say
    perform(database, lambda op: op.restore_archive_table("t", schema="s"))
    assert (content(database, f"(SELECT {columns} FROM s.t)"), cold.tables()) == (before, [])


def test_a_copy_in_transit_is_made_again_with_the_new_column(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    swaps = mock.patch.object(cold_steps.SwapToCold, "sql", return_value=("SELECT 1 / 0",))
    with swaps:
        assert run(database).returncode == 1
    assert cold.tables() == ["t_01"]
    database.sql("ALTER TABLE s.t ADD more int DEFAULT 7")
    perform(database, lambda op: op.repair_archive_table("t", **REPAIR))
    assert cold.tables() == []
    assert run(database).returncode == 0
    back = mock.patch.object(cold_steps.SwapFromCold, "sql", return_value=("SELECT 1 / 0",))
    with back:
        assert restore(database, "2026-01-01", "2026-02-01", "--now", LATE).returncode == 1
    database.sql("ALTER TABLE s.t ADD another int DEFAULT 8")
    perform(database, lambda op: op.repair_archive_table("t", **REPAIR))
    assert database.sql(f"SELECT DISTINCT more, another FROM s.{VIEW}") == [(7, 8)]
    ended = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert ended.returncode == 0, ended.stderr
    assert database.sql("SELECT DISTINCT more, another, count(*) FROM s.t_01 GROUP BY 1, 2") == [(7, 8, 31)]


UNKNOWN = {
    "generated": ("twice bigint GENERATED ALWAYS AS (id * 2) STORED", "is generated"),
    "from row to row": ("token uuid DEFAULT gen_random_uuid()", "has a default that changes from row to row"),
    "money": ("price money", "price is of type money"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("why", UNKNOWN)
def test_a_column_that_cannot_go_there_is_refused_before_anything_is_written(
    database: Database, cold: Cold, why: str
) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    column, said = UNKNOWN[why]
    database.sql(f"ALTER TABLE s.t ADD {column}", f"ALTER TABLE s.t_archive ADD {column}")
    with pytest.raises(PlanError) as refused:
        perform(database, lambda op: op.repair_archive_table("t", **REPAIR))
    assert said in str(refused.value)
    there = "SELECT count(*) FROM pg_attribute WHERE attnum > 0 AND attrelid = 's.t_01'::regclass"
    assert cold.data.sql(there) == [(3,)]


OWN = (
    'CREATE INDEX "of its own" ON s.t_02 (word, id)',
    "COMMENT ON TABLE s.t_02 IS 'the short month'",
    "ALTER TABLE s.t_02 SET (fillfactor = 70)",
    "GRANT SELECT ON s.t_02 TO pg_monitor",
    "ALTER TABLE s.t_02 ALTER word SET STATISTICS 7",
    "CREATE STATISTICS s.words ON id, word FROM s.t_02",
)
TOLD = (
    "definition: CREATE INDEX USING btree (word, id)",
    "table, comment: the short month",
    "table, options: fillfactor=70",
    "pg_monitor=r/",
    "column word, statistics target: 7",
    "statistics s.words, definition: ",
)


def test_what_a_partition_had_of_its_own_is_named_when_it_goes_and_when_it_comes_back(
    database: Database, cold: Cold
) -> None:
    with_cold(database, cold)
    database.sql(*OWN)
    there = run(database)
    assert there.returncode == 0, there.stderr
    assert "s.t_01 leaves" not in there.stderr + there.stdout
    back = restore(database, "2026-02-01", "2026-03-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    for said, result in (("leaves behind what it has of its own", there), ("comes back without what", back)):
        text = " ".join((result.stdout + result.stderr).split())
        assert f"s.t_02 {said}" in text
        assert [one for one in TOLD if one not in text] == []


def test_a_server_that_cannot_be_read_is_an_error(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    assert run(database).returncode == 0
    cold.kill()
    assert verified(database)[0] == 0
    failed = shell(database, "archive", "verify", "--checksums")
    assert (failed.returncode, "s.t_01__cold cannot be read" in failed.stderr) == (3, True), failed.stderr
    cold.start()


@pytest.mark.exhaustive
def test_a_server_that_is_stopped_ends_the_run(database: Database, cold: Cold, monkeypatch: pytest.MonkeyPatch) -> None:
    if database.sql("SELECT current_setting('server_version_num')::int < 160000") == [(True,)]:
        pytest.skip("before 16 only connect_timeout of the foreign server limits how long it connects")
    with_cold(database, cold)
    before = content(database)
    monkeypatch.setattr(cold_steps, "ANSWERS", 1000)
    monkeypatch.setattr(execute, "_LOOKED", "1s")
    cold.signal(signal.SIGSTOP)
    try:
        failed = run(database)
        assert failed.returncode == 1
        assert "[57014]" in failed.stderr
        hot = f"SELECT count(*) FROM s.{VIEW} WHERE at >= '2026-04-01 00:00+00'"
        assert database.sql(hot)[0][0] == 61
        database.sql("BEGIN", "LOCK TABLE s.t_archive, s.t IN ACCESS EXCLUSIVE MODE NOWAIT", "ROLLBACK")
    finally:
        cold.signal(signal.SIGCONT)
    assert run(database).returncode == 0
    assert foreign(database) == ["t_01__cold", "t_02__cold", "t_03__cold"]
    cold.signal(signal.SIGSTOP)
    try:
        failed = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
        assert (failed.returncode, "[57014]" in failed.stderr) == (1, True), failed.stderr
    finally:
        cold.signal(signal.SIGCONT)
    assert content(database) == before
    back = restore(database, "2026-01-01", "2026-02-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert content(database) == before
