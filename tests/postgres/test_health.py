"""``schema_kit health`` on a real server: planted faults found, folded, repaired; nothing said of what is whole."""

from __future__ import annotations

import pytest

from tests.support.cli import shell
from tests.support.database import Database
from tests.support.health import FAULTS, TREES, S, health, keys, plant, repair

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]


def test_faults_of_each_kind_are_found_once(database: Database) -> None:
    quick = {key: statements for key, statements in FAULTS.items() if key[1] not in ("Ro om", "hash")}
    database.sql(*TREES, *(statement for statements in quick.values() for statement in statements))
    found = health(database)
    assert keys(found) == quick.keys()
    assert len(found) == len(quick)


@pytest.mark.exhaustive
def test_every_planted_fault_is_found_once_and_goes_with_its_repair(database: Database) -> None:
    plant(database)
    found = health(database)
    assert keys(found) == FAULTS.keys()
    assert len(found) == len(FAULTS) >= 20
    for _ in range(2):  # an index of a partition that was adopted, or exists next to the one of its table now
        for finding in health(database):
            key = keys([finding])
            repair(database, finding)
            assert not key & keys(health(database)), finding
    assert health(database) == []


def test_tables_of_each_kind_without_a_fault_have_nothing_to_say(database: Database) -> None:
    database.sql(*TREES, f"CREATE INDEX ON {S}.kid (room)")
    done = shell(database, "health", "--ignore", "setting_unsafe")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert "6 tables looked at: nothing to do" in done.stderr
