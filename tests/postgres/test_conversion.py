"""Plain tables become partitioned and plain again, beside writers, through kills, with all that belongs to them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import errors

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.catalog.session import rows
from schema_kit.errors import DeclarationError, LockNotAvailable, PlanError, SchemaKitError
from schema_kit.execute import Event, StepDone, StepProgress, StepStarted, Waiting
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import Task, task
from schema_kit.script import LockPolicy
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan, Step, conversion
from schema_kit.steps.indexes import CreateIndexConcurrently
from schema_kit.tasks.conversion import Convert
from schema_kit.tasks.conversion import unpartition as plan_unpartition
from tests.support.catalog import about, changes, facts, without_config
from tests.support.conversion import convert, unpartition
from tests.support.database import QUICK, Database
from tests.support.matrix import longer
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]


@pytest.fixture
def roles(database: Database) -> Iterator[tuple[str, str]]:
    """A role that owns tables, and one that reads them: roles belong to the whole server."""
    name = database.sql("SELECT current_database()")[0][0]
    owner, reader = f"{name}_owner", f"{name}_reader"
    for role in (owner, reader):
        database.sql(f"DROP ROLE IF EXISTS {role}", f"CREATE ROLE {role}")
    yield owner, reader
    database.stack.close()
    for role in (owner, reader):
        database.sql(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


# A table with everything

MESSAGE = QualifiedName("app", "message")


def rich(owner: str, reader: str) -> tuple[str, ...]:
    return (
        "CREATE SCHEMA ext",
        "CREATE EXTENSION pg_trgm SCHEMA ext",
        "CREATE SCHEMA app",
        f"GRANT USAGE ON SCHEMA app, ext TO {owner}, {reader}",
        f"GRANT CREATE ON SCHEMA app TO {owner}",
        "CREATE TABLE app.room (id bigint PRIMARY KEY, name text)",
        "INSERT INTO app.room SELECT i, 'room ' || i FROM generate_series(1, 5) i",
        "CREATE TABLE app.log (what text, id bigint)",
        f"GRANT ALL ON app.log, app.room TO {owner}, {reader}",
        """CREATE TABLE app.message (
             id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 3) PRIMARY KEY,
             gone int,
             ticket bigserial NOT NULL,
             at timestamptz NOT NULL DEFAULT now(),
             room_id bigint NOT NULL CONSTRAINT in_room REFERENCES app.room ON DELETE CASCADE,
             second_room bigint REFERENCES app.room DEFERRABLE INITIALLY DEFERRED,
             body text NOT NULL DEFAULT 'empty' CONSTRAINT short CHECK (length(body) < 1000),
             size int GENERATED ALWAYS AS (length(body)) STORED,
             tags jsonb NOT NULL DEFAULT '{}',
             kind text COLLATE "C",
             price numeric(10, 2) CHECK (price >= 0),
             CONSTRAINT ticket_once UNIQUE (ticket, at)
           ) WITH (fillfactor = 80, autovacuum_analyze_scale_factor = 0.02)""",
        "ALTER TABLE app.message DROP COLUMN gone",
        "ALTER TABLE app.message ALTER body SET STATISTICS 300, ALTER tags SET STORAGE EXTERNAL",
        "CREATE INDEX message_partial ON app.message (room_id) WHERE kind = 'bot'",
        "CREATE INDEX message_expression ON app.message (lower(body), (tags ->> 'a'))",
        "CREATE INDEX message_tags ON app.message USING gin (tags jsonb_path_ops) WITH (fastupdate = off)",
        "CREATE INDEX message_words ON app.message USING gin (body ext.gin_trgm_ops)",
        "CREATE INDEX message_include ON app.message (room_id, at DESC NULLS LAST) INCLUDE (kind)",
        "CREATE UNIQUE INDEX message_unique ON app.message (kind, at, id) NULLS NOT DISTINCT",
        "CREATE INDEX message_brin ON app.message USING brin (at)",
        "COMMENT ON TABLE app.message IS 'messages, with ''quotes'' and \\ and ไทย'",
        "COMMENT ON COLUMN app.message.body IS 'what was said'",
        "COMMENT ON INDEX app.message_partial IS 'bots only'",
        "CREATE STATISTICS app.message_stats ON room_id, kind FROM app.message",
        "COMMENT ON CONSTRAINT short ON app.message IS 'no novels'",
        """CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN INSERT INTO app.log VALUES (TG_NAME || ' ' || TG_OP, CASE WHEN TG_LEVEL = 'ROW' THEN NEW.id END);
           RETURN NULL; END $$""",
        "CREATE TRIGGER a_row AFTER INSERT OR UPDATE ON app.message FOR EACH ROW EXECUTE FUNCTION app.note()",
        """CREATE TRIGGER b_when AFTER UPDATE OF body ON app.message FOR EACH ROW
           WHEN (OLD.body IS DISTINCT FROM NEW.body) EXECUTE FUNCTION app.note()""",
        "CREATE TRIGGER c_statement AFTER INSERT ON app.message EXECUTE FUNCTION app.note()",
        "CREATE TRIGGER d_disabled AFTER INSERT ON app.message FOR EACH ROW EXECUTE FUNCTION app.note()",
        "ALTER TABLE app.message DISABLE TRIGGER d_disabled",
        "CREATE TRIGGER e_always AFTER INSERT ON app.message FOR EACH ROW EXECUTE FUNCTION app.note()",
        "ALTER TABLE app.message ENABLE ALWAYS TRIGGER e_always",
        "CREATE TRIGGER f_replica AFTER INSERT ON app.message EXECUTE FUNCTION app.note()",
        "ALTER TABLE app.message ENABLE REPLICA TRIGGER f_replica",
        f"CREATE POLICY seen ON app.message FOR SELECT TO {reader} USING (room_id < 4)",
        f"CREATE POLICY written ON app.message FOR INSERT TO {reader}, {owner} WITH CHECK (true)",
        f"CREATE POLICY changed ON app.message FOR UPDATE TO {reader} USING (true)",
        f"CREATE POLICY all_of_owner ON app.message TO {owner} USING (true)",
        "CREATE POLICY never_secret ON app.message AS RESTRICTIVE USING (kind IS DISTINCT FROM 'secret')",
        "ALTER TABLE app.message ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "COMMENT ON CONSTRAINT ticket_once ON app.message IS 'one each'",
        "COMMENT ON CONSTRAINT message_pkey ON app.message IS 'the key'",
        "COMMENT ON INDEX app.message_pkey IS 'the key''s index'",
        "COMMENT ON CONSTRAINT message_second_room_fkey ON app.message IS 'another room'",
        "COMMENT ON TRIGGER d_disabled ON app.message IS 'not now'",
        "COMMENT ON POLICY seen ON app.message IS 'four rooms'",
        f"ALTER TABLE app.message OWNER TO {owner}",
        f"GRANT SELECT, INSERT ON app.message TO {reader}",
        f"GRANT UPDATE (body, kind) ON app.message TO {reader}",
        f"GRANT DELETE ON app.message TO {reader} WITH GRANT OPTION",
        f"GRANT USAGE ON SEQUENCE app.message_ticket_seq TO {reader}",
        f"GRANT SELECT ON SEQUENCE app.message_id_seq TO {reader} WITH GRANT OPTION",
        "COMMENT ON SEQUENCE app.message_id_seq IS 'by threes'",
        """CREATE VIEW app.recent WITH (security_invoker = on, security_barrier = on) AS
           SELECT m.id, m.at, m.body, r.name FROM app.message m JOIN app.room r ON r.id = m.room_id""",
        "CREATE VIEW app.bodies AS SELECT id, body FROM app.recent",
        f"GRANT SELECT ON app.recent, app.bodies TO {reader}",
        "COMMENT ON VIEW app.recent IS 'a view'",
        """INSERT INTO app.message (at, room_id, body, kind, tags, price)
           SELECT now() - i * interval '1 day', 1 + i % 5, 'body ' || i, CASE WHEN i % 7 = 0 THEN 'secret' END,
                  jsonb_build_object('a', i), i FROM generate_series(1, 200) i""",
        "TRUNCATE app.log",
    )


def behaviour(database: Database, reader: str) -> dict[str, Any]:
    """What an application sees: what it reads, what its writes do, what it is refused."""
    seen: dict[str, Any] = {}
    with psycopg.connect(database.url) as connection:
        connection.execute("DELETE FROM app.log")
        last, ticket = _row(
            connection, "SELECT m.last_value, t.last_value FROM app.message_id_seq m, app.message_ticket_seq t"
        )
        connection.execute(f"SET LOCAL ROLE {reader}".encode())
        for query in ("app.message", "app.recent", "app.bodies"):
            seen[query] = connection.execute(f"SELECT count(*), min(id), max(id) FROM {query}".encode()).fetchone()
        insert = (
            "INSERT INTO app.message (at, room_id, body) VALUES ('2026-03-01', 2, 'new') RETURNING id, ticket, size"
        )
        new = _row(connection, insert)
        seen["inserted"] = new[0] - last, new[1] - ticket, new[2]
        connection.execute("UPDATE app.message SET body = 'longer' WHERE id = %s", [new[0]])
        for name, statement in {
            "no update of another column": "UPDATE app.message SET price = 1",
            "restrictive": "INSERT INTO app.message (room_id, kind) VALUES (1, 'secret')",
            "check": "INSERT INTO app.message (room_id, price) VALUES (1, -1)",
            "foreign key": "INSERT INTO app.message (room_id) VALUES (99)",
            "identity": "INSERT INTO app.message (id, room_id) VALUES (1, 1)",
            "null": "INSERT INTO app.message (room_id, body) VALUES (1, NULL)",
        }.items():
            connection.execute("SAVEPOINT s")
            try:
                seen[name] = connection.execute(statement.encode()).rowcount
            except psycopg.Error as error:
                seen[name] = error.sqlstate, error.diag.constraint_name
            connection.execute("ROLLBACK TO SAVEPOINT s")
        connection.execute("RESET ROLE")
        seen["triggers"] = connection.execute("SELECT what, id - %s FROM app.log ORDER BY ctid", [last]).fetchall()
        connection.execute("DELETE FROM app.room WHERE id = 2")
        connection.execute("SET LOCAL row_security = off")
        seen["cascade"] = connection.execute("SELECT count(*) FROM app.message").fetchone()
        connection.rollback()
    return seen


@pytest.mark.exhaustive
def test_everything_that_belongs_to_a_table_comes_along_and_goes_back(
    database: Database, roles: tuple[str, str]
) -> None:
    owner, reader = roles
    database.sql(*rich(owner, reader))
    acts = behaviour(database, reader)
    assert {what for what, _ in acts["triggers"]} == {
        "a_row INSERT",
        "e_always INSERT",
        "c_statement INSERT",
        "a_row UPDATE",
        "b_when UPDATE",
    }
    before, rows = facts(database), checksum(database, "app.message")

    convert(database, MESSAGE)
    after = facts(database)
    assert checksum(database, "app.message") == rows
    assert behaviour(database, reader) == acts
    assert changes(before, after) == {
        ("constraint", "app.message.message_pkey"),  # it holds the control column now
        ("index", "app.message_pkey"),
    }
    options = "{fillfactor=80,autovacuum_analyze_scale_factor=0.02}"
    leaves = [row[0] for row in database.sql("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")]
    assert len(leaves) >= 2
    assert all(after["physical", f"app.{leaf}"] == f"r | {options} | f" for leaf in leaves)
    assert {after["relation", f"app.{leaf}"].split(" | ")[1] for leaf in leaves} == {owner}

    database.sql(
        f"""INSERT INTO app.message (at, room_id, body)
            SELECT '{boundary(database, "app.message")}'::timestamptz + i * interval '1 hour', 1, 'later ' || i
            FROM generate_series(1, 60) i""",
        "TRUNCATE app.log",
    )
    rows, moved = checksum(database, "app.message"), [row[0] for row in database.sql(POSITIONS)]
    unpartition(database, MESSAGE)
    assert checksum(database, "app.message") == rows
    assert [row[0] for row in database.sql(POSITIONS)] == moved
    back = without_config(facts(database))
    assert changes(before, back, "physical") == {
        ("sequence", "app.message_id_seq"),
        ("sequence", "app.message_ticket_seq"),
    }
    assert back.keys() == before.keys()


POSITIONS = "SELECT last_value FROM app.message_id_seq UNION ALL SELECT last_value FROM app.message_ticket_seq"


def boundary(database: Database, table: str) -> str:
    """Where the first partition ends."""
    found = database.sql(
        f"""SELECT substring(pg_get_expr(relpartbound, oid) FROM 'TO \\(''(.*)''\\)') FROM pg_class
            WHERE oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = '{table}'::regclass)
              AND pg_get_expr(relpartbound, oid) LIKE 'FOR VALUES FROM (MINVALUE)%'"""
    )
    return str(found[0][0])


def _row(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return tuple(row)


# Foreign keys to the table

T = QualifiedName("app", "t")

PLAIN = (
    "CREATE SCHEMA app",
    """CREATE TABLE app.t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
                           at timestamptz NOT NULL DEFAULT now(), body text)""",
)

FAMILY = (
    *PLAIN,
    "INSERT INTO app.t (at, body) SELECT now() - i * interval '1 hour', i FROM generate_series(1, 3000) i",
    """CREATE TABLE app.child (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
         t_id bigint NOT NULL CONSTRAINT of_t REFERENCES app.t ON DELETE CASCADE, note text)""",
    """CREATE TABLE app.friend (
         id bigint PRIMARY KEY, t_id bigint CONSTRAINT likes_t REFERENCES app.t ON DELETE SET NULL)""",
    "INSERT INTO app.child (t_id) SELECT 1 + i % 3000 FROM generate_series(1, 12000) i",
    "INSERT INTO app.friend SELECT i, CASE WHEN i % 2 = 0 THEN i END FROM generate_series(1, 100) i",
)


def test_incoming_foreign_keys_are_refused_by_name(database: Database) -> None:
    database.sql(*FAMILY)
    before = facts(database)
    with pytest.raises(PlanError, match="of_t") as refused:
        convert(database, T)
    assert "likes_t" in str(refused.value)
    assert "app.friend" in str(refused.value)
    assert "composite" in str(refused.value)
    assert facts(database) == before


def test_incoming_foreign_keys_are_dropped_where_that_is_wanted(database: Database) -> None:
    database.sql(*FAMILY)
    before = facts(database)
    convert(database, T, incoming="drop")
    after = facts(database)
    assert {key for key in before.keys() - after.keys() if key[0] == "constraint"} == {
        ("constraint", "app.child.of_t"),
        ("constraint", "app.friend.likes_t"),
    }
    database.sql("INSERT INTO app.child (t_id) VALUES (-1)")


@pytest.mark.exhaustive
def test_incoming_foreign_keys_get_the_key_column(database: Database, roles: tuple[str, str]) -> None:
    _, stranger = roles
    database.sql(*FAMILY, f"GRANT USAGE ON SCHEMA app TO {stranger}", f"GRANT INSERT ON app.child TO {stranger}")
    before = facts(database)
    convert(database, T, incoming="composite")

    progress = [
        event.state
        for event in database.events
        if isinstance(event, StepProgress) and event.step.summary == "fill t_at of app.child"
    ]
    assert len(progress) == 3, "12,000 rows in batches of 5,000"
    wrong = "SELECT count(*) FROM app.{0} c LEFT JOIN app.t ON t.id = c.t_id WHERE c.t_at IS DISTINCT FROM t.at"
    assert database.sql(wrong.format("child")) == database.sql(wrong.format("friend")) == [(0,)]

    # What old code does goes on as before.
    assert database.sql(
        "INSERT INTO app.child (t_id) VALUES (7) RETURNING t_at = (SELECT at FROM app.t WHERE id = 7)"
    ) == [(True,)]
    assert database.sql("INSERT INTO app.friend VALUES (1000, NULL) RETURNING t_at") == [(None,)]
    assert database.sql(
        "UPDATE app.friend SET t_id = 8 WHERE id = 1000 RETURNING t_at = (SELECT at FROM app.t WHERE id = 8)"
    ) == [(True,)]
    assert database.sql("UPDATE app.friend SET t_id = NULL WHERE id = 1000 RETURNING t_at") == [(None,)]
    for table, name in (("child", "of_t"), ("friend", "likes_t")):
        with pytest.raises(errors.ForeignKeyViolation) as orphan:
            database.sql(f"INSERT INTO app.{table} (id, t_id) VALUES (-1, -1)")
        assert orphan.value.diag.constraint_name == name
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"INSERT INTO app.{table} (id, t_id, t_at) VALUES (-1, 7, 'epoch')")
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"UPDATE app.{table} SET t_id = -1 WHERE t_id = 10")

    later = boundary(database, "app.t")
    before_move = database.sql("SELECT tableoid::regclass::text FROM app.t WHERE id = 20")
    database.sql(f"UPDATE app.t SET at = '{later}' WHERE id = 20")
    assert database.sql("SELECT tableoid::regclass::text FROM app.t WHERE id = 20") != before_move
    for table, count in (("child", 4), ("friend", 1)):
        assert database.sql(f"SELECT count(*) FROM app.{table} WHERE t_id = 20 AND t_at = '{later}'") == [(count,)]

    database.sql("DELETE FROM app.t WHERE id IN (20, 30)")
    assert database.sql("SELECT count(*) FROM app.child WHERE t_id IN (20, 30)") == [(0,)]
    assert database.sql("SELECT t_id, t_at FROM app.friend WHERE id IN (20, 30)") == [(None, None)] * 2

    with psycopg.connect(database.url) as connection:
        connection.execute(f"SET ROLE {stranger}".encode())
        connection.execute("INSERT INTO app.child (id, t_id) VALUES (-5, 9)")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT 1 FROM app.t")
        connection.rollback()

    rows = [checksum(database, f"(SELECT id, t_id FROM app.{table})") for table in ("child", "friend")]
    unpartition(database, T)
    back = without_config(facts(database))
    assert changes(before, back, "physical") - {("sequence", "app.child_id_seq")} == set()
    assert rows == [checksum(database, f"(SELECT id, t_id FROM app.{table})") for table in ("child", "friend")]
    with pytest.raises(errors.ForeignKeyViolation):
        database.sql("INSERT INTO app.child (t_id) VALUES (-1)")


def test_keys_are_compared_as_the_foreign_key_does(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA ext",
        "CREATE EXTENSION citext SCHEMA ext",
        "CREATE SCHEMA app",
        "CREATE TABLE app.t (id ext.citext PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id ext.citext REFERENCES app.t)",
        "INSERT INTO app.t VALUES ('Abc')",
        "INSERT INTO app.child VALUES (1, 'ABC')",
    )
    convert(database, T, incoming="composite")
    database.sql("INSERT INTO app.child VALUES (2, 'abC')")
    assert database.sql("SELECT count(*) FROM app.child c JOIN app.t ON t.at = c.t_at") == [(2,)]


@pytest.mark.exhaustive
def test_the_first_insert_beside_the_conversion_is_filled_too(database: Database) -> None:
    database.sql(*FAMILY)

    def while_filling(event: Event) -> None:
        if isinstance(event, StepDone):
            database.sql(
                "INSERT INTO app.child (t_id, note) VALUES (5, 'meanwhile')",
                "UPDATE app.t SET at = at - interval '1 s' WHERE id = 5",
            )

    convert(database, T, incoming="composite", emit=while_filling)
    assert database.sql(
        """SELECT count(*) > 10, bool_and(c.t_at = t.at) FROM app.child c JOIN app.t ON t.id = c.t_id
           WHERE note = 'meanwhile'"""
    ) == [(True, True)]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t ON UPDATE CASCADE)", "ON UPDATE"),
        ("CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t DEFERRABLE)", "DEFERRABLE"),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t ON DELETE SET DEFAULT)",
            "SET DEFAULT",
        ),
        ("ALTER TABLE app.t ADD COLUMN up bigint REFERENCES app.t", "the table's own"),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t) PARTITION BY RANGE (id)",
            "app.t2 is partitioned",
        ),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t, updated_at timestamptz);"
            "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
            "CREATE TRIGGER stamps BEFORE UPDATE ON app.t2 FOR EACH ROW EXECUTE FUNCTION app.f()",
            "trigger stamps of app.t2 would fire",
        ),
        (
            "CREATE TABLE app.t2 (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t);"
            "ALTER TABLE app.t FORCE ROW LEVEL SECURITY",
            "FORCE ROW LEVEL SECURITY",
        ),
    ],
)
def test_foreign_keys_without_a_composite_way_are_named(database: Database, statement: str, words: str) -> None:
    database.sql(*PLAIN, statement)
    before = facts(database)
    with pytest.raises(PlanError, match=words):
        convert(database, T, incoming="composite")
    assert facts(database) == before


# What cannot be converted

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


def test_a_tablespace_of_its_own_is_named(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0] + "_space"
    database.sql(*PLAIN, "CREATE INDEX t_body ON app.t (body)")
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute(f"CREATE TABLESPACE {name} LOCATION ''".encode())
    try:
        database.sql(f"ALTER INDEX app.t_body SET TABLESPACE {name}")
        with pytest.raises(PlanError, match=f"t_body lies in tablespace {name}"):
            convert(database, T)
    finally:
        database.sql("DROP INDEX app.t_body", f"DROP TABLESPACE {name}")
    convert(database, T)


RIGHTS = {
    "the table": ("ALTER TABLE app.t OWNER TO {other}", "app.t belongs to {other}, whose rights {me} lacks"),
    "a view": (
        "CREATE VIEW app.v AS SELECT id FROM app.t; ALTER VIEW app.v OWNER TO {other}",
        "app.v belongs to {other}",
    ),
    "a table that refers to it": (
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t);"
        "ALTER TABLE app.child OWNER TO {other}",
        "app.child belongs to {other}",
    ),
    "a table that it refers to": (
        "CREATE TABLE app.up (id bigint PRIMARY KEY); ALTER TABLE app.t ADD up bigint REFERENCES app.up;"
        "ALTER TABLE app.up OWNER TO {other}",
        "{me} lacks REFERENCES on app.up",
    ),
    "the schema": ("REVOKE CREATE ON SCHEMA app FROM {me}", "{me} lacks CREATE on schema app"),
    "part_config": ("REVOKE UPDATE ON schema_kit.part_config FROM {me}", "{me} lacks UPDATE on schema_kit.part_config"),
    "the database": ("DROP SCHEMA schema_kit CASCADE", "{me} lacks CREATE on database"),
}


@pytest.mark.parametrize("what", RIGHTS)
def test_rights_that_are_missing_are_named_and_nothing_is_changed(
    database: Database, roles: tuple[str, str], what: str
) -> None:
    me, other = roles
    setup, words = (text.replace("{me}", me).replace("{other}", other) for text in RIGHTS[what])
    database.sql(
        *PLAIN,
        *(statement.replace("@schema@", "schema_kit") for statement in load("partman/tables/part_config.sql")),
        f"GRANT ALL ON SCHEMA app, schema_kit TO {me}",
        f"GRANT SELECT, INSERT, UPDATE ON schema_kit.part_config TO {me}",
        f"ALTER TABLE app.t OWNER TO {me}",
        setup,
    )
    before = facts(database)
    connection, op = database.sqlalchemy(), Convert(Partitioning(T, "at", "1 mon"), "drop", "attach")
    connection.exec_driver_sql(f"SET SESSION AUTHORIZATION {me}")
    with pytest.raises(PlanError, match=words):
        execute.run(connection, lambda: op.plan(Catalog(connection)), QUICK, database.events.append)
    assert facts(database) == before


def test_whoever_has_the_rights_and_no_more_converts(database: Database, roles: tuple[str, str]) -> None:
    me, _ = roles
    database.sql(
        *PLAIN,
        "CREATE TABLE app.child (id bigint PRIMARY KEY, t_id bigint REFERENCES app.t)",
        "CREATE VIEW app.v AS SELECT id FROM app.t",
        *(statement.replace("@schema@", "schema_kit") for statement in load("partman/tables/part_config.sql")),
        f"GRANT ALL ON SCHEMA app, schema_kit TO {me}",
        f"GRANT SELECT, INSERT, UPDATE ON schema_kit.part_config TO {me}",
        f"ALTER TABLE app.t OWNER TO {me}",
        f"ALTER TABLE app.child OWNER TO {me}",
        f"ALTER VIEW app.v OWNER TO {me}",
    )
    connection, op = (
        database.sqlalchemy(),
        Convert(Partitioning(T, "at", "1 mon"), "composite", "attach"),
    )
    connection.exec_driver_sql(f"SET SESSION AUTHORIZATION {me}")
    assert execute.run(connection, lambda: op.plan(Catalog(connection)), QUICK, database.events.append)
    connection.exec_driver_sql("INSERT INTO app.t (id) VALUES (1)")
    connection.exec_driver_sql("INSERT INTO app.child VALUES (1, 1)")


@pytest.mark.exhaustive
def test_default_privileges_give_nobody_more(database: Database, roles: tuple[str, str]) -> None:
    owner, reader = roles
    database.sql(
        *PLAIN,
        f"ALTER TABLE app.t OWNER TO {owner}",
        f"GRANT CREATE, USAGE ON SCHEMA app TO {owner}",
        f"GRANT INSERT ON app.t TO {reader}",
        f"GRANT SELECT ON SEQUENCE app.t_id_seq TO {reader}",
        "COMMENT ON SEQUENCE app.t_id_seq IS 'numbers'",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT ALL ON TABLES TO {reader}, PUBLIC",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT ALL ON SEQUENCES TO {reader}, PUBLIC",
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {owner}",
    )
    before = facts(database)
    convert(database, T)
    after = facts(database)
    assert about(before, "app.t", "relation") == about(after, "app.t", "relation")
    assert about(before, "app.t_id_seq", "relation") == about(after, "app.t_id_seq", "relation")
    made = database.sql(
        "SELECT relname, relacl::text FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE 't_p%'"
    )
    assert made
    assert all(reader not in acl and "{=" not in acl and ",=" not in acl for _, acl in made)

    heir = database.sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'app.t'::regclass ORDER BY inhrelid LIMIT 1"
    )[0][0]
    database.sql(
        f"REVOKE INSERT ON app.t FROM {reader}",
        f"GRANT UPDATE (body) ON app.t TO {reader}",
        "ALTER TABLE app.t OWNER TO postgres",
    )
    parent = database.sql("SELECT relowner::regrole::text, relacl::text FROM pg_class WHERE oid = 'app.t'::regclass")
    assert heir.startswith("app.t_before_")
    unpartition(database, T)
    assert parent == database.sql(
        "SELECT relowner::regrole::text, relacl::text FROM pg_class WHERE oid = 'app.t'::regclass"
    )
    assert about(before, "app.t_id_seq", "relation").keys() == about(facts(database), "app.t_id_seq", "relation").keys()


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


# Keys, zones, and a table without rows


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamp(3)", "timestamptz", "timestamptz(0)"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Bangkok", "America/Sao_Paulo"])
def test_keys_of_each_type_are_cut_at_midnight_of_the_zone(database: Database, kind: str, zone: str) -> None:
    database.sql(
        "CREATE SCHEMA app",
        f"CREATE TABLE app.t (id bigint PRIMARY KEY, at {kind} NOT NULL)",
        f"""INSERT INTO app.t SELECT i, (now() AT TIME ZONE '{zone}')::date - i FROM generate_series(0, 99) i""",
    )
    rows = checksum(database, "app.t")
    convert(database, T, interval="7 days", timezone=zone, premake=3)
    assert checksum(database, "app.t") == rows
    bounds = database.sql(
        f"""SELECT (b[1]::timestamptz AT TIME ZONE '{zone}')::text FROM pg_class,
              regexp_matches(pg_get_expr(relpartbound, oid), 'FROM \\(''(.*?)''') b WHERE relispartition"""
        if kind.startswith("timestamptz")
        else """SELECT b[1]::timestamp::text FROM pg_class,
              regexp_matches(pg_get_expr(relpartbound, oid), 'FROM \\(''(.*?)''') b WHERE relispartition"""
    )
    assert bounds
    assert all(moment.endswith(" 00:00:00") for (moment,) in bounds)
    weekdays = database.sql(*(f"SELECT extract(isodow FROM '{moment}'::timestamp)" for (moment,) in bounds))
    assert weekdays == [(1,)]
    # The first and the last moment that the partitions hold, and not one more.
    last = database.sql(
        "SELECT max(substring(pg_get_expr(relpartbound, oid) FROM 'TO \\(''(.*)''')) FROM pg_class WHERE relispartition"
    )[0][0]
    step = "1" if kind == "date" else "interval '1 s'"
    database.sql(f"INSERT INTO app.t VALUES (-1, '{last}'::{kind} - {step})")
    with pytest.raises(errors.CheckViolation):
        database.sql(f"INSERT INTO app.t VALUES (-2, '{last}')")


@pytest.mark.exhaustive
def test_an_empty_table_and_a_second_time(database: Database) -> None:
    database.sql(*PLAIN)
    before = facts(database)
    assert convert(database, T)
    after = facts(database)
    assert convert(database, T) == ()
    assert facts(database) == after
    unpartition(database, T)
    assert changes(before, without_config(facts(database)), "physical") == set()
    assert unpartition(database, T) == ()


@pytest.mark.exhaustive
def test_the_policy_is_registered_and_brought_up_to_date_but_for_its_premake(database: Database) -> None:
    database.sql(*PLAIN)
    convert(database, T, premake=2)
    policy = "SELECT control, partition_interval, premake, timezone FROM schema_kit.part_config"
    assert database.sql(policy) == [("at", "1 mon", 2, "UTC")]
    database.sql("UPDATE schema_kit.part_config SET premake = 6")
    assert convert(database, T, premake=2) == (), "a premake that somebody has changed since is theirs"
    database.sql("UPDATE schema_kit.part_config SET timezone = 'Asia/Bangkok', automatic_maintenance = 'off'")
    assert len(convert(database, T, premake=2)) == 1
    assert convert(database, T, premake=2) == ()
    assert database.sql(policy) == [("at", "1 mon", 6, "UTC")]
    unpartition(database, T)
    assert database.sql(policy) == []


def test_what_the_database_sets_for_its_sessions_changes_nothing(database: Database) -> None:
    name = database.sql("SELECT current_database()")[0][0]
    found = []
    for settings in ("", "strange"):
        database.sql(
            *PLAIN,
            """INSERT INTO app.t (at)
               SELECT timestamptz '2026-02-03 23:30+00' + i * interval '1 day' FROM generate_series(1, 9) i""",
        )
        if settings:
            for setting in (
                "TimeZone = 'Asia/Kathmandu'",
                "DateStyle = 'SQL, DMY'",
                "IntervalStyle = 'sql_standard'",
                "search_path = 'nowhere'",
            ):
                database.sql(f"ALTER DATABASE {name} SET {setting}")
            assert database.sql("SHOW DateStyle") == [("SQL, DMY",)]
        convert(database, T, timezone="Asia/Bangkok")
        found.append(facts(database))
        database.sql("DROP SCHEMA app, schema_kit CASCADE")
    assert found[0] == found[1]


# Stopped, altered, blocked


def scene() -> tuple[str, ...]:
    return (
        *FAMILY,
        "CREATE TABLE app.room (id bigint PRIMARY KEY)",
        "ALTER TABLE app.t ADD room bigint REFERENCES app.room",
        "CREATE INDEX t_body ON app.t (body)",
        "COMMENT ON TABLE app.t IS 'a table'",
        "CREATE VIEW app.v AS SELECT id, at FROM app.t",
    )


def anew(database: Database, *statements: str) -> None:
    """The same schema once more, in the same database."""
    database.sql("DROP SCHEMA IF EXISTS app, schema_kit CASCADE", *statements)


class Stopped(Exception):
    """Somebody pulled the plug."""


def stopping_after(count: int) -> Callable[[Event], None]:
    """An emit that raises when that many steps are done."""
    done = 0

    def emit(event: Event) -> None:
        nonlocal done
        done += isinstance(event, StepDone)
        if done == count and isinstance(event, StepDone):
            raise Stopped

    return emit


@pytest.mark.deep
def test_a_conversion_goes_on_from_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    rows = checksum(database, "app.t")
    steps = convert(database, T, incoming="composite")
    whole = facts(database)
    assert len(steps) >= 12
    for count in range(1, len(steps)):
        anew(database, *scene())
        with pytest.raises(Stopped):
            convert(database, T, incoming="composite", emit=stopping_after(count))
        convert(database, T, incoming="composite")
        assert facts(database) == whole, f"stopped after {count}: {steps[count - 1].summary}"
        assert checksum(database, "app.t")[0] == rows[0]
        assert convert(database, T, incoming="composite") == ()


@pytest.mark.exhaustive
def test_a_conversion_is_given_up_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    steps = convert(database, T, incoming="composite")
    swap = next(place for place, step in enumerate(steps) if isinstance(step, conversion.Swap))
    for count in range(1, swap + 1):
        anew(database, *scene())
        before = facts(database)
        with pytest.raises(Stopped):
            convert(database, T, incoming="composite", emit=stopping_after(count))
        unpartition(database, T)
        left = without_config(facts(database))
        assert left.keys() == before.keys(), f"stopped after {count}: {steps[count - 1].summary}"
        assert changes(before, left, "physical") - {("sequence", "app.t_id_seq")} == set()
        assert unpartition(database, T) == ()


def test_giving_up_leaves_what_is_not_a_conversions(database: Database) -> None:
    database.sql(
        *PLAIN,
        "CREATE TABLE app.t__new (id bigint, at timestamptz) PARTITION BY RANGE (at)",
        "CREATE UNIQUE INDEX t__key ON app.t (id, at)",
        "ALTER TABLE app.t ADD CONSTRAINT schema_kit_bound CHECK (id > 0)",
    )
    before = facts(database)
    assert unpartition(database, T) == ()
    assert facts(database) == before


def test_daily_partitions_leave_time_to_swap(database: Database) -> None:
    database.sql(*PLAIN)
    with pytest.raises(Stopped):
        convert(database, T, interval="1 day", emit=stopping_after(3))
    database.sql("INSERT INTO app.t (at) VALUES (now() + interval '14 days')")
    database.sql("DELETE FROM app.t")
    convert(database, T, interval="1 day")
    upper = boundary(database, "app.t")
    assert database.sql(f"SELECT '{upper}' > now() + interval '14 days', '{upper}' < now() + interval '17 days'") == [
        (True, True)
    ]


@pytest.mark.exhaustive
def test_stopped_after_each_step_in_turn(database: Database) -> None:
    database.sql(*scene())
    steps = convert(database, T, incoming="composite")
    whole = facts(database)
    anew(database, *scene())
    stops = 0
    while True:
        try:
            convert(database, T, incoming="composite", emit=stopping_after(1))
            break
        except Stopped:
            stops += 1
            assert stops <= 2 * len(steps)
    assert facts(database) == whole


@pytest.mark.exhaustive
def test_the_way_back_goes_on_from_wherever_it_was_stopped(database: Database) -> None:
    database.sql(*scene())
    whole = facts(database)
    convert(database, T, incoming="composite")
    count = 0
    while True:
        count += 1
        connection = database.sqlalchemy()
        try:
            decide = partial(plan_unpartition, Catalog(connection), T)
            execute.run(connection, decide, QUICK, stopping_after(1))
            break
        except Stopped:
            assert count < 20
    assert count > 2
    assert changes(whole, without_config(facts(database)), "physical") == set()


def until(kind: type[Step]) -> Callable[[Event], None]:
    """An emit that raises when a step of that class is about to be sent."""

    def emit(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, kind):
            raise Stopped

    return emit


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE app.t ADD COLUMN more text DEFAULT 'more' CHECK (more <> '')",
        "CREATE INDEX t_room ON app.t (room, body)",
        "ALTER TABLE app.t DROP COLUMN room",
        "ALTER TABLE app.t ALTER body SET DEFAULT 'other'",
        "GRANT SELECT ON app.t TO PUBLIC",
    ],
)
def test_a_table_that_changes_in_the_middle_has_its_parent_built_again(database: Database, change: str) -> None:
    database.sql(*scene(), change)
    convert(database, T, incoming="drop")
    whole = facts(database)
    anew(database, *scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(conversion.Swap))
    database.sql(change)
    steps = convert(database, T, incoming="drop")
    assert any(isinstance(step, conversion.DropBuiltParent) for step in steps)
    assert facts(database) == whole


def test_a_change_right_before_the_swap_is_seen(database: Database) -> None:
    database.sql(*scene())

    def alter(event: Event) -> None:
        if isinstance(event, StepDone) and isinstance(event.step, conversion.BuildParent) and not altered:
            altered.append(True)
            database.sql("ALTER TABLE app.t ADD COLUMN more text")

    altered: list[bool] = []
    convert(database, T, incoming="drop", emit=alter)
    assert altered
    database.sql("INSERT INTO app.t (more) VALUES ('x')")


def test_a_build_that_was_ended_in_the_middle_is_done_again(database: Database) -> None:
    database.sql(*scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(CreateIndexConcurrently))
    holder = database.connect(autocommit=False)
    holder.execute("LOCK TABLE app.t IN ROW EXCLUSIVE MODE")
    connection, build = (
        database.sqlalchemy(),
        Convert(Partitioning(T, "at", "1 mon", premake=2), "drop", "attach"),
    )
    pid = rows(connection, "SELECT pg_backend_pid()")[0][0]

    def end(over: Callable[[], bool]) -> None:
        waits = f"SELECT 1 FROM pg_locks WHERE pid = {pid} AND NOT granted AND locktype = 'virtualxid'"
        end = time.monotonic() + 30
        while not over() and not database.sql(waits) and time.monotonic() < end:
            time.sleep(0.01)
        database.sql(f"SELECT pg_terminate_backend({pid})")

    with threads(end) as raised, pytest.raises(SchemaKitError, match="terminating connection"):
        execute.run(connection, lambda: build.plan(Catalog(connection)), QUICK, database.events.append)
    assert raised == []
    holder.rollback()
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.t__key'::regclass") == [(False,)]
    convert(database, T, incoming="drop")
    assert database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


HASTY = LockPolicy(first=20, longest=40, attempts=3)


@pytest.mark.exhaustive
def test_who_holds_the_lock_is_named_and_then_it_goes_on(database: Database) -> None:
    database.sql(*PLAIN)
    holder = database.connect(autocommit=False)
    holder.execute("SET application_name = 'the holder'")
    holder.execute("LOCK TABLE app.t IN ACCESS SHARE MODE")
    with pytest.raises(LockNotAvailable) as refused:
        convert(database, T, policy=HASTY)
    assert len(refused.value.blockers) == 1
    assert f"pid {holder.info.backend_pid} (the holder): AccessShareLock on app.t" in refused.value.blockers[0]
    assert "idle in transaction" in refused.value.blockers[0]
    assert str(holder.info.backend_pid) in str(refused.value)

    freed: list[Event] = []

    def free(event: Event) -> None:
        if isinstance(event, Waiting) and not freed:
            freed.append(event)
            holder.rollback()

    convert(database, T, emit=free)
    assert freed
    assert database.sql("SELECT relkind FROM pg_class WHERE oid = 'app.t'::regclass") == [("p",)]


@pytest.mark.exhaustive
def test_a_swap_that_cannot_have_its_locks_leaves_the_table_open(database: Database) -> None:
    database.sql(*scene())
    with pytest.raises(Stopped):
        convert(database, T, incoming="drop", emit=until(conversion.Swap))
    holder = database.connect(autocommit=False)
    holder.execute("SELECT 1 FROM app.child LIMIT 1")
    with pytest.raises(LockNotAvailable, match="swap"):
        convert(database, T, incoming="drop", policy=HASTY)
    database.sql("SET lock_timeout = '1s'", "INSERT INTO app.t (body) VALUES ('goes on')")
    holder.rollback()
    convert(database, T, incoming="drop")


def test_a_prepared_transaction_that_holds_the_lock_is_named(database: Database) -> None:
    database.sql(*PLAIN)
    name = database.sql("SELECT current_database()")[0][0] + " it's prepared"
    holder = database.connect(autocommit=False)
    holder.execute("INSERT INTO app.t (body) VALUES ('x')")
    holder.execute(f"PREPARE TRANSACTION {psycopg.sql.quote(name)}".encode())
    holder.rollback()
    try:
        with pytest.raises(LockNotAvailable) as refused:
            convert(database, T, policy=HASTY)
        assert f"prepared transaction {psycopg.sql.quote(name)}" in refused.value.blockers[0]
    finally:
        database.sql(f"ROLLBACK PREPARED {psycopg.sql.quote(name)}")
    convert(database, T)


# Beside writers


@contextmanager
def threads(*works: Callable[[Callable[[], bool]], None]) -> Iterator[list[BaseException]]:
    """Run each until the block ends; what they raise is kept."""
    over, raised = threading.Event(), list[BaseException]()

    def guarded(work: Callable[[Callable[[], bool]], None]) -> None:
        try:
            work(over.is_set)
        except BaseException as error:
            raised.append(error)

    running = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in running:
        thread.start()
    try:
        yield raised
    finally:
        over.set()
        for thread in running:
            thread.join()


@pytest.mark.exhaustive
def test_writers_fail_nowhere_and_wait_for_no_longer_than_the_budget(database: Database) -> None:
    database.sql(
        *scene(),
        "CREATE TABLE app.control (id bigint PRIMARY KEY, body text)",
        "INSERT INTO app.control SELECT id, body FROM app.t",
    )
    waits: list[float] = []
    writes: list[int] = []

    def write(number: int) -> Callable[[Callable[[], bool]], None]:
        def work(over: Callable[[], bool]) -> None:
            with psycopg.connect(database.url, autocommit=True) as connection:
                count = 0
                while not over():
                    count += 1
                    own = 1 + (count * 4 + number) % 2900  # no two writers touch the same row
                    with connection.transaction():
                        match count % 3:
                            case 0:
                                row = connection.execute(
                                    "INSERT INTO app.t (body) VALUES (%s) RETURNING id, body", [f"n{number}"]
                                ).fetchone()
                                connection.execute("INSERT INTO app.control VALUES (%s, %s)", row)
                            case 1:
                                for table in ("t", "control"):
                                    connection.execute(
                                        f"UPDATE app.{table} SET body = body || '.' WHERE id = {own}".encode()
                                    )
                            case _:
                                for table in ("t", "control"):
                                    connection.execute(
                                        f"DELETE FROM app.{table} WHERE id = {own} AND id > 2000".encode()
                                    )
                    time.sleep(0.002)
                writes.append(count)

        return work

    def probe(over: Callable[[], bool]) -> None:
        with psycopg.connect(database.url, autocommit=True) as connection:
            while not over():
                started = time.monotonic()
                connection.execute("UPDATE app.t SET body = body WHERE id = 2950")
                waits.append(time.monotonic() - started)
                time.sleep(0.001)

    with threads(*(write(number) for number in range(3)), probe) as raised:
        convert(database, T, incoming="composite", policy=LockPolicy(first=50, longest=200, attempts=60))
        time.sleep(0.3)
    assert raised == []
    assert len(writes) == 3
    assert min(writes) > 10
    assert max(waits) < QUICK.longest / 1000 + 1
    difference = "SELECT id, body FROM app.t EXCEPT SELECT id, body FROM app.control"
    assert database.sql(difference) == []
    assert database.sql("SELECT count(*) FROM app.t") == database.sql("SELECT count(*) FROM app.control")
    stale = "SELECT count(*) FROM app.{0} c JOIN app.t ON t.id = c.t_id WHERE c.t_at IS DISTINCT FROM t.at"
    assert database.sql(stale.format("child")) == database.sql(stale.format("friend")) == [(0,)]


KEYED = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (tenant int, at timestamptz, body text, PRIMARY KEY (tenant, at))",
    "CREATE INDEX t_body ON app.t (body)",
    "CREATE TABLE app.note (id int PRIMARY KEY, tenant int, at timestamptz, "
    "CONSTRAINT about FOREIGN KEY (tenant, at) REFERENCES app.t ON DELETE CASCADE)",
    "INSERT INTO app.t SELECT i % 5, now() - i * interval '1 hour', 'b' || i FROM generate_series(1, 500) i",
    "INSERT INTO app.note SELECT row_number() OVER (), tenant, at FROM app.t LIMIT 100",
)
IDS = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)",
    "CREATE INDEX t_body ON app.t (body)",
    "CREATE TABLE app.note (id int PRIMARY KEY, t_id bigint, "
    "CONSTRAINT about FOREIGN KEY (t_id) REFERENCES app.t ON DELETE CASCADE)",
    "INSERT INTO app.t (body) SELECT 'b' || i FROM generate_series(1, 500) i",
    "INSERT INTO app.note SELECT i, i FROM generate_series(1, 100) i",
)


@pytest.mark.parametrize(("made", "control", "interval"), [(KEYED, "at", "1 month"), (IDS, "id", "100")])
@pytest.mark.parametrize("stop", longer(range(1, 9), 1, 2, 4, 5, 7, 8))
def test_a_primary_key_that_holds_the_control_column_stays_as_it_is(
    database: Database, made: tuple[str, ...], control: str, interval: str, stop: int
) -> None:
    database.sql(*made)
    plain, content = facts(database), checksum(database, "app.t")
    connection = database.sqlalchemy()
    forth = Convert(Partitioning(T, control, interval, premake=2), "refuse", "attach").plan
    for plan in (forth, task(plan_unpartition, T, keep_primary_key=True)):
        done: list[Event] = []

        def count(event: Event, done: list[Event] = done) -> None:
            done += [event] if isinstance(event, StepDone) else []
            if len(done) == stop:
                raise Stopped

        def decide(plan: Task = plan) -> Plan:
            return plan(Catalog(connection))

        with suppress(Stopped):
            execute.run(connection, decide, QUICK, count)
        execute.run(connection, decide, QUICK, done.append)
        assert checksum(database, "app.t") == content
        assert database.sql("SELECT conname, convalidated FROM pg_constraint WHERE conname = 'about'") == [
            ("about", True)
        ]
        orphan = "(999, 99999)" if made is IDS else "(999, 9, now())"
        with pytest.raises(errors.ForeignKeyViolation):
            database.sql(f"INSERT INTO app.note VALUES {orphan}")
        new = "(body) VALUES ('new')" if made is IDS else "VALUES (9, now() + interval '5 weeks', 'new')"
        database.sql(f"INSERT INTO app.t {new}", "DELETE FROM app.t WHERE body = 'new'")
        if plan is forth:
            assert database.sql("SELECT pg_get_partkeydef('app.t'::regclass)") == [(f"RANGE ({control})",)]
            assert decide() == Plan(decide().title), "done is done"
    after = without_config(facts(database))
    position = ("sequence", "app.t_id_seq")
    assert {key: text for key, text in after.items() if key != position} == {
        key: text for key, text in plain.items() if key != position
    }
