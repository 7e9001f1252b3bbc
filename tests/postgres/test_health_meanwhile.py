"""``schema_kit health`` while others work: locks that they hold, what a role lacks, a transaction that is prepared."""

from __future__ import annotations

import json
import threading

import pytest

from schema_kit.health import observe, statements
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.health import health

pytestmark = [pytest.mark.health, pytest.mark.cli, pytest.mark.majors]


def test_who_holds_every_lock_stops_nothing_and_is_waited_for_briefly(database: Database) -> None:
    database.sql(
        "CREATE TABLE t (id bigserial PRIMARY KEY, v int)",
        "CREATE TABLE other (id bigint PRIMARY KEY, v int REFERENCES t)",
        *(f"CREATE INDEX {table}_{n} ON {table} (v) WHERE v > 0" for n in range(2) for table in ("t", "other")),
        "CREATE INDEX ON other (v)",
        "CREATE PUBLICATION p FOR TABLE t",
    )
    holding = database.connect(autocommit=False)
    holding.execute("LOCK TABLE t")
    holding.execute("ALTER SEQUENCE t_id_seq INCREMENT 2")
    done = shell(database, "health", "--format", "json", "--ignore", "setting_unsafe")
    told = json.loads(done.stdout)
    assert [(one["code"], one["table"]) for one in told["findings"]] == [("index_duplicate", "public.other")]
    said = "public.t was not seen: session", "how far sequences are was not seen"
    assert all(any(each in one for one in told["not_seen"]) for each in said)
    holding.rollback()
    told = json.loads(shell(database, "health", "--format", "json").stdout)
    assert told["not_seen"] == [statements.MISSING]


def test_what_a_role_without_rights_did_not_see_is_reported(database: Database) -> None:
    role = f"sk_health_{database.sql('SELECT current_database()')[0][0]}"
    database.sql(
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN",
        "CREATE SCHEMA closed",
        "CREATE TABLE closed.t (id int PRIMARY KEY, v int)",
        "CREATE INDEX v_1 ON closed.t (v)",
        "CREATE INDEX v_2 ON closed.t (v)",
    )
    try:
        done = shell(database.url.replace("postgres@", f"{role}@"), "health", "--ignore", "setting_unsafe")
        assert (done.returncode, done.stdout.count("[index_duplicate]")) == (4, 1), done.stderr
        assert f'GRANT pg_monitor TO "{role}";' in done.stderr
        assert "statistics of the columns of 1 tables were not seen" in done.stderr
        database.sql(f"GRANT pg_monitor TO {role}", f"GRANT USAGE ON SCHEMA closed TO {role}")
        database.sql(f"GRANT SELECT ON closed.t TO {role}")
        done = shell(database.url.replace("postgres@", f"{role}@"), "health", "--ignore", "setting_unsafe")
        assert "not seen" not in done.stderr, done.stderr
    finally:
        database.sql(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_session_that_waits_is_seen_with_who_is_in_its_way(database: Database) -> None:
    database.sql("CREATE TABLE t (id bigint PRIMARY KEY)")
    holding, waiting = database.connect(autocommit=False), database.connect(autocommit=False)
    holding.execute("LOCK TABLE t")
    waiting.execute("SET statement_timeout = '20s'")
    pids = holding.info.backend_pid, waiting.info.backend_pid
    thread = threading.Thread(target=lambda: waiting.execute("SELECT 1 FROM t"))
    thread.start()
    connection, seen = database.sqlalchemy(), set[tuple[str, int, tuple[int, ...]]]()
    try:
        while not any(kind == "waiting" for kind, _, _ in seen):
            found = observe.read(connection, None).server.sessions
            seen = {(one.kind, one.pid, one.blocked_by) for one in found}
    finally:
        holding.rollback()
        thread.join()
    assert {("waiting", pids[1], (pids[0],)), ("idle in transaction", pids[0], ())} <= seen
    assert health(database) == []
