"""Partitions that take the place of one have what it had, other than its siblings; or the split is refused first."""

from __future__ import annotations

import pytest

from schema_kit import op, operations
from schema_kit.errors import PlanError
from tests.support.database import QUICK, Database

pytestmark = [pytest.mark.partitions, pytest.mark.majors]

TABLE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint NOT NULL, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)",
    "CREATE UNIQUE INDEX other ON s.t (at, id)",
    "CREATE TABLE s.wide PARTITION OF s.t FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-03-01 00:00+00')",
    "CREATE TABLE s.next PARTITION OF s.t FOR VALUES FROM ('2026-03-01 00:00+00') TO ('2026-04-01 00:00+00')",
    "INSERT INTO s.t SELECT i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 day' FROM generate_series(0, 80) i",
)
PARTS = ("s.t_p20260101", "s.t_p20260201")


def split(database: Database) -> None:
    with operations(database.sqlalchemy(), policy=QUICK):
        op.set_partition_policy("t", schema="s", control="at", interval="1 month")
        op.split_partition_concurrently("t", "wide", schema="s")


def of(database: Database, what: str) -> list[object]:
    """That of each of the two that it was split into, and of the sibling."""
    return [database.sql(what.format(name))[0][0] for name in (*PARTS, "s.next")]


IDENTITY = (
    "SELECT c.relreplident::text || coalesce((SELECT ' ' || count(*) FROM pg_index x JOIN pg_inherits h "
    "ON h.inhrelid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident AND h.inhparent = 's.other'::regclass "
    "HAVING count(*) > 0), '') FROM pg_class c WHERE c.oid = '{}'::regclass"
)
IDENTITIES = {
    "full": ("FULL", "DEFAULT", "f", "d"),
    "default": ("DEFAULT", "FULL", "d", "f"),
    "nothing": ("NOTHING", "USING INDEX next_at_id_idx", "n", "i 1"),
    "index": ("USING INDEX wide_at_id_idx", "DEFAULT", "i 1", "d"),
}


@pytest.mark.parametrize("identity", IDENTITIES)
def test_the_replica_identity(database: Database, identity: str) -> None:
    own, siblings, there, beside = IDENTITIES[identity]
    database.sql(*TABLE)
    database.sql(f"ALTER TABLE s.wide REPLICA IDENTITY {own}", f"ALTER TABLE s.next REPLICA IDENTITY {siblings}")
    split(database)
    assert of(database, IDENTITY) == [there, there, beside]


def test_the_storage_parameters(database: Database) -> None:
    database.sql(
        *TABLE,
        "ALTER TABLE s.wide SET (fillfactor = 55, toast.autovacuum_enabled = off)",
        "ALTER TABLE s.next SET (fillfactor = 66)",
    )
    split(database)
    options = (
        "SELECT array_to_string(c.reloptions || ARRAY(SELECT 'toast.' || o FROM pg_class x, unnest(x.reloptions) o "
        "WHERE x.oid = c.reltoastrelid), ' ') FROM pg_class c WHERE c.oid = '{}'::regclass"
    )
    assert of(database, options) == [*["fillfactor=55 toast.autovacuum_enabled=off"] * 2, "fillfactor=66"]


def test_a_not_null_that_is_not_inherited(database: Database) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("NOT NULL has no name before 18")
    database.sql(*TABLE, "UPDATE s.t SET word = ''", "ALTER TABLE s.wide ADD CONSTRAINT own NOT NULL word NO INHERIT")
    split(database)
    said = "SELECT min(connoinherit::text) FROM pg_constraint WHERE conrelid = '{}'::regclass AND conname = 'own'"
    assert of(database, said) == ["true", "true", None]


LABEL = "INSERT INTO pg_seclabel VALUES ('s.wide'::regclass, 'pg_class'::regclass, {}, 'a provider', 'secret')"
REFUSED = {
    "a security label": (
        ("SET allow_system_table_mods = on", LABEL.format(0)),
        "table s.wide has a security label of a provider",
    ),
    "a security label of a column": (
        ("SET allow_system_table_mods = on", LABEL.format(2)),
        "column at of table s.wide has a security label of a provider",
    ),
    "a trigger": (
        (
            "CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER fires BEFORE UPDATE ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
            "ALTER TABLE s.wide DISABLE TRIGGER fires",
        ),
        "trigger fires is disabled in s.wide alone",
    ),
    "its own index": (
        ("CREATE UNIQUE INDEX own ON s.wide (id, at)", "ALTER TABLE s.wide REPLICA IDENTITY USING INDEX own"),
        "its replica identity is index own",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_they_cannot_have_is_refused_first(database: Database, what: str) -> None:
    ddl, said = REFUSED[what]
    database.sql(*TABLE, *ddl)
    with pytest.raises(PlanError, match=said):
        split(database)
    assert database.sql("SELECT to_regclass('s.wide__log') IS NULL, to_regclass('s.wide__staging') IS NULL") == [
        (True, True)
    ]
