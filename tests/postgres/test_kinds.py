"""Each operation and command on each kind of relation: it works, or is refused by a sentence that names the kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

import schema_kit
from schema_kit import environment, op
from schema_kit.cli import cli
from schema_kit.errors import SchemaKitError
from schema_kit.script import LockPolicy
from tests.support.database import Database
from tests.support.matrix import thinned

pytestmark = [pytest.mark.constraints, pytest.mark.majors, pytest.mark.libraries]

QUICK = LockPolicy(first=50, longest=500, attempts=4)

COLUMNS = "id bigint NOT NULL, at timestamptz NOT NULL, v int"
ROWS = "SELECT g AS id, '2026-01-01'::timestamptz + g * interval '1 day' AS at, g AS v FROM generate_series(1, 9) g"

KINDS: dict[str, tuple[str, str]] = {
    "view": ("CREATE VIEW s.x AS SELECT * FROM s.t", "a view"),
    "materialized_view": ("CREATE MATERIALIZED VIEW s.x AS SELECT * FROM s.t", "a materialized view"),
    "foreign_table": (f"CREATE FOREIGN TABLE s.x ({COLUMNS}) SERVER nowhere OPTIONS (filename '/dev/null')", "foreign"),
    "sequence": ("CREATE SEQUENCE s.x", "a sequence"),
    "index": ("CREATE INDEX x ON s.t (v)", "an index"),
    "composite_type": ("CREATE TYPE s.x AS (id bigint)", "a composite type"),
    "inheritance_child": ("CREATE TABLE s.x () INHERITS (s.t)", "inherit"),
    "inheritance_parent": (
        f"CREATE TABLE s.x ({COLUMNS}, PRIMARY KEY (id)); CREATE TABLE s.heir () INHERITS (s.x)",
        "heir",
    ),
    "unlogged_table": (f"CREATE UNLOGGED TABLE s.x ({COLUMNS}, PRIMARY KEY (id))", "unlogged"),
    "temporary_table": ("", "a temporary table"),
    "toast_table": ("", "a TOAST table"),
    "catalog_table": ("", "of the system catalog"),
}

FEBRUARY = "2026-02-01", "2026-03-01"

MISSING = ("there is no such", "there is no table")

# A foreign table can be a partition, and what was one can be dropped.
AS_A_TABLE = {("foreign_table", "drop_partition")}

OPS: dict[str, Callable[[str, str], None]] = {
    "create_index": lambda s, x: op.create_index_concurrently("made", x, ["v"], schema=s),
    "replace_index": lambda s, x: op.replace_index_concurrently("made", x, ["v"], schema=s),
    "drop_index": lambda s, x: op.drop_index_concurrently(x, schema=s),
    "reindex": lambda s, x: op.reindex_concurrently(table_name=x, schema=s),
    "reindex_index": lambda s, x: op.reindex_concurrently(x, schema=s),
    "foreign_key": lambda s, x: op.create_foreign_key_concurrently(
        "made", x, "r", ["v"], ["id"], source_schema=s, referent_schema="s"
    ),
    "foreign_key_to": lambda s, x: op.create_foreign_key_concurrently(
        "made", "t", x, ["v"], ["id"], source_schema="s", referent_schema=s
    ),
    "check": lambda s, x: op.create_check_constraint_concurrently("made", x, "v > 0", schema=s),
    "unique": lambda s, x: op.create_unique_constraint_concurrently("made", x, ["v"], schema=s),
    "primary_key": lambda s, x: op.create_primary_key_concurrently("made", x, ["v"], schema=s),
    "validate": lambda s, x: op.validate_constraint("made", x, schema=s),
    "drop_constraint": lambda s, x: op.drop_constraint_concurrently("made", x, schema=s),
    "not_null": lambda s, x: op.set_not_null_concurrently(x, "v", schema=s),
    "add_column": lambda s, x: op.add_column_concurrently(x, sa.Column("made", sa.Integer), schema=s),
    "alter_column": lambda s, x: op.alter_column_concurrently(x, "v", type_=sa.BigInteger(), schema=s),
    "drop_column": lambda s, x: op.drop_column_concurrently(x, "v", schema=s),
    "drop_table": lambda s, x: op.drop_table_concurrently(x, schema=s),
    "update": lambda s, x: op.update_in_batches(x, {"v": sa.text("v + 1")}, schema=s),
    "refresh": lambda s, x: op.refresh_materialized_view_concurrently(x, schema=s),
    "convert": lambda s, x: op.convert_to_partitioned(x, "at", "1 month", schema=s),
    "unpartition": lambda s, x: op.unpartition(x, schema=s),
    "policy": lambda s, x: op.set_partition_policy(x, control="at", interval="1 month", schema=s),
    "ttl": lambda s, x: op.set_ttl_policy(x, "at", schema=s, age="90 days"),
    "archive_table": lambda s, x: op.create_archive_table(x, schema=s),
    "attach": lambda s, x: op.attach_partition_concurrently(
        "p", x, "2026-02-01", "2026-03-01", schema="s", partition_schema=s
    ),
    "attach_to": lambda s, x: op.attach_partition_concurrently(
        x, "t", "2026-02-01", "2026-03-01", schema=s, partition_schema="s"
    ),
    "detach": lambda s, x: op.detach_partition_concurrently("p", x, schema="s", partition_schema=s),
    "detach_from": lambda s, x: op.detach_partition_concurrently(x, "t", schema=s, partition_schema="s"),
    "drop_partition": lambda s, x: op.drop_partition_concurrently("p", x, schema="s", partition_schema=s),
}

COMMANDS: dict[str, tuple[str, ...]] = {
    "convert": ("partitions", "convert", "{}", "--control", "at", "--interval", "1 month"),
    "adopt": ("partitions", "adopt", "{}"),
    "split": ("partitions", "split", "{}"),
    "undo": ("partitions", "undo", "{}", "--yes"),
    "export": ("archive", "export", "{}", "--to", "PLACE"),
}


def _begin(database: Database, kind: str) -> tuple[str, str]:
    """The relations, and where the one of that kind is."""
    database.sql(
        "SET client_min_messages = error",
        "DROP SCHEMA IF EXISTS s, schema_kit CASCADE",
        "CREATE SCHEMA s",
        f"CREATE TABLE s.t ({COLUMNS}, note text, PRIMARY KEY (id))",
        f"INSERT INTO s.t {ROWS}",
        "CREATE TABLE s.r (id int PRIMARY KEY)",
        "INSERT INTO s.r SELECT generate_series(1, 9)",
        f"CREATE TABLE s.p ({COLUMNS}) PARTITION BY RANGE (at)",
        "CREATE EXTENSION IF NOT EXISTS file_fdw",
        "DO $$BEGIN CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw; EXCEPTION WHEN duplicate_object THEN END$$",
    )
    for statement in KINDS[kind][0].split("; "):
        if statement:
            database.sql(statement)
    if kind == "temporary_table":
        other = database.connect()
        other.execute("CREATE TEMP TABLE x (id bigint PRIMARY KEY, at timestamptz NOT NULL, v int)")
        found = other.execute(
            "SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = 'x'::regclass"
        ).fetchone()
        assert found
        return str(found[0]), "x"
    if kind == "toast_table":
        name = database.sql(
            "SELECT relname FROM pg_class WHERE oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 's.t'::regclass)"
        )[0][0]
        return "pg_toast", str(name)
    if kind == "catalog_table":
        return "pg_catalog", "pg_class"
    return "s", "x"


def _refused(database: Database, operate: Callable[[], Any]) -> str:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=QUICK):
        try:
            operate()
        except SchemaKitError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("kind", thinned(KINDS, "view"))
def test_an_operation_works_or_names_the_kind(database: Database, kind: str) -> None:
    wrong = []
    for name, operate in OPS.items():
        schema, relation = _begin(database, kind)
        said = _refused(database, partial(operate, schema, relation))
        if any(missing in said for missing in MISSING) or (said and not _names(said, kind)):
            wrong += [(name, said)] if (kind, name) not in AS_A_TABLE else []
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong)


def _names(said: str, kind: str) -> bool:
    """Whether a refusal names the kind; a table that is as good as any other is refused for other reasons, too."""
    if kind in ("inheritance_child", "inheritance_parent", "unlogged_table"):
        return "PlanError" not in said
    return KINDS[kind][1] in said


@pytest.mark.parametrize("kind", thinned(KINDS, "view", "temporary_table"))
def test_a_command_names_the_kind(database: Database, tmp_path: Path, kind: str) -> None:
    wrong = []
    for name, command in COMMANDS.items():
        schema, relation = _begin(database, kind)
        told = [part.format(f"{schema}.{relation}") for part in command]
        told = [part.replace("PLACE", str(tmp_path)) for part in told]
        done = CliRunner().invoke(cli, [*told, "--url", database.url])
        said = str(done.exception)
        if any(missing in said for missing in MISSING) or (done.exit_code and not _names(said, kind)):
            wrong.append((name, said))
    assert not wrong, "\n".join(f"{name}: {said}" for name, said in wrong)


def test_an_index_on_a_materialized_view_as_on_a_table(database: Database) -> None:
    _begin(database, "materialized_view")
    definition = "SELECT indexdef FROM pg_indexes WHERE schemaname = 's' AND tablename = 'x'"
    assert not _refused(database, lambda: op.create_index_concurrently("made", "x", ["v"], schema="s", unique=True))
    assert database.sql(definition) == [("CREATE UNIQUE INDEX made ON s.x USING btree (v)",)]
    assert not _refused(database, lambda: op.refresh_materialized_view_concurrently("x", schema="s"))
    assert not _refused(database, lambda: op.replace_index_concurrently("made", "x", ["v", "id"], schema="s"))
    assert database.sql(definition) == [("CREATE INDEX made ON s.x USING btree (v, id)",)]
    assert not _refused(database, lambda: op.reindex_concurrently("made", schema="s"))
    assert not _refused(database, lambda: op.reindex_concurrently(table_name="x", schema="s"))
    assert not _refused(database, lambda: op.drop_index_concurrently("made", schema="s"))
    assert not database.sql(definition)
