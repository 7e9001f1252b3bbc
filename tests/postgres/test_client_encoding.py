"""A database that is set to an encoding that has not the letters of its own names: the commands read and write them."""

from __future__ import annotations

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
