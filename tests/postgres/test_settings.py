"""Whatever a database is set to: what is looked at, printed, compared and built is the same as without it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op
from schema_kit.errors import PlanError
from schema_kit.script import LockPolicy
from tests.support.database import Database
from tests.support.settings import NEWER, SETTINGS

pytestmark = [pytest.mark.steps, pytest.mark.majors]

PATIENT = LockPolicy(first=200, longest=2000, attempts=25)

TABLE = (
    "CREATE SCHEMA other",
    # In front of pg_catalog's in a search_path that puts that last: what is not qualified would be these.
    "CREATE FUNCTION other.wrong(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql AS 'SELECT NULL::boolean'",
    "CREATE OPERATOR other.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = other.wrong)",
    "CREATE OPERATOR other.>= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = other.wrong)",
    "CREATE FUNCTION other.wrong(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT NULL::boolean'",
    "CREATE OPERATOR other.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = other.wrong)",
    "CREATE FUNCTION other.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1999-01-01+00'::timestamptz$$",
    """CREATE TABLE public.t (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),
        span interval DEFAULT '1 day 02:03', day date DEFAULT '2026-02-01', part float8 DEFAULT 0.1,
        raw bytea DEFAULT '\\x00ff', words text[] DEFAULT '{a,NULL}', said text DEFAULT 'it''s',
        "Odd Name" int DEFAULT 1,
        CHECK (span < '40 days'), CHECK (day > '2000-12-31'), CHECK (part < 1e300),
        CHECK (at > '1970-01-02 03:04+05'))""",
    "CREATE INDEX t_said ON public.t (lower(said)) WHERE day > '2001-02-03'",
    'CREATE INDEX t_odd ON public.t ("Odd Name", at)',
    "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER tr BEFORE INSERT ON public.t FOR EACH ROW WHEN (NEW.day > '2002-02-03') "
    "EXECUTE FUNCTION public.f()",
    "CREATE POLICY p ON public.t USING (day > '2003-02-04' AND \"Odd Name\" > 0)",
    "COMMENT ON TABLE public.t IS 'it''s'",
    "INSERT INTO public.t (at) SELECT date_trunc('month', now()) - g * interval '9 days' FROM generate_series(1, 9) g",
    "INSERT INTO public.t (at) VALUES (date_trunc('day', now()))",
)

STATE = """
SELECT 'relation', c.relname, c.relkind::text, pg_get_expr(c.relpartbound, c.oid), c.reltablespace::text
       || coalesce(obj_description(c.oid, 'pg_class'), '') FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'column', c.relname, a.attname,
       format_type(a.atttypid, a.atttypmod) || a.attnotnull || a.attidentity::text,
       pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
       WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND c.relkind IN ('r', 'p')
UNION ALL SELECT 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated::text
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'index', c.relname, c.relname, pg_get_indexdef(c.oid), x.indisvalid::text
       FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'public'::regnamespace
UNION ALL SELECT 'policy', c.relname, p.polname, pg_get_expr(p.polqual, c.oid), ''
       FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace
"""

ROWS = (
    "SELECT 'rows', tableoid::regclass::text, count(*)::text, sum(hashtext(t::text))::text, '' FROM public.t GROUP BY 2"
)

OUR_SETTINGS = (
    "SET search_path = ''",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET IntervalStyle = 'postgres'",
    "SET quote_all_identifiers = off",
    "SET extra_float_digits = 1",
    "SET bytea_output = hex",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET row_security = on",
    "SET client_encoding = 'UTF8'",
    "SET standard_conforming_strings = on",
)


def _state(database: Database) -> list[Any]:
    found = database.sql(*OUR_SETTINGS, STATE) + database.sql(*OUR_SETTINGS, ROWS)
    return sorted(tuple(re.sub(r"_not_null\d*", "_not_null", str(value)) for value in row) for row in found)


def _through(database: Database) -> list[list[Any]]:
    """There and back by both ways, with an index made and replaced between: what exists after each."""
    seen = []
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=PATIENT):
        op.convert_to_partitioned("t", "at", "1 month", strategy="attach", schema="public")
        seen.append(_state(database))
        op.create_index_concurrently("made", "t", [sa.text("(span * 2)"), "day"], schema="public")
        op.replace_index_concurrently("t_odd", "t", ["at", "Odd Name"], schema="public")
        seen.append(_state(database))
        op.unpartition("t", schema="public")
        seen.append(_state(database))
        op.convert_to_partitioned("t", "at", "1 month", strategy="copy", schema="public")
        seen.append(_state(database))
    return seen


def _begin(database: Database) -> None:
    database.sql(*OUR_SETTINGS, "SET session_replication_role = origin", "DROP SCHEMA IF EXISTS other CASCADE")
    database.sql("SET client_min_messages = error", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *TABLE)


EXPECTED: list[list[list[Any]]] = []


def _cases() -> list[tuple[str, str]]:
    newer = [(name, value) for name, (_, value) in NEWER.items()]
    return [(name, value) for name, values in SETTINGS.items() for value in values] + newer


GROUPS = 8


@pytest.mark.exhaustive
@pytest.mark.parametrize("group", range(GROUPS))
def test_settings_of_the_database_change_nothing(database: Database, group: int) -> None:
    """Several at once, but a setting with two values is in two groups."""
    _compare(database, dict(_cases()[group::GROUPS]))


@pytest.mark.deep
@pytest.mark.parametrize(("name", "value"), _cases(), ids=[f"{name}-{value}" for name, value in _cases()])
def test_a_setting_of_the_database_changes_nothing(database: Database, name: str, value: str) -> None:
    _compare(database, {name: value})


def _compare(database: Database, settings: dict[str, str]) -> None:
    version = int(database.sql("SHOW server_version_num")[0][0])
    if not EXPECTED:
        _begin(database)
        EXPECTED.append(_through(database))
        database.sql("DROP SCHEMA schema_kit CASCADE")
    _begin(database)
    of_it = database.sql("SELECT quote_ident(current_database())")[0][0]
    for name, value in settings.items():
        if (name in NEWER and version < NEWER[name][0]) or ("tablespace" in name and version < 150000):
            continue  # the setting, or a tablespace in place, came later
        if "tablespace" in name:
            value = f"place_{name}_{of_it}"
            database.sql("SET allow_in_place_tablespaces = on", f"CREATE TABLESPACE {value} LOCATION ''")
        database.sql(f"ALTER DATABASE {of_it} SET {name} = {value}")
    try:
        for seen, expected in zip(_through(database), EXPECTED[0], strict=True):
            assert (set(seen) - set(expected), set(expected) - set(seen)) == (set(), set())
    finally:
        database.sql(f"ALTER DATABASE {of_it} RESET ALL")


def test_the_session_gets_its_own_settings_back(database: Database) -> None:
    database.sql("CREATE SCHEMA other", "CREATE TABLE public.t (id bigint PRIMARY KEY)")
    given = {"default_transaction_isolation": "serializable", "session_replication_role": "replica"}
    given |= {"search_path": "other, public, pg_catalog", "quote_all_identifiers": "on", "lock_timeout": "7s"}
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection:
        for name, value in given.items():
            connection.exec_driver_sql("SELECT set_config(%(name)s, %(value)s, false)", {"name": name, "value": value})
        with schema_kit.operations(connection, policy=PATIENT):
            op.create_index_concurrently("made", "t", ["id"])
            with pytest.raises(schema_kit.SchemaKitError):
                op.create_index_concurrently("made", "nowhere", ["id"])
        back = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in given}
    assert back == given


def test_a_setting_that_is_not_for_the_role_to_change_is_named(database: Database) -> None:
    database.sql("CREATE ROLE settings_owner LOGIN", "CREATE TABLE public.t (id bigint PRIMARY KEY)")
    try:
        database.sql("ALTER TABLE public.t OWNER TO settings_owner", "GRANT CREATE ON SCHEMA public TO settings_owner")
        of_it = database.sql("SELECT quote_ident(current_database())")[0][0]
        database.sql(f"ALTER ROLE settings_owner IN DATABASE {of_it} SET session_replication_role = replica")
        url = sa.make_url(database.url).set(drivername="postgresql+psycopg", username="settings_owner")
        with (
            environment.connect(url, autocommit=True) as connection,
            schema_kit.operations(connection, policy=PATIENT),
            pytest.raises(PlanError, match="session_replication_role is replica"),
        ):
            op.create_index_concurrently("made", "t", ["id"])
    finally:
        database.sql("DROP OWNED BY settings_owner CASCADE", "DROP ROLE settings_owner")
