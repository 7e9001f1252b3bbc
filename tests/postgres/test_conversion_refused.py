"""Tables that cannot be converted: what stands in the way is named, and nothing is changed."""

from __future__ import annotations

import pytest

from schema_kit.errors import DeclarationError, PlanError
from tests.support.catalog import facts
from tests.support.conversion import PLAIN, T, convert
from tests.support.database import Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

OBSTACLES = {
    "materialized view": ("CREATE MATERIALIZED VIEW app.mv AS SELECT * FROM app.t", "materialized view app.mv"),
    "function that returns rows of it": (
        "CREATE FUNCTION app.f() RETURNS SETOF app.t LANGUAGE sql AS 'SELECT * FROM app.t'",
        r"function app\.f\(\)",
    ),
    "function that takes a row of it": (
        "CREATE FUNCTION app.f(app.t) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        r"function app\.f\(app\.t\)",
    ),
    "function with a parsed body": (
        "CREATE FUNCTION app.f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM app.t; END",
        r"function app\.f\(\)",
    ),
    "column of its row type": ("CREATE TABLE app.holds (r app.t)", "table app.holds"),
    "column of an array of rows": ("CREATE TABLE app.holds (r app.t[])", "table app.holds"),
    "inheritance child": ("CREATE TABLE app.heir () INHERITS (app.t)", "table app.heir"),
    "inheritance parent": (
        "CREATE TABLE app.up (id bigint); ALTER TABLE app.t INHERIT app.up",
        "inherits from table app.up",
    ),
    "publication": ("CREATE PUBLICATION pub FOR TABLE app.t", "publication pub holds it, and publishes partitions"),
    "rule": ("CREATE RULE keep AS ON DELETE TO app.t DO INSTEAD NOTHING", "rule keep on table app.t"),
    "exclusion constraint": ("ALTER TABLE app.t ADD CONSTRAINT alone EXCLUDE USING btree (body WITH =)", "alone"),
    "policy of another table": (
        "CREATE TABLE app.o (id bigint); CREATE POLICY asks ON app.o USING (EXISTS (SELECT 1 FROM app.t))",
        "policy asks on table app.o",
    ),
    "view that groups by the primary key": (
        "CREATE VIEW app.v AS SELECT id, body FROM app.t GROUP BY id",
        "view app.v",
    ),
    "unlogged": ("ALTER TABLE app.t SET UNLOGGED", "unlogged"),
    "no primary key": ("ALTER TABLE app.t DROP CONSTRAINT t_pkey", "no primary key"),
    "unique without the key": ("CREATE UNIQUE INDEX once ON app.t (body)", "once is unique without at"),
    "unique constraint without the key": ("ALTER TABLE app.t ADD CONSTRAINT once UNIQUE (body)", "once is unique"),
    "check not validated": ("ALTER TABLE app.t ADD CONSTRAINT c CHECK (id > 0) NOT VALID", "check c is not validated"),
    "foreign key not validated": (
        "CREATE TABLE app.o (id bigint PRIMARY KEY);"
        "ALTER TABLE app.t ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES app.o NOT VALID",
        "foreign key fk is not validated",
    ),
    "trigger that may move a row": (
        "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); RETURN NEW; END';"
        "CREATE TRIGGER moves BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
        "trigger moves is BEFORE ROW",
    ),
    "trigger with transition tables for each row": (
        "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER sees AFTER INSERT ON app.t REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION app.f()",
        "trigger sees has transition tables",
    ),
    "too far in the future": ("INSERT INTO app.t (at) VALUES (now() + interval '1 year')", "1 rows lie farther"),
    "infinity": ("INSERT INTO app.t (at) VALUES ('infinity'), ('infinity')", "2 rows lie farther"),
    "check without heirs": ("ALTER TABLE app.t ADD CONSTRAINT c CHECK (id > 0) NO INHERIT", "check c is NO INHERIT"),
    "deferrable primary key": (
        "ALTER TABLE app.t DROP CONSTRAINT t_pkey; ALTER TABLE app.t ADD PRIMARY KEY (id) DEFERRABLE",
        "primary key t_pkey is DEFERRABLE",
    ),
    "primary key that includes": (
        "ALTER TABLE app.t DROP CONSTRAINT t_pkey; ALTER TABLE app.t ADD PRIMARY KEY (id) INCLUDE (body)",
        "primary key t_pkey is DEFERRABLE or INCLUDEs",
    ),
    "publication of all tables": ("CREATE PUBLICATION pub FOR ALL TABLES", "publication pub holds all tables"),
    "publication of a schema": ("CREATE PUBLICATION pub FOR TABLES IN SCHEMA app", "publication pub"),
    "no key column": ("ALTER TABLE app.t RENAME at TO since", "no column 'at'"),
    "key of another type": ("ALTER TABLE app.t ALTER at DROP DEFAULT, ALTER at TYPE text", "is text"),
    "no table": ("DROP TABLE app.t", "no such table"),
    "rows without a key": (
        "ALTER TABLE app.t ALTER at DROP NOT NULL; INSERT INTO app.t (at) VALUES (NULL), (NULL)",
        "2 rows",
    ),
}


@pytest.mark.parametrize("what", OBSTACLES)
def test_what_stands_in_the_way_is_named_and_nothing_is_changed(database: Database, what: str) -> None:
    setup, words = OBSTACLES[what]
    database.sql(*PLAIN, "INSERT INTO app.t (body) SELECT generate_series(1, 9)", setup)
    before = facts(database)
    with pytest.raises(PlanError, match=words):
        convert(database, T, incoming="drop")
    assert facts(database) == before


def test_nonsense_is_refused_before_anything_is_read(database: Database) -> None:
    database.sql(*PLAIN)
    with pytest.raises(DeclarationError, match="premake"):
        convert(database, T, premake=0)
    with pytest.raises(DeclarationError, match="'refuse', 'drop' or 'composite'"):
        convert(database, T, incoming="nothing")  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="not an interval"):
        convert(database, T, interval="1 fortnight")
    with pytest.raises(DeclarationError, match="no time zone"):
        convert(database, T, timezone="Atlantis")
