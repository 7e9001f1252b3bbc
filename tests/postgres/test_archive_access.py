"""An archive shows no more than its table: made with what that has, held against it, refused where it is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import execute, op
from schema_kit.errors import ExecutionError
from schema_kit.steps import Step, archives
from schema_kit.steps.archives import AttachMoved, MovePartitionAcross, RecordMove
from schema_kit.steps.rows import RemoveRows
from tests.support.archives import build, run
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import thinned

pytestmark = [pytest.mark.archives, pytest.mark.majors]

RIGHTS = """
SELECT relowner::regrole::text, relrowsecurity, relforcerowsecurity,
       (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(relacl, acldefault('r', relowner))) a),
       (SELECT array_agg(attname || attacl::text ORDER BY attname) FROM pg_attribute WHERE attrelid = c.oid),
       (SELECT array_agg((polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, c.oid))::text ORDER BY polname)
        FROM pg_policy WHERE polrelid = c.oid)
FROM pg_class c WHERE oid = 's.{}'::regclass
"""
SECURED = (
    "CREATE POLICY mine ON s.t FOR SELECT TO {reader} USING (id > 3)",
    "CREATE POLICY narrow ON s.t AS RESTRICTIVE USING (word <> '')",
    "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY",
)
CHANGES = {
    "owner": "ALTER TABLE s.t OWNER TO {owner}",
    "a grant": "GRANT SELECT, UPDATE (word) ON s.t TO {reader}",
    "a grant option": "GRANT SELECT ON s.t TO {reader} WITH GRANT OPTION",
    "withheld": "REVOKE TRUNCATE ON s.t FROM CURRENT_USER",
    "row security": ";".join(SECURED),
    "forced": "ALTER TABLE s.t FORCE ROW LEVEL SECURITY",
    "a policy": "CREATE POLICY mine ON s.t USING (id > 3)",
}


@pytest.fixture
def roles(database: Database) -> Iterator[dict[str, str]]:
    name = database.sql("SELECT current_database()")[0][0]
    found = {role: f"{name}_{role}" for role in ("owner", "reader")}
    build(database)
    database.sql(*(f"CREATE ROLE {role}; GRANT USAGE, CREATE ON SCHEMA s TO {role}" for role in found.values()))
    yield found
    database.sql(*(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}" for role in found.values()))


def made(database: Database) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t", schema="s")
        op.set_archive_policy("t", "2 months", schema="s")


def repaired(database: Database) -> None:
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.repair_archive_table("t", schema="s", access=True)


def alike(database: Database) -> bool:
    return database.sql(RIGHTS.format("t")) == database.sql(RIGHTS.format("t_archive"))


def test_an_archive_is_made_with_all_that_its_table_has(database: Database, roles: dict[str, str]) -> None:
    database.sql(*(sql.format(**roles) for sql in CHANGES.values() if "POLICY mine ON s.t USING" not in sql))
    database.sql("ALTER TABLE s.t ALTER word SET STATISTICS 77, ALTER word SET (n_distinct = 5)")
    database.sql("COMMENT ON COLUMN s.t.word IS 'said'", f"GRANT UPDATE (id) ON s.t TO {roles['owner']}")
    made(database)
    assert alike(database)
    assert shell(database, "archive", "verify", "s.t").returncode == 0


def test_an_archive_that_would_lack_something_is_not_made(
    database: Database, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database.sql(*(sql.format(**roles) for sql in SECURED))
    monkeypatch.setattr(archives, "access_sql", lambda *_: ())
    with pytest.raises(ExecutionError, match=r"archive s.t_archive would not have .*table, row security: enabled"):
        made(database)
    assert database.sql("SELECT to_regclass('s.t_archive')") == [(None,)]


@pytest.mark.parametrize("what", thinned(CHANGES, *list(CHANGES)[:3]))
def test_what_was_changed_since_is_named_and_mended(database: Database, roles: dict[str, str], what: str) -> None:
    made(database)
    database.sql(CHANGES[what].format(**roles))
    done = shell(database, "archive", "verify", "s.t")
    assert done.returncode == 4
    assert "op.repair_archive_table with access=True" in done.stdout
    assert not alike(database)
    comment = database.sql("SELECT obj_description('s.t_archive'::regclass)")
    repaired(database)
    assert alike(database)
    assert database.sql("SELECT obj_description('s.t_archive'::regclass)") == comment
    assert shell(database, "archive", "verify", "s.t").returncode == 0


@pytest.mark.parametrize("way", ["partition", "rows"])
def test_rows_that_row_security_hides_go_to_no_open_archive(
    database: Database, roles: dict[str, str], way: str
) -> None:
    database.sql("GRANT SELECT ON s.t TO {reader}".format(**roles), "CREATE INDEX ON s.t (at)")
    made(database)
    if way == "rows":
        with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
            op.set_archive_policy("t", "2 months", schema="s", way="rows", control="at")
    database.sql(*(sql.format(**roles) for sql in SECURED))
    count = "SELECT count(*) FROM s.t_archive"
    done = run(database)
    assert done.returncode == 3, done.stderr
    assert f"s.t_archive has no row security, and s.t has: {roles['reader']} would see each row" in done.stderr
    assert database.sql(count) == [(0,)]
    repaired(database)
    assert run(database).returncode == 0
    assert database.sql(count)[0][0] > 50


@pytest.mark.parametrize("before", [RecordMove, AttachMoved, MovePartitionAcross, RemoveRows])
def test_row_security_that_comes_while_a_run_is_at_it(
    database: Database, roles: dict[str, str], monkeypatch: pytest.MonkeyPatch, before: type[Step]
) -> None:
    """What the run has decided before is decided again: nothing more is shown."""
    database.sql("GRANT SELECT ON s.t TO {reader}".format(**roles), "CREATE INDEX ON s.t (at)")
    with schema_kit.operations(database.sqlalchemy(), policy=QUICK):
        op.create_archive_table("t", schema="s", view="t_all" if before is MovePartitionAcross else None)
        rows: dict[str, Any] = {"way": "rows", "control": "at"} if before is RemoveRows else {}
        op.set_archive_policy("t", "2 months", schema="s", **rows)
    send, secured = execute._send, list[Step]()

    def secured_first(connection: sa.Connection, step: Step, *more: Any) -> None:
        if isinstance(step, before) and not secured:
            secured.append(step)
            database.sql(*(sql.format(**roles) for sql in SECURED))
        send(connection, step, *more)

    monkeypatch.setattr(execute, "_send", secured_first)
    done = run(database)
    assert secured
    assert done.returncode in (1, 3)
    assert "s.t_archive has no row security, and s.t has" in done.stderr
    assert database.sql("SELECT count(*) FROM s.t_archive") == [(0,)]
    repaired(database)
    done = run(database)
    assert done.returncode == 0, done.stderr
    assert database.sql("SELECT count(*) > 50 FROM s.t_archive") == [(True,)]


def test_an_archive_that_no_other_role_reads_needs_none(database: Database, roles: dict[str, str]) -> None:
    made(database)
    database.sql("GRANT SELECT ON s.t TO {reader}".format(**roles), *(sql.format(**roles) for sql in SECURED))
    assert run(database).returncode == 0
    assert database.sql("SELECT count(*) > 50 FROM s.t_archive") == [(True,)]
