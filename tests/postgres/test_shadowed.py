"""Functions and operators of users that fit better than PostgreSQL's own are called by no statement of ours."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op
from schema_kit.catalog import Catalog
from schema_kit.model import CopyLimits
from schema_kit.names import QualifiedName
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from schema_kit.steps.storage import EnsureTable
from schema_kit.storage import SCRIPTS
from schema_kit.tasks.conversion import roll_back
from schema_kit.tasks.copying import drain_registered
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.pooler import MISSING, pooler
from tests.support.shadows import MAKE, SCHEMA, VALUES

pytestmark = [pytest.mark.steps, pytest.mark.majors]

PATIENT = LockPolicy(first=200, longest=2000, attempts=25)
TABLE = (
    "CREATE TABLE public.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, word text)",
    "CREATE INDEX t_word ON public.t (lower(word))",
    "COMMENT ON INDEX public.t_word IS 'words'",
    "ALTER INDEX public.t_word ALTER COLUMN 1 SET STATISTICS 33",
    "ALTER TABLE public.t CLUSTER ON t_word",
    "CREATE TABLE public.child (id bigint PRIMARY KEY, t_id bigint REFERENCES public.t)",
    "INSERT INTO public.t (at, word) SELECT now() - g * interval '9 days', 'w' || g FROM generate_series(1, 20) g",
    "INSERT INTO public.child SELECT g, g FROM generate_series(1, 20) g",
)


@pytest.mark.exhaustive
def test_steps_call_what_is_postgresqls_own(database: Database) -> None:
    """They stand behind pg_catalog in the path, as those in public do."""
    database.sql(*TABLE, f"CREATE SCHEMA {SCHEMA}")
    with psycopg.connect(database.url, autocommit=True, cursor_factory=psycopg.ClientCursor) as maker:
        maker.execute(MAKE.encode(), VALUES)
    of_it = database.sql("SELECT quote_ident(current_database())")[0][0]
    database.sql(f"ALTER DATABASE {of_it} SET search_path = public, {SCHEMA}")
    rows = "SELECT pg_catalog.count(*) FROM public.t"
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=PATIENT):
        op.create_index_concurrently("made", "t", ["word", "at"])
        op.replace_index_concurrently("t_word", "t", [sa.text("pg_catalog.lower(word)"), "at"])
        for own in SCRIPTS:
            database.run(partial(_made, database, own))
        op.add_column_concurrently("t", sa.Column("kind", sa.String(9), server_default="k"))
        op.alter_column_concurrently("t", "kind", type_=sa.String(20))
        op.update_in_batches("t", {"word": sa.text("'x'")}, where=sa.text("id < 9"), name="words")
        op.convert_to_partitioned("t", "at", "1 month", strategy="attach", incoming_foreign_keys="composite")
        op.split_partition_concurrently("t", _first(database))
        op.create_check_constraint_concurrently("positive", "t", sa.text("id > 0"))
        op.unpartition("t")
        op.drop_table_concurrently("child")
        op.convert_to_partitioned("t", "at", "1 month", strategy="copy", keep_old="fed")
        database.run(lambda catalog: roll_back(catalog, QualifiedName("public", "t")), PATIENT)
        op.convert_to_partitioned("t", "at", "1 month", strategy="copy")
        database.sql("INSERT INTO public.t (at, word) VALUES ('2020-02-02', 'late')")
        database.run(lambda catalog: drain_registered(catalog, QualifiedName("public", "t"), CopyLimits()), PATIENT)
        op.create_archive_table("t", archived_at=True)
        op.detach_partition_concurrently("t", _first(database))
        op.create_index_concurrently("by_at", "t", ["at"])
        op.set_ttl_policy("t", "at", age="30 days")
    for command in (("partitions", "maintain"), ("archive", "run"), ("partitions", "check"), ("doctor",)):
        done = shell(database, *command)
        assert "taken for another" not in done.stdout + done.stderr, command
        assert done.returncode in (0, 3, 4), done.stderr
    assert database.sql(rows)[0][0] > 0


OPERATOR = (
    f"CREATE SCHEMA {SCHEMA}",
    f"CREATE TABLE {SCHEMA}.called (as_whom text)",
    f"CREATE FUNCTION {SCHEMA}.f(regproc, integer) RETURNS boolean LANGUAGE sql AS "
    f"'INSERT INTO {SCHEMA}.called VALUES (current_user); SELECT true'",
    f"CREATE OPERATOR {SCHEMA}.<> (LEFTARG = regproc, RIGHTARG = integer, FUNCTION = {SCHEMA}.f)",
)


@pytest.mark.parametrize("pooled", [False, pytest.param(True, marks=MISSING)])
def test_a_driver_that_asks_for_types_itself(database: Database, tmp_path: Path, pooled: bool) -> None:
    """An operator of a user that fits better than PostgreSQL's own is called only where a pooler takes no option."""
    database.sql(*OPERATOR, "CREATE TABLE public.t (id bigint PRIMARY KEY)", "INSERT INTO public.t VALUES (1)")
    of_it = database.sql("SELECT quote_ident(current_database())")[0][0]
    database.sql(f"ALTER DATABASE {of_it} SET search_path = public, {SCHEMA}")
    with pooler(database, "session", size=4) if pooled else nullcontext(database) as seen:
        done = shell(seen, "archive", "export", "public.t", "--to", str(tmp_path), "--as", "parquet")
    assert done.returncode == 0, done.stderr
    assert (database.sql(f"SELECT DISTINCT as_whom FROM {SCHEMA}.called") == []) is not pooled


def _made(database: Database, own: QualifiedName, _: Catalog) -> Plan:
    missing = database.sql(f"SELECT pg_catalog.to_regclass('{own.sql}') IS NULL")[0][0]
    return Plan("its own table", (EnsureTable(own),) if missing else ())


def _first(database: Database) -> str:
    """The partition of the earliest rows."""
    found = database.sql("SELECT tableoid::pg_catalog.regclass::pg_catalog.text FROM public.t ORDER BY at LIMIT 1")
    return str(found[0][0])
