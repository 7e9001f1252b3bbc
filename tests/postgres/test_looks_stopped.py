"""A client that is stopped in the middle of a look releases the tables that it reads, and of its snapshot."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from schema_kit.catalog import scratch
from schema_kit.catalog.session import observing, rows
from schema_kit.names import QualifiedName
from tests.support.database import Database

pytestmark = [pytest.mark.steps, pytest.mark.majors]

SHOWN = "SELECT current_setting('idle_in_transaction_session_timeout')"


def shown(connection: Connection) -> str:
    return str(rows(connection, SHOWN)[0][0])


def test_the_server_ends_a_look_that_goes_on_no_more(database: Database) -> None:
    connection = database.sqlalchemy()
    before = shown(connection)
    with observing(connection):
        assert shown(connection) == "1min"
    assert shown(connection) == before


def test_so_does_it_of_what_is_tried_on_a_copy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.sql("CREATE TABLE t (id int)")
    connection, seen = database.sqlalchemy(), list[str]()
    of_copy = scratch.printed

    def printed(connection: Connection, sql: str) -> tuple[object, ...]:
        seen.append(shown(connection))
        return of_copy(connection, sql)

    monkeypatch.setattr(scratch, "printed", printed)
    assert scratch.check_definition(connection, QualifiedName("public", "t"), "id > 0") == "CHECK ((id > 0))"
    assert seen == ["1min"]


def test_a_transaction_of_the_callers_keeps_its_own(database: Database) -> None:
    connection = database.sqlalchemy().execution_options(isolation_level="READ COMMITTED")
    connection.execute(text("SET idle_in_transaction_session_timeout = '7s'"))
    with observing(connection):
        assert shown(connection) == "7s"
    assert shown(connection) == "7s"
    connection.rollback()
