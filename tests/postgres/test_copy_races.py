"""Rows that change faster than a copy looks do not end it: the log is replayed again, at once, until it is short."""

from __future__ import annotations

import threading

import pytest

from schema_kit.model import Partitioning
from schema_kit.model.copying import BACKLOG
from schema_kit.names import QualifiedName
from schema_kit.plans import copying
from schema_kit.tasks.conversion import Convert
from tests.support.database import Database

pytestmark = [pytest.mark.conversion, pytest.mark.majors]

TABLE = """
CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL, n int, code int UNIQUE DEFERRABLE);
ALTER TABLE t DROP CONSTRAINT t_code_key;
CREATE INDEX ON t (n);
INSERT INTO t SELECT i, timestamptz '2026-10-01+00' + i * interval '1 hour', 0, i FROM generate_series(1, 500) i;
"""


@pytest.mark.exhaustive
def test_a_busy_table_is_copied(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog of one key asks for another replay, and some twenty looks in a row find one."""
    database.sql(TABLE)
    rounds, ended = iter(range(20)), threading.Event()
    real = BACKLOG

    def write() -> None:
        with database.connect() as connection:
            while not ended.is_set():
                connection.execute("UPDATE t SET n = n + 1 WHERE id = 1 + (random() * 400)::int")

    class Backlog(int):
        """Hardly any at first, then what it is."""

        def __lt__(self, other: int) -> bool:
            return (0 if next(rounds, None) is not None else real) < other

    monkeypatch.setattr(copying, "BACKLOG", Backlog(real))
    writer = threading.Thread(target=write)
    writer.start()
    try:
        op = Convert(Partitioning(QualifiedName("public", "t"), "at", "1 mon"), "refuse", "copy")
        database.run(op.plan)
    finally:
        ended.set()
        writer.join()
    assert next(rounds, None) is None
    assert database.sql("SELECT count(*), relkind FROM t, pg_class WHERE oid = 't'::regclass GROUP BY 2") == [
        (500, "p")
    ]
