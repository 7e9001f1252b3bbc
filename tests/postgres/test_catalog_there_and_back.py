"""A table becomes partitioned and comes back: the catalogs say the same of it, whatever it had, by every way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
import pytest

import schema_kit
from schema_kit import op
from schema_kit.errors import PlanError
from schema_kit.names import QualifiedName
from schema_kit.tasks.conversion import roll_back
from tests.support.catalog_of_a_table import Facts, catalog_of, changes
from tests.support.copies import PATIENT
from tests.support.database import Database
from tests.support.generated_tables import GeneratedTable, generated_table

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

Strategy = Literal["attach", "copy"]

WAYS = ("attach", pytest.param("copy", marks=pytest.mark.exhaustive), "fed")
CONTENT = "SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM g.t"

# What a partitioned table has not itself, but its partitions; and its primary key, which holds the control column.
ELSEWHERE = {("table", "table", "reloptions"), ("table", "table", "toast"), ("table", "table", "method")}
KEY = {("constraint", "t_pkey", "definition"), ("index", "t_pkey", "definition")}

# What each partition has as the table had it.
OF_PARTITIONS = [("table", "table", key) for key in ("reloptions", "toast", "owner", "method", "space")]

OWN = {"access", "attidentity", "atthasdef"}
"""Of a partition's columns: no role is granted anything on them, and up to 16 they have no identity."""


@contextmanager
def made(database: Database, seed: int, *, dense: bool = False) -> Iterator[GeneratedTable]:
    name = database.sql("SELECT current_database()")[0][0]
    table = generated_table(seed, database.connect().info.server_version, f"{name}_{seed}", dense=dense)
    try:
        database.sql(*table.make)
        yield table
    finally:
        database.sql("DROP SCHEMA IF EXISTS schema_kit CASCADE", *table.drop)


def there(database: Database, table: GeneratedTable, way: str) -> None:
    strategy: Strategy = "attach" if way == "attach" else "copy"
    keep: Literal[False, "fed"] = "fed" if way == "fed" else False
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.convert_to_partitioned("t", "at", table.every, schema="g", strategy=strategy, keep_old=keep)


def back(database: Database, table: GeneratedTable, way: str) -> None:
    if way == "fed":
        database.run(lambda catalog: roll_back(catalog, QualifiedName("g", "t")), PATIENT)
        return
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT):
        op.unpartition("t", schema="g", keep_primary_key="at" in table.key)


def differing(before: Facts, after: Facts) -> dict[tuple[str, str, str], Any]:
    """Without the trigger that feeds a table which is kept."""
    ours = {key for key in after if key[:2] == ("trigger", "schema_kit_copy_back")}
    return {key: both for key, both in changes(before, after).items() if key not in ours}


def there_and_back(database: Database, table: GeneratedTable, way: str) -> None:
    before, rows = catalog_of(database.url), database.sql(CONTENT)
    there(database, table, way)
    after = catalog_of(database.url)
    found = differing(before, after)
    marks = {key for key in found if key[2] == "indisclustered"}
    longer = {key for key in found if key[:2] == ("index column", f"t_pkey.{len(table.key) + 1}")}
    assert found.keys() - marks <= ELSEWHERE | (set() if "at" in table.key else KEY | longer)
    partitions = [row[0] for row in database.sql("SELECT relid::regclass FROM pg_partition_tree('g.t') WHERE isleaf")]
    for partition in partitions:
        own = catalog_of(database.url, partition)
        assert {key: own.get(key) for key in OF_PARTITIONS} == {key: before.get(key) for key in OF_PARTITIONS}
        kept = {key: value for key, value in own.items() if key[0] == "column" and key[2] not in OWN}
        assert kept.items() <= after.items()
    assert elsewhere(database) == []
    assert len([1 for _, _, key in marks]) == len(clustered(database))
    assert database.sql(CONTENT) == rows

    back(database, table, way)
    assert differing(before, catalog_of(database.url)) == {}
    assert database.sql(CONTENT) == rows


def elsewhere(database: Database) -> list[Any]:
    """Parts of the partitioned table's indexes that lie in another tablespace than those."""
    return database.sql(
        """SELECT part.relname, part.reltablespace FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_inherits h ON h.inhparent = i.oid JOIN pg_class part ON part.oid = h.inhrelid
        WHERE x.indrelid = 'g.t'::regclass AND part.reltablespace <> i.reltablespace"""
    )


def clustered(database: Database) -> set[str]:
    """The partitioned table's indexes by whose parts partitions that hold rows are clustered."""
    found = database.sql(
        """SELECT x.indexrelid::regclass::text, bool_and(coalesce(part.indisclustered, false)) FROM pg_index x
        JOIN pg_inherits h ON h.inhparent = x.indexrelid JOIN pg_index part ON part.indexrelid = h.inhrelid
        JOIN pg_class c ON c.oid = part.indrelid
        WHERE x.indrelid = 'g.t'::regclass AND c.reltuples > 0 GROUP BY 1"""
    )
    return {name for name, all_ in found if all_}


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_a_table_with_everything_goes_there_and_back(database: Database, way: str) -> None:
    with made(database, 0, dense=True) as table:
        there_and_back(database, table, way)


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", range(1, 26))
def test_a_table_with_some_of_it_goes_there_and_back(database: Database, seed: int, way: str) -> None:
    with made(database, seed) as table:
        there_and_back(database, table, way)


SINCE = (
    "ALTER TABLE g.t ALTER words SET DEFAULT 'since', ALTER place_id DROP DEFAULT",
    "ALTER TABLE g.t ALTER words SET STORAGE MAIN, ALTER words SET STATISTICS 11, ALTER at RESET (n_distinct)",
    "ALTER TABLE g.t ALTER id SET GENERATED ALWAYS, ALTER id SET INCREMENT 7",
    "ALTER TABLE g.t ALTER words SET COMPRESSION default",
    "COMMENT ON COLUMN g.t.words IS NULL",
    "COMMENT ON COLUMN g.t.place_id IS 'since'",
    "COMMENT ON INDEX g.by_words IS 'since'",
    "COMMENT ON TABLE g.t IS 'since'",
    "ALTER STATISTICS g.odd_name SET STATISTICS 12",
    "DROP STATISTICS public.t_elsewhere",
    "CREATE STATISTICS g.since ON place_id, at FROM g.t",
    "ALTER INDEX g.by_expression ALTER COLUMN 1 SET STATISTICS 13",
    "ALTER TABLE g.t DISABLE ROW LEVEL SECURITY",
    "DROP POLICY everybody ON g.t",
    "DROP TRIGGER e_plain ON g.t",
    "REVOKE SELECT ON g.t FROM {reader}",
    "GRANT TRUNCATE ON g.t TO {owner}, {agent}",
    "GRANT UPDATE ON SEQUENCE g.t_id_seq TO {agent}",
    "COMMENT ON CONSTRAINT long_enough ON g.t IS NULL",
)


@pytest.mark.exhaustive
@pytest.mark.parametrize("way", WAYS)
def test_a_rollback_takes_along_what_was_changed_since(database: Database, way: str) -> None:
    with made(database, 0, dense=True) as table:
        there(database, table, way)
        owner, agent, reader = table.by
        database.sql(*(text.format(owner=owner, agent=agent, reader=reader) for text in SINCE))
        now = catalog_of(database.url)
        back(database, table, way)
        lost = {key for key, both in changes(now, catalog_of(database.url)).items() if both[1] is None or both[0]}
        left = {key for key in lost if not key[1].startswith(("t_pkey", "schema_kit_")) and key[2] != "indisclustered"}
        assert left == set()


REFUSED = {
    "WITHOUT OVERLAPS": (
        180000,
        "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, during WITHOUT OVERLAPS)",
        "t_pkey is a key WITHOUT OVERLAPS",
    ),
    "unique WITHOUT OVERLAPS": (
        180000,
        "ALTER TABLE t ADD CONSTRAINT once UNIQUE (id, during WITHOUT OVERLAPS)",
        "once is a key WITHOUT OVERLAPS",
    ),
    "PERIOD": (
        180000,
        "CREATE TABLE o (id int4range, during tstzrange, PRIMARY KEY (id, during WITHOUT OVERLAPS));"
        "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (id, PERIOD during) REFERENCES o (id, PERIOD during)",
        "fk is a key WITHOUT OVERLAPS or with a PERIOD",
    ),
    "NOT NULL without heirs": (
        180000,
        "ALTER TABLE t ADD CONSTRAINT there NOT NULL word NO INHERIT",
        "NOT NULL there is NO INHERIT",
    ),
    "check that is not enforced": (
        180000,
        "ALTER TABLE t ADD CONSTRAINT said CHECK (word <> '') NOT ENFORCED",
        "check said is not validated",
    ),
    "foreign key that is not enforced": (
        180000,
        "CREATE TABLE o (word text PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (word) REFERENCES o "
        "NOT ENFORCED",
        "foreign key fk is not validated",
    ),
    "rule": (140000, "CREATE RULE kept AS ON DELETE TO t DO INSTEAD NOTHING", "rule kept on table"),
    "security label": (
        140000,
        "SET allow_system_table_mods = on;"
        "INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'a provider', 'secret')",
        "has a security label of a provider",
    ),
    "disabled foreign key": (
        140000,
        "CREATE TABLE o (id int4range PRIMARY KEY); ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES o;"
        "ALTER TABLE t DISABLE TRIGGER ALL",
        "triggers of foreign key fk are disabled",
    ),
    "access method": (
        140000,
        "CREATE ACCESS METHOD other TYPE TABLE HANDLER heap_tableam_handler; DROP TABLE t;"
        "CREATE TABLE t (id int4range PRIMARY KEY, at timestamptz NOT NULL) USING other",
        "stored by other",
    ),
}


@pytest.mark.parametrize("strategy", ["attach", "copy"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_carried_is_refused_by_name(database: Database, what: str, strategy: Strategy) -> None:
    since, setup, words = REFUSED[what]
    if database.connect().info.server_version < since:
        pytest.skip("this server does not have it")
    columns = "id int4range PRIMARY KEY, at timestamptz NOT NULL, during tstzrange, word text"
    database.sql(f"CREATE TABLE t ({columns})", setup)
    before = catalog_of(database.url, "public.t")
    with schema_kit.operations(database.sqlalchemy(), policy=PATIENT), pytest.raises(PlanError, match=words):
        op.convert_to_partitioned("t", "at", "1 month", strategy=strategy)
    assert catalog_of(database.url, "public.t") == before
    assert database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't\\_\\_%'") == [(0,)]
    with pytest.raises(psycopg.Error):
        database.sql("SELECT 1 FROM schema_kit.part_config")
