"""Archives, retention, time-to-live and migrations at work on the same table: what one does, none undoes."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.errors import ExecutionError
from schema_kit.steps import Plan
from schema_kit.tasks.archiving import by_partition
from schema_kit.tasks.restore import by_partition as restored_partitions
from tests.support.archives import (
    NOW,
    VIEW,
    archived,
    attached,
    build,
    in_exactly_one_place,
    places,
    reading,
    restore,
    retire,
    run,
    there,
)
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import perform
from tests.support.ttl import in_months, policy, ran

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

ROWS = 151
DROPS: dict[str, Any] = {"retention": "2 months", "retention_keep_table": False, "retention_grace": "0"}


def halfway(database: Database) -> Database:
    """The archive run was killed when January was detached, and not yet attached."""
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "ALTER TABLE s.t_archive DETACH PARTITION s.t_01",
        "UPDATE schema_kit.archived_partition SET moved_at = NULL WHERE partition_name = 's.t_01'",
        "INSERT INTO schema_kit.retired_partition (partition_oid, partition_name, parent_table, by_policy, bounds, "
        "record_oid) SELECT partition_name::regclass, partition_name, 's.t', false, bounds, "
        "'schema_kit.retired_partition'::regclass FROM schema_kit.archived_partition WHERE moved_at IS NULL",
    )
    assert in_exactly_one_place(database) == ROWS
    return database


def refused(database: Database, operate: Any) -> str:
    with pytest.raises(ExecutionError) as error:
        perform(database, operate)
    return str(error.value)


@pytest.mark.exhaustive
def test_what_is_in_transit_to_the_archive_is_not_dropped(database: Database) -> None:
    halfway(database)
    said = refused(database, lambda op: op.drop_partition_concurrently("t", "t_01", schema="s"))
    assert "s.t_01 is in transit to an archive" in said
    assert in_exactly_one_place(database) == ROWS
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert attached(database, "s.t_archive") == "01 02"


@pytest.mark.exhaustive
def test_an_archive_with_something_in_transit_is_not_dropped(database: Database) -> None:
    halfway(database)
    database.sql("ALTER TABLE s.t_archive DETACH PARTITION s.t_02", "DELETE FROM schema_kit.archive_policy")
    said = refused(database, lambda op: op.drop_archive_table("t", schema="s"))
    assert "a partition is in transit to s.t_archive" in said


@pytest.mark.exhaustive
def test_what_the_retention_kept_is_not_dropped_by_a_time_to_live(database: Database) -> None:
    in_months(database, retention="2 months")
    assert shell(database, "partitions", "retire", "--now", "2026-11-22").returncode == 0
    database.sql("UPDATE schema_kit.part_config SET retention = NULL")
    policy(database, "e", "at", age="60 days")
    ran(database)
    kept = "SELECT count(*), min(at)::date::text FROM (TABLE e_07 UNION ALL TABLE e_08) e"
    assert database.sql(kept) == [(62, "2026-07-01")]


@pytest.mark.exhaustive
def test_a_retention_leaves_what_a_time_to_live_has_detached(database: Database) -> None:
    build(database, **DROPS)
    assert retire(database, "--yes").returncode == 0
    assert there(database) == "03 04 05 06"
    database.sql("UPDATE schema_kit.part_config SET retention = NULL, retention_keep_table = true")
    database.sql("CREATE INDEX ON s.t (at)")
    policy(database, "t", "at", schema="s", age="20 days")
    database.sql(
        "ALTER TABLE s.t DETACH PARTITION s.t_03",
        "INSERT INTO schema_kit.retired_partition (partition_oid, partition_name, parent_table, bounds, by_policy, "
        "by_ttl) VALUES ('s.t_03'::regclass, 's.t_03', 's.t', 'x', false, true)",
    )
    assert retire(database, "--yes").returncode == 0
    assert there(database) == "03 04 05 06"
    ran(database, now=NOW)
    assert there(database) == "04 05 06"


@pytest.mark.exhaustive
@pytest.mark.parametrize("command", ["maintain", "retire"])
def test_nothing_is_dropped_because_its_archive_could_not_take_it(database: Database, command: str) -> None:
    archived(database, **DROPS)
    database.sql("ALTER TABLE s.t_archive ADD COLUMN other int")
    done: subprocess.CompletedProcess[str] = shell(database, "partitions", command, "--now", NOW)
    assert "s.t_01 stays: it is due for its archive first" in done.stderr
    assert database.sql("SELECT count(*) FROM s.t") == [(ROWS,)]
    database.sql("ALTER TABLE s.t_archive DROP COLUMN other")
    done = shell(database, "partitions", "maintain", "--now", NOW)
    assert done.returncode == 0, done.stderr
    assert attached(database, "s.t_archive") == "01 02"
    assert in_exactly_one_place(database) == ROWS


@pytest.mark.exhaustive
@pytest.mark.parametrize("view", [None, VIEW])
def test_two_runs_that_do_not_know_of_each_other(database: Database, view: str | None) -> None:
    """Behind a pooler, or with its connection gone, a run has lost the lock that keeps others out."""
    archived(database, view=view)
    before = places(database)[3]
    now = datetime(2026, 5, 20, tzinfo=UTC)
    together = threading.Barrier(3)

    def away(back: bool) -> None:
        connection = database.sqlalchemy()
        catalog = Catalog(connection, now)
        policy = catalog.archive_policies()[0]

        def decide() -> Plan:
            if back:
                return restored_partitions(catalog, policy, "2026-01-01", "2026-03-01", None)
            return by_partition(catalog, policy, again=True)

        together.wait()
        execute.run(connection, decide, QUICK, lambda _: None)

    for back in (False, True, False):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(away, [back] * 3))
        assert places(database)[2:] == ([], before)
        assert attached(database, "s.t_archive") == ("" if back else "01 02")


@pytest.mark.exhaustive
def test_a_reader_sees_each_row_once_while_a_part_of_a_partition_comes_back(database: Database) -> None:
    archived(database, view=VIEW)
    assert run(database).returncode == 0
    with reading(database) as seen:
        for day in range(2, 12, 3):
            assert restore(database, f"2026-01-{day:02}", f"2026-02-{day:02}").returncode == 0
    assert seen == {(ROWS, ROWS, sum(range(ROWS)))}
