"""Rows leave tables of every shape: keys, names, settings, generated columns, partitions, references."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema_kit.names import QualifiedName
from schema_kit.plans.rows import Leaving
from tests.support.database import Database
from tests.support.rows import ARCHIVES, BROKEN, NOW, SESSIONS, SMALL, TABLE, TREE, C, leaving, name, run
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.ttl, pytest.mark.majors]

C_MESSAGES = name("c.messages")


@pytest.mark.parametrize(
    "key", ["PRIMARY KEY (id, word)", "PRIMARY KEY (word COLLATE_C)", "UNIQUE (id)"], ids=["composite", "text", "none"]
)
def test_whatever_the_key(database: Database, key: str) -> None:
    word = 'text COLLATE "C"' if "COLLATE_C" in key else "text"
    database.sql(
        f"CREATE TABLE t (id bigint, at timestamptz, word {word}, {key.replace(' COLLATE_C', '')})",
        "CREATE INDEX ON t (at DESC, id)",
        f"INSERT INTO t SELECT i, '{NOW}', 'ก''\\' || i FROM generate_series(1, 95) i",
        "INSERT INTO t SELECT i, 'infinity', 'w' || i FROM generate_series(96, 99) i",
    )
    assert run(database, leaving("t")) == 10
    assert database.sql("SELECT count(*), min(id) FROM t") == [(4, 96)]
    if "PRIMARY" in key:
        assert run(database, leaving("t", "id > 0", None)) == 1
        assert database.sql("SELECT count(*) FROM t") == [(0,)]


def test_names_that_need_quotes(database: Database) -> None:
    odd = '"Sch ""e.ma"'
    database.sql(
        f"CREATE SCHEMA {odd}",
        f'CREATE TABLE {odd}."Ta\'ble%s" ("I d" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "เวลา" timestamp)',
        f'CREATE TABLE {odd}."เด็ก" ("I d" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "O f" uuid REFERENCES '
        f'{odd}."Ta\'ble%s" ON DELETE CASCADE)',
        f'CREATE INDEX ON {odd}."เด็ก" ("O f")',
        f'CREATE INDEX ON {odd}."Ta\'ble%s" ("เวลา")',
        f"INSERT INTO {odd}.\"Ta'ble%s\" (\"เวลา\") SELECT '2026-01-01'::timestamp + i * interval '1 day' "
        "FROM generate_series(1, 30) i",
        f'INSERT INTO {odd}."เด็ก" ("O f") SELECT "I d" FROM {odd}."Ta\'ble%s"',
    )
    table = QualifiedName('Sch "e.ma', "Ta'ble%s")
    run(database, Leaving(table, "\"เวลา\" <= '2026-01-20'", "เวลา", tree={"เด็ก": {}}, pace=SMALL))
    assert database.sql(f'SELECT count(*) FROM {odd}."เด็ก"') == [(11,)]
    assert database.sql(f'SELECT count(*) FROM {odd}."Ta\'ble%s"') == [(11,)]


def test_under_a_session_with_settings_of_its_own(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    name = database.sql("SELECT quote_ident(current_database())")[0][0]  # a role has other tests next to this one
    for setting in ("DateStyle = 'SQL, DMY'", "TimeZone = 'Asia/Kolkata'"):
        database.sql(f"ALTER DATABASE {name} SET {setting}")
    assert database.sql("SELECT current_setting('TimeZone')") == [("Asia/Kolkata",)]
    run(database, replace(SESSIONS, archives=C))
    with database.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'")
        due = f"SELECT count(*) FILTER (WHERE expires_at <= '{NOW}+00'), count(*) FROM c.sessions"
        assert plain.execute(due.encode()).fetchone() == (0, 24)


def test_identity_and_generated_columns(database: Database) -> None:
    database.sql(*TREE, *ARCHIVES)
    run(database, replace(SESSIONS, archives=C))
    assert database.sql("SELECT bool_and(id < 41) FROM c.sessions_archive") == [(True,)]
    database.sql(*TABLE, "CREATE TABLE plain AS SELECT * FROM t WHERE false")
    before = checksum(database, "t")
    run(database, leaving("t", archives={name("t"): name("plain")}))
    assert checksum(database, "t", "plain") == before


def test_a_partitioned_table_by_its_key(database: Database) -> None:
    database.sql(*TREE, "CREATE INDEX ON c.messages (at)", *ARCHIVES)
    before = checksum(database, "c.messages", columns="id")
    one = Leaving(C_MESSAGES, "at <= '2026-08-01'", "at", archives=C, pace=SMALL)
    assert run(database, one) > 18
    assert checksum(database, "c.messages", "c.messages_archive", columns="id") == before
    assert database.sql("SELECT count(*) FROM c.messages WHERE at <= '2026-08-01'") == [(0,)]
    assert database.sql(BROKEN) == [(0,)]


def test_those_that_inherit_are_left_alone(database: Database) -> None:
    database.sql(*TABLE, "CREATE TABLE heir () INHERITS (t)", "INSERT INTO heir (id, at) SELECT id, at FROM t")
    run(database, leaving("t"))
    assert database.sql("SELECT count(*) FROM heir") == [(200,)]


def test_references_that_may_be_emptied_are(database: Database) -> None:
    database.sql(*TABLE, "CREATE TABLE notes (t bigint REFERENCES t ON DELETE SET NULL)", "CREATE INDEX ON notes (t)")
    database.sql("INSERT INTO notes SELECT id FROM t")
    run(database, leaving("t", tree={}))
    assert database.sql("SELECT count(*), count(t) FROM notes") == [(200, 100)]


def test_it_ends_where_rows_stay(database: Database) -> None:
    """More rows of one moment than a batch has stay, before and behind others that go."""
    database.sql(
        *TABLE,
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER keep BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.word = 'kept') EXECUTE FUNCTION keep()",
        "INSERT INTO t (id, at, word) SELECT 1000 + i, '2026-01-01', 'kept' FROM generate_series(1, 25) i",
        "INSERT INTO t (id, at, word) SELECT 2000 + i, '2026-01-01', 'goes' FROM generate_series(1, 25) i",
        f"INSERT INTO t (id, at, word) SELECT 3000 + i, '{NOW}', 'kept' FROM generate_series(1, 25) i",
    )
    run(database, leaving("t"))
    assert database.sql(f"SELECT word, count(*) FROM t WHERE at <= '{NOW}' GROUP BY word") == [("kept", 50)]
