"""A partition goes to the archive and comes back with all that it has of its own, or stays, and it is said why."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.archives import archived
from tests.support.catalog_of_a_table import Facts, catalog_of, changes
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.archives, pytest.mark.majors]

NOW = "2026-06-20"
OWN = (
    "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TABLE s.place (id bigint PRIMARY KEY)",
    "INSERT INTO s.place SELECT generate_series(0, 500)",
    "CREATE INDEX own ON s.t_01 (word)",
    "COMMENT ON INDEX s.own IS 'its own'",
    "ALTER TABLE s.t_01 CLUSTER ON own",
    "CREATE TRIGGER own BEFORE UPDATE ON s.t_01 FOR EACH ROW EXECUTE FUNCTION s.f()",
    "ALTER TABLE s.t_01 ENABLE ALWAYS TRIGGER own",
    "ALTER TABLE s.t_01 ADD CONSTRAINT own_check CHECK (id >= 0) NOT VALID",
    "COMMENT ON CONSTRAINT own_check ON s.t_01 IS 'its own'",
    "ALTER TABLE s.t_01 ADD CONSTRAINT own_key FOREIGN KEY (id) REFERENCES s.place ON DELETE SET NULL DEFERRABLE",
    "GRANT SELECT, UPDATE (word) ON s.t_01 TO PUBLIC",
    "ALTER TABLE s.t_01 SET (fillfactor = 55, toast.autovacuum_enabled = off)",
    "ALTER TABLE s.t_01 ALTER word SET STATISTICS 9, ALTER word SET STORAGE MAIN, ALTER word SET DEFAULT 'leaf'",
    "ALTER TABLE s.t_01 ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON s.t_01 USING (id > 1)",
    "ALTER TABLE s.t_01 REPLICA IDENTITY FULL",
    "CREATE STATISTICS s.own_statistics ON id, word FROM s.t_01",
    "COMMENT ON TABLE s.t_01 IS 'january'",
    "COMMENT ON COLUMN s.t_01.word IS 'its own'",
)


def run(database: Database) -> Any:
    return shell(database, "archive", "run", "s.t", "--now", NOW)


def restored(database: Database) -> Any:
    return shell(database, "archive", "restore", "s.t", "--since", "2026-01-01", "--until", "2026-05-01", "--now", NOW)


def place(database: Database, name: str) -> str:
    found = database.sql(f"SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = 's.{name}'::regclass")
    return str(found[0][0])


def known(database: Database) -> Facts:
    """Without the CHECK that spares the next move its scan."""
    return {key: value for key, value in catalog_of(database.url, "s.t_01").items() if "_at_check" not in key[1]}


def test_what_a_partition_has_of_its_own_goes_along(database: Database) -> None:
    archived(database)
    database.sql(*OWN, "ALTER TABLE s.t ADD COLUMN twice bigint GENERATED ALWAYS AS (id * 2) STORED")
    database.sql("ALTER TABLE s.t_archive ADD COLUMN twice bigint GENERATED ALWAYS AS (id * 2) STORED")
    before = known(database)
    there = run(database)
    assert there.returncode == 0, there.stderr
    assert place(database, "t_01") == "s.t_archive"
    back = restored(database)
    assert back.returncode == 0, back.stderr
    assert place(database, "t_01") == "s.t"
    assert changes(before, known(database)) == {}


@pytest.mark.parametrize(
    "state", ["DISABLE", pytest.param("ENABLE ALWAYS", marks=pytest.mark.exhaustive)], ids=["off", "always"]
)
def test_a_trigger_that_fires_otherwise_in_it_alone_keeps_it(database: Database, state: str) -> None:
    archived(database)
    database.sql(
        OWN[0],
        "CREATE TRIGGER all_of_it BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
        f"ALTER TABLE s.t_01 {state} TRIGGER all_of_it",
    )
    there = run(database)
    assert "trigger all_of_it is" in there.stdout + there.stderr
    assert place(database, "t_01") == "s.t"
    assert place(database, "t_02") == "s.t_archive"
    assert database.sql(
        "SELECT tgenabled::text FROM pg_trigger WHERE tgrelid = 's.t_01'::regclass AND tgname = 'all_of_it'"
    ) == [(state[0] if state == "DISABLE" else "A",)]


def test_a_check_that_is_not_enforced_asks_nothing_of_it(database: Database) -> None:
    if database.sql("SELECT current_setting('server_version_num')::int < 180000")[0][0]:
        pytest.skip("NOT ENFORCED is new in 18")
    archived(database)
    database.sql(
        "ALTER TABLE s.t ADD CONSTRAINT perhaps CHECK (id > 100) NOT ENFORCED",
        "ALTER TABLE s.t_archive ADD CONSTRAINT perhaps CHECK (id > 100) NOT ENFORCED",
    )
    there = run(database)
    assert there.returncode == 0, there.stderr
    assert place(database, "t_01") == "s.t_archive"
    back = restored(database)
    assert back.returncode == 0, back.stderr
    assert place(database, "t_01") == "s.t"
