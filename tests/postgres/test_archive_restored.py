"""What comes back from an archive by partition: whole, in parts, or next to the table."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.support.archives import VIEW, archived, attached, places, restore, run
from tests.support.cli import ROOT, command, shell
from tests.support.database import Database
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.majors]


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
def test_next_to_the_table(database: Database) -> None:
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
def test_an_invalid_range_is_refused(database: Database, ends: tuple[str, str]) -> None:
    archived(database)
    assert restore(database, *ends).returncode == 2
