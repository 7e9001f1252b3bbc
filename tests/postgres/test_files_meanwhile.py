"""Archives in files while others work: a second run, writers, readers, limits of the database."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schema_kit.errors import LockNotAvailable
from schema_kit.files import manifest
from schema_kit.files.export import export
from schema_kit.files.rows import snapshot
from schema_kit.files.store import Store
from schema_kit.files.table import read as read_table
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.tasks.retirement import detach
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.files import T1, build, places

pytestmark = [pytest.mark.files, pytest.mark.majors]


def test_two_at_a_time_do_not_take_the_file_from_each_other(database: Database, tmp_path: Path) -> None:
    build(database)
    other = database.connect()
    url = Store(str(tmp_path)).url("s.t_01.parquet")
    other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"schema_kit: file {url}"])
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path))
    assert refused.returncode == 3
    assert "another run is at" in refused.stderr
    assert not list(tmp_path.iterdir())
    # Nor is it detached, or its record written, which the other run may be about to delete.
    refused = shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--drop", "--yes")
    assert (refused.returncode, "another run is at" in refused.stderr) == (3, True)
    assert database.sql(
        "SELECT relispartition, to_regclass('schema_kit.archive_file_due') FROM pg_class WHERE oid = 's.t_01'::regclass"
    ) == [(True, None)]


@pytest.mark.exhaustive
def test_a_long_export_outlives_a_limit_of_transactions(database: Database) -> None:
    """The server waits for who writes the file; a limit of the database would end it in the middle."""
    if database.connect().info.server_version < 170000:
        pytest.skip("transaction_timeout is of 17 on")
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t AS SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 30000) i",
        f"ALTER DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} SET transaction_timeout = '3s'",
    )
    name = QualifiedName("s", "t")
    with snapshot(database.sqlalchemy(), "LOCK TABLE s.t IN ACCESS SHARE MODE") as taken:
        source = read_table(taken.held, name)
        assert source
        batches = taken.arrow(name, source.columns)
        count = len(next(batches)[0])
        assert count < 30000, "the rest is on its way"
        time.sleep(4)
        assert count + sum(len(arrays[0]) for arrays in batches) == 30000


@pytest.mark.exhaustive
def test_writers_are_kept_out_of_what_is_dropped(database: Database, tmp_path: Path) -> None:
    build(database)
    assert shell(database, "archive", "export", "s.t_01", "--to", str(tmp_path), "--as", "copy").returncode == 0
    other = database.connect(autocommit=False)

    database.run(task(detach, QualifiedName("s", "t"), T1))
    other.execute("UPDATE s.t_01 SET word = 'late' WHERE id = 1")
    with pytest.raises(LockNotAvailable, match="blocked by"):
        export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    other.commit()
    file = export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert "late" in pq.read_table(tmp_path / "s.t_01.parquet")["word"].to_pylist()
    assert manifest.read(database.sqlalchemy())[1].sha256 == file.sha256
    assert places(database)[1] == ("s.t_01", True, False)


@pytest.mark.exhaustive
def test_a_reader_that_stays_keeps_the_table(database: Database, tmp_path: Path) -> None:
    build(database)

    database.run(task(detach, QualifiedName("s", "t"), T1))
    other = database.connect(autocommit=False)
    other.execute("SELECT count(*) FROM s.t_01")
    with pytest.raises(LockNotAvailable, match="blocked by"):
        export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert database.sql("SELECT count(*) FROM s.t_01") == [(31,)]
    other.rollback()
    export(database.sqlalchemy(), T1, Store(str(tmp_path)), "parquet", QUICK, print, drop=True)
    assert places(database) == [("s.t_01", True, False)]
