"""Partitions go to another server and come back: every reader of the view sees each row once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.archives import VIEW, archived, attached, build, reading, restore
from tests.support.cli import shell
from tests.support.cold import LATE, Cold, connected, content, foreign, run, with_cold
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.archives, pytest.mark.distributed, pytest.mark.majors]

ALL = f"SELECT count(*), count(DISTINCT id), sum(id) FROM s.{VIEW}"


def test_partitions_go_to_the_server_and_come_back(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    before = content(database)
    with reading(database, ALL) as seen:
        there = run(database)
        assert there.returncode == 0, there.stderr
    assert len(seen) == 1
    assert foreign(database) == ["t_01__cold", "t_02__cold", "t_03__cold"]
    assert attached(database, "s.t_archive") == "04 05"
    assert cold.tables() == ["t_01", "t_02", "t_03"]
    assert content(database) == before
    assert (run(database).stdout, foreign(database)) == ("", ["t_01__cold", "t_02__cold", "t_03__cold"])
    with reading(database, ALL) as seen:
        back = restore(database, "2026-02-01", "2026-03-05")
        assert back.returncode == 0, back.stderr
    assert len(seen) == 1
    assert cold.tables() == ["t_01"]
    assert "02" in attached(database)
    assert content(database) == before


def test_a_range_is_restored_next_to_the_table(database: Database, cold: Cold) -> None:
    with_cold(database, cold)
    before = content(database)
    assert run(database).returncode == 0
    back = restore(database, "2026-01-10", "2026-02-05", "--beside", "s.looked_at", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert database.sql("SELECT count(*), min(at)::date::text, max(at)::date::text FROM s.looked_at") == [
        (26, "2026-01-10", "2026-02-04")
    ]
    assert foreign(database) == ["t_03__cold"]
    assert content(database)[0] == before[0] - 26


STAYS = {
    "partitioned": (
        (
            "DROP TABLE s.t_01",
            "CREATE TABLE s.t_01 PARTITION OF s.t FOR VALUES FROM ('2026-01-01') TO ('2026-02-01') "
            "PARTITION BY HASH (id)",
            "CREATE TABLE s.t_01h PARTITION OF s.t_01 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        ),
        (),
        "it is partitioned itself (1 partitions)",
    ),
    "a view": ((), ("CREATE VIEW s.own AS SELECT id FROM s.t_01",), "view s.own"),
    "published": ((), ("CREATE PUBLICATION one FOR TABLE s.t_01",), "publication one"),
    "a key of the archive": (
        ("CREATE TABLE s.r (id bigint PRIMARY KEY)", "INSERT INTO s.r SELECT generate_series(0, 200)"),
        ("ALTER TABLE s.t_archive ADD FOREIGN KEY (id) REFERENCES s.r",),
        "s.t_archive has foreign key",
    ),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("why", STAYS)
def test_what_others_need_stays_and_the_rest_goes(database: Database, cold: Cold, why: str) -> None:
    before, between, said = STAYS[why]
    archived(database, view=None)
    database.sql(*before)
    assert shell(database, "archive", "run", "--now", LATE).returncode == 0
    database.sql(*between)
    connected(database, cold)

    def operate(op: Any) -> None:
        op.create_cold_archive("t", "cold", schema="s")
        op.set_archive_policy("t", "2 months", schema="s", cold_after="4 months")

    perform(database, operate)
    moved = run(database)
    assert moved.returncode == 0, moved.stderr
    assert "s.t_01 is to go to server cold and stays: " in moved.stdout + moved.stderr
    assert said in moved.stdout + moved.stderr
    assert "t_01__cold" not in foreign(database)
    assert len(foreign(database)) == (0 if why == "a key of the archive" else 2)


def test_its_foreign_keys_stay_behind(database: Database, cold: Cold) -> None:
    build(database, retention=None)
    database.sql(
        "CREATE TABLE s.r (id bigint PRIMARY KEY)",
        "INSERT INTO s.r SELECT generate_series(0, 200)",
        "ALTER TABLE s.t ADD FOREIGN KEY (id) REFERENCES s.r",
    )
    connected(database, cold)

    def operate(op: Any) -> None:
        op.create_archive_table("t", schema="s", view=VIEW)
        op.create_cold_archive("t", "cold", schema="s", view=VIEW)
        op.set_archive_policy("t", "2 months", schema="s", cold_after="4 months")

    perform(database, operate)
    before = content(database)
    assert run(database).returncode == 0
    assert len(foreign(database)) == 3
    back = restore(database, "2026-01-01", "2026-04-01", "--now", LATE)
    assert back.returncode == 0, back.stderr
    assert content(database) == before
    assert database.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 's.t_01'::regclass") == [
        (1,)
    ]
