"""Plain tables become partitioned and plain again, with all that belongs to them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from schema_kit.names import QualifiedName
from tests.support.catalog import changes, facts, without_config
from tests.support.conversion import boundary, convert, unpartition
from tests.support.database import Database
from tests.support.tables import checksum

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

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


def _row(connection: psycopg.Connection[Any], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return tuple(row)
