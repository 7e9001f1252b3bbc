"""A database that is set to an encoding that has not the letters of its own names: the commands read and write them."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.cli, pytest.mark.majors]


def test_names_that_the_database_s_encoding_has_not(database: Database) -> None:
    database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.ตาราง (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET client_encoding = LATIN1', current_database()); END $$",
    )
    converted = shell(database, "partitions", "convert", "s.ตาราง", "--control", "at", "--interval", "1 month", "--yes")
    assert converted.returncode == 0, converted.stderr
    checked = shell(database, "partitions", "check", "s.ตาราง")
    assert checked.returncode == 0, checked.stderr
    with database.connect() as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        found = connection.execute("SELECT relkind FROM pg_class WHERE relname = 'ตาราง'").fetchall()
    assert found == [("p",)]


def test_a_name_that_is_not_utf8_is_a_sentence(database: Database) -> None:
    """A database in SQL_ASCII takes any bytes for a name."""
    name = f"{database.sql('SELECT current_database()')[0][0]}_ascii"
    locale = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    database.sql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 {locale}")
    other = Database(database.url.replace(f"/{name.removesuffix('_ascii')}?", f"/{name}?"), database.stack)
    try:
        with psycopg.connect(other.url, autocommit=True, client_encoding="latin1") as connection:
            connection.execute("CREATE TABLE caf\xe9 (id bigint PRIMARY KEY)")
        for words in ("health", "status"):
            done = shell(other, *words.split())
            assert done.returncode == 1, done.stdout
            assert "the encoding of this database is SQL_ASCII, and a name or a text in it is not UTF-8" in done.stderr
        assert "wrong  encoding" in shell(other, "doctor").stdout
    finally:
        while other._idle:
            other._idle.pop().close()
        database.sql(f"DROP DATABASE {name} WITH (FORCE)")
