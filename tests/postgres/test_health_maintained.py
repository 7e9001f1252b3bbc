"""When tables were maintained last, which ``schema_kit status`` shows; and how long snapshots are kept."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

import schema_kit
from schema_kit import op
from tests.support.cli import shell
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.partitions, pytest.mark.majors]


def maintained(database: Database) -> list[str]:
    done = shell(database, "status", "--format", "json")
    told: list[str] = json.loads(done.stdout)["maintained"]
    return told


def test_the_last_maintenance_is_remembered_and_shown(partitioned: Database) -> None:
    assert maintained(partitioned)[0].endswith("never, as far as is known")
    shell(partitioned, "partitions", "maintain", "--dry-run")
    assert maintained(partitioned)[0].endswith("never, as far as is known")
    holding = partitioned.connect(autocommit=False)
    holding.execute("SELECT FROM schema_kit.part_config FOR UPDATE")
    done = shell(partitioned, "partitions", "maintain")
    assert done.returncode == 0, "who holds the row is not waited for"
    assert maintained(partitioned)[0].endswith("never, as far as is known")
    holding.rollback()
    assert shell(partitioned, "partitions", "maintain", "--workers", "2").returncode == 0
    (said,) = maintained(partitioned)
    year = partitioned.sql("SELECT now()")[0][0].year
    assert f" at {year}-" in said
    assert f"maintained   {said.split()[0]}" in shell(partitioned, "status").stdout
    partitioned.sql("ALTER TABLE schema_kit.part_config DROP COLUMN maintenance_last_run")
    assert shell(partitioned, "partitions", "maintain").returncode == 0
    assert maintained(partitioned)[0].endswith("never, as far as is known")


def test_snapshots_are_kept_by_the_policy_of_their_table(database: Database) -> None:
    def kept(*days: int) -> list[int]:
        assert shell(database, "health", "--remember").returncode in (0, 4)
        database.sql(
            *(
                "INSERT INTO schema_kit.health_snapshot (taken_at, server, indexes, scans) "
                f"VALUES (now() - interval '{one} days', '', '[]', '{{}}')"
                for one in days
            )
        )
        assert shell(database, "health", "--remember").returncode in (0, 4)
        found = database.sql("SELECT taken_at FROM schema_kit.health_snapshot")
        now: datetime = database.sql("SELECT now()")[0][0]
        return sorted({(now - at).days for (at,) in found} - {0})

    assert kept(20, 60, 399, 401) == [20, 60, 399]
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.set_ttl_policy("health_snapshot", "taken_at", schema="schema_kit", age="50 days")
    assert kept() == [20]
    database.sql(
        "INSERT INTO schema_kit.health_snapshot (taken_at, server, indexes, scans) "
        "VALUES (now() - interval '80 days', '', '[]', '{}')"
    )
    assert shell(database, "ttl", "run", "--yes").returncode == 0
    assert database.sql("SELECT 1 FROM schema_kit.health_snapshot WHERE taken_at < now() - interval '70 days'") == []
