"""Materialized views, heirs, foreign tables, domains, extensions: their faults are found, and they are not blamed."""

from __future__ import annotations

import pytest

from schema_kit.health import observe
from schema_kit.health.checks import examine
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.health import S, health, keys, repair

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]

_ROWS = "SELECT i, i, 'x' FROM generate_series(1, 3000) i"

FAULTS: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("index_duplicate", "view 'of", "of v 2"): (
        f'CREATE MATERIALIZED VIEW {S}."view \'of" AS SELECT i AS id, i AS v FROM generate_series(1, 3000) i',
        f'CREATE INDEX "of v" ON {S}."view \'of" (v)',
        f'CREATE INDEX "of v 2" ON {S}."view \'of" (v)',
    ),
    ("statistics_missing", "view 'of", ""): (),
    ("statistics_missing", "Par ent", ""): (
        f'CREATE TABLE {S}."Par ent" (id bigint PRIMARY KEY, v int, w text)',
        f'CREATE TABLE {S}."he ir" (PRIMARY KEY (id)) INHERITS ({S}."Par ent")',
        f'INSERT INTO {S}."he ir" {_ROWS}',
        f'ANALYZE {S}."he ir"',
    ),
    ("constraint_not_valid", "Par ent", "che ck"): (
        f'ALTER TABLE {S}."Par ent" ADD CONSTRAINT "che ck" CHECK (v > 0) NOT VALID',
    ),
    ("index_duplicate", "in cluded", "i 1"): (
        f'CREATE TABLE {S}."in cluded" (id bigint PRIMARY KEY, v int, w int)',
        f'CREATE INDEX "i 1" ON {S}."in cluded" (id DESC) INCLUDE (v, w)',
        f'CREATE INDEX "i 2" ON {S}."in cluded" (id DESC) INCLUDE (w, v)',
    ),
    ("sequence_near_end", "num bered", "Num bers"): (
        f"CREATE DOMAIN {S}.small AS smallint",
        f'CREATE SEQUENCE {S}."Num bers"',
        f'CREATE TABLE {S}."num bered" (id {S}.small PRIMARY KEY DEFAULT nextval(\'{S}."Num bers"\'))',
        f"SELECT setval('{S}.\"Num bers\"', 30000)",
    ),
    ("sequence_near_end", "", "down"): (
        f"CREATE SEQUENCE {S}.down AS int INCREMENT -1",
        f"SELECT setval('{S}.down', -2000000000)",
    ),
    ("replica_identity_missing", "iden tity", ""): (
        f'CREATE TABLE {S}."iden tity" (id bigint NOT NULL, CONSTRAINT un UNIQUE (id))',
        f'ALTER TABLE {S}."iden tity" REPLICA IDENTITY USING INDEX un',
        f'CREATE PUBLICATION "pub 1" FOR TABLE {S}."iden tity"',
        f'ALTER TABLE {S}."iden tity" DROP CONSTRAINT un, ADD UNIQUE (id)',
    ),
    ("primary_key_missing", "iden tity", ""): (),
    ("foreign_key_disabled", "wi th", ""): (
        f'CREATE TABLE {S}."wi th" (id bigint PRIMARY KEY REFERENCES {S}."in cluded")',
        f"CREATE FUNCTION {S}.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        f'CREATE TRIGGER "un wanted" BEFORE INSERT ON {S}."wi th" FOR EACH ROW EXECUTE FUNCTION {S}.f()',
        f'ALTER TABLE {S}."wi th" DISABLE TRIGGER ALL',
    ),
    ("trigger_disabled", "wi th", "un wanted"): (),
}

WHOLE = (
    f"CREATE SCHEMA {S}",
    f'CREATE TABLE {S}."dis tant" (id int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id)',
    f'CREATE TABLE {S}."ne ar" PARTITION OF {S}."dis tant" FOR VALUES FROM (0) TO (2000)',
    "CREATE TEMP TABLE passing (id int)",
    f"CREATE TABLE {S}.texts (id text PRIMARY KEY)",
    f"CREATE DOMAIN {S}.code AS varchar(9)",
    f"CREATE TABLE {S}.of_texts (id {S}.code PRIMARY KEY REFERENCES {S}.texts)",
    f"CREATE TABLE {S}.kept (id bigint PRIMARY KEY, v int NOT NULL) PARTITION BY HASH (id)",
    f"CREATE TABLE {S}.kept_0 PARTITION OF {S}.kept FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
    f"CREATE UNIQUE INDEX one ON {S}.kept (id, v)",
    f"CREATE UNIQUE INDEX other_one ON {S}.kept (id, v) WHERE v > 0",
    f"ALTER TABLE {S}.kept_0 REPLICA IDENTITY USING INDEX kept_0_id_v_idx",
)
"""Nothing is wrong with these."""


def test_faults_of_what_is_not_an_ordinary_table_are_found_and_go(database: Database) -> None:
    database.sql(f"CREATE SCHEMA {S}", *(statement for statements in FAULTS.values() for statement in statements))
    found = health(database)
    assert keys(found) == FAULTS.keys()
    assert len(found) == len(FAULTS)
    for finding in sorted(found, key=lambda one: one["code"]):
        repair(database, finding)
        assert not keys([finding]) & keys(health(database)), finding
    assert {one["code"] for one in health(database)} <= {"trigger_disabled"}, "what repairs the key enables no other"


def test_what_is_whole_is_not_blamed(database: Database) -> None:
    database.sql(*WHOLE)
    assert health(database) == []


def test_foreign_partitions_are_neither_counted_nor_blamed(database: Database) -> None:
    database.sql("CREATE EXTENSION postgres_fdw", "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw")
    database.sql(
        f"CREATE SCHEMA {S}",
        f"CREATE TABLE {S}.set (id int NOT NULL, v int) PARTITION BY RANGE (id)",
        f"CREATE TABLE {S}.near PARTITION OF {S}.set FOR VALUES FROM (0) TO (9000)",
        f"CREATE FOREIGN TABLE {S}.far PARTITION OF {S}.set FOR VALUES FROM (9000) TO (99000) SERVER far",
        f"INSERT INTO {S}.set SELECT i, i FROM generate_series(1, 3000) i",
        f"ANALYZE {S}.near",
        f"UPDATE pg_class SET reltuples = 90000 WHERE oid = '{S}.set'::regclass",
    )
    assert {one["code"] for one in health(database)} == {"primary_key_missing"}


def test_what_an_extension_owns_is_left_to_it(database: Database) -> None:
    database.sql(
        "CREATE EXTENSION hstore SCHEMA public",
        f"CREATE SCHEMA {S}",
        f"CREATE TABLE {S}.own (k int)",
        f"CREATE SEQUENCE {S}.own_n AS smallint",
        f"SELECT setval('{S}.own_n', 32000)",
        f"ALTER EXTENSION hstore ADD TABLE {S}.own",
        f"ALTER EXTENSION hstore ADD SEQUENCE {S}.own_n",
    )
    assert health(database) == []


def test_temporary_tables_of_others_are_left_alone(database: Database) -> None:
    other = database.connect()
    other.execute("CREATE TEMP TABLE passing (id smallserial, v int)")
    other.execute("CREATE INDEX ON passing (v)")
    other.execute("CREATE INDEX ON passing (v)")
    other.execute("SELECT setval(pg_get_serial_sequence('passing', 'id'), 32000)")
    assert health(database) == []


def test_the_setting_that_is_wrong_is_set_where_it_comes_from(database: Database) -> None:
    ((name,),) = database.sql("SELECT current_database()")
    database.sql(f'ALTER DATABASE "{name}" SET track_counts = off')
    found = {one.object: one for one in examine(observe.read(database.sqlalchemy(), None))}
    assert found["track_counts"].repair.sql == f'ALTER DATABASE "{name}" RESET track_counts;'
    for statement in found["track_counts"].repair.sql.split(";"):
        database.sql(statement) if statement.strip() else None
    assert "[setting_unsafe]" not in "".join(
        line for line in shell(database, "health").stdout.splitlines() if "track_counts" in line
    )
