"""partition_data_async: rows leave a default in parts; wherever it ends, no row is lost and the next call continues."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.database import Database
from tests.support.partman import installed

pytestmark = [pytest.mark.partman, pytest.mark.majors]

EPOCH = "(extract(epoch FROM moment) * 1000)::bigint"
KEYS = {
    "timestamptz": ("timestamptz", "", "moment"),
    "date": ("date", "", "moment::date"),
    "epoch": ("bigint", ", p_epoch := 'milliseconds'", EPOCH),
    "uuid": (
        "uuid",
        ", p_time_encoder := 'partman.uuid7_time_encoder', p_time_decoder := 'partman.uuid7_time_decoder'",
        "partman.uuid7_time_encoder(moment)",
    ),
}
WORK = "s.partman_tmp_storage_t"


def of_days(database: Database, key: str = "timestamptz") -> Database:
    """Rows of ten days that have no partition, every six hours, in the default."""
    kind, options, value = KEYS[key]
    installed(database).sql(
        f"CREATE TABLE s.t (id int GENERATED ALWAYS AS IDENTITY, at {kind} NOT NULL, n int, twice int GENERATED ALWAYS "
        "AS (n * 2) STORED) PARTITION BY RANGE (at)",
        f"SELECT partman.create_parent('s.t', 'at', '1 day', p_premake := 1{options})",
        f"INSERT INTO s.t (at, n) SELECT {value}, n FROM (SELECT n, timestamptz '2020-02-25 03:00+00' "
        "+ n * interval '6 hours' AS moment FROM generate_series(0, 19) n) m",
    )
    return database


def step(database: Database, order: str = "ASC", every: str = "10 hours") -> tuple[int, bool]:
    moved, ended = database.sql(f"SELECT * FROM partman._async('s.t', '{every}', 0, '{order}', NULL)")[0]
    return moved, ended


def everywhere(database: Database) -> list[tuple[int, int]]:
    """The rows of the table and those that wait, together."""
    waiting = database.sql(f"SELECT to_regclass('{WORK}') IS NOT NULL")[0][0]
    more = f"UNION ALL SELECT id, n FROM {WORK}" if waiting else ""
    return database.sql(f"SELECT id, n FROM s.t {more} ORDER BY id")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_each_step_keeps_all_rows(database: Database, key: str, order: str) -> None:
    of_days(database, key)
    before = database.sql("SELECT * FROM s.t ORDER BY id")
    known = [(row[0], row[2]) for row in before]
    for _ in range(200):
        moved, ended = step(database, order)
        assert everywhere(database) == known
        assert moved <= 4
        if ended:
            break
    assert ended
    assert database.sql("SELECT * FROM s.t ORDER BY id") == before
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]
    assert database.sql("SELECT async_partitioning_in_progress FROM partman.part_config") == [(None,)]
    assert database.sql(f"SELECT to_regclass('{WORK}')") == [(None,)]


def test_rows_that_come_meanwhile_arrive_too(database: Database) -> None:
    """Rows that come before each step do not keep it from its end."""
    of_days(database)
    came, ended = 0, False
    while not ended and came < 100:
        came += 1
        database.sql("INSERT INTO s.t (at, n) SELECT timestamptz '2020-02-25 03:30+00' + n * interval '1 day', -1 "
                     "FROM generate_series(0, 4) n")  # fmt: skip
        ended = step(database, every="1 hour")[1]
    assert ended
    assert database.sql("SELECT count(*), count(*) FILTER (WHERE n >= 0) FROM s.t") == [(20 + 5 * came, 20)]
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]


def test_the_procedure_continues_what_another_call_began(database: Database) -> None:
    of_days(database).sql("CALL partman.partition_data_async('s.t', 3, '6 hours', p_wait := 0)")
    assert database.sql("SELECT async_partitioning_in_progress FROM partman.part_config") != [(None,)]
    with pytest.raises(psycopg.errors.RaiseException, match="partition_data_async to its end"):
        database.sql("CREATE TABLE s.u (LIKE s.t)", "SELECT partman.undo_partition('s.t', 's.u')")
    database.sql("SELECT partman.partition_data_time('s.t', 2)", "SELECT partman.run_maintenance('s.t')")
    database.sql("CALL partman.partition_data_async('s.t', p_wait := 0, p_order := 'DESC')")
    assert database.sql("SELECT count(*) FROM s.t") == [(20,)]
    assert database.sql("SELECT count(*) FROM s.t_default") == [(0,)]


def test_what_it_does_not_move_is_refused_and_stays(database: Database) -> None:
    of_days(database).sql(
        "CREATE TABLE s.i (id int NOT NULL) PARTITION BY RANGE (id)", "SELECT partman.create_parent('s.i', 'id', '10')"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="without time based control"):
        database.sql("CALL partman.partition_data_async('s.i')")
    database.sql(
        "INSERT INTO s.t (at, n) VALUES ('infinity', 1)", "CALL partman.partition_data_async('s.t', p_wait := 0)"
    )
    assert database.sql("SELECT at = 'infinity' FROM s.t_default") == [(True,)]
    database.sql(f"CREATE TABLE {WORK} (x int)", "INSERT INTO s.t (at, n) VALUES ('1999-01-01', 1)")
    with pytest.raises(psycopg.errors.RaiseException, match="exists already"):
        database.sql("CALL partman.partition_data_async('s.t')")


def test_a_lock_that_it_does_not_get_changes_nothing(database: Database) -> None:
    of_days(database)
    step(database)
    before = everywhere(database)
    with psycopg.connect(database.url) as other:
        other.execute("LOCK TABLE s.t_default IN ROW EXCLUSIVE MODE")
        called = "SELECT rows_moved FROM partman._async('s.t', NULL, 0.05, 'ASC', NULL)"
        assert database.sql(called) == [(-1,)]
        database.sql("CALL partman.partition_data_async('s.t', p_lock_wait := 1, p_lock_wait_tries := 1, p_wait := 0)")
        other.rollback()
    assert everywhere(database) == before
    database.sql("CALL partman.partition_data_async('s.t', p_wait := 0)")
    assert database.sql("SELECT id, n FROM s.t ORDER BY id") == before
