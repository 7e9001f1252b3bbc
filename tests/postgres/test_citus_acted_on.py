"""What is sent for tables that Citus distributes, on a server that parses all of it and keeps rows in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.execute import Event, StepStarted
from schema_kit.steps.archives import CreateArchiveTable, MovePartitionAcross
from schema_kit.steps.files import LoadFile
from schema_kit.steps.retirement import Detach
from tests.support.archives import build, run
from tests.support.citus import give_catalog, known_as
from tests.support.citus_plans import CASES
from tests.support.cli import shell
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.ttl import policy, ran

pytestmark = [pytest.mark.archives, pytest.mark.columns, pytest.mark.majors]

DISTRIBUTED = "SELECT logicalrelid::regclass::text, partkey, colocationid FROM pg_catalog.pg_dist_partition ORDER BY 1"


@pytest.fixture
def items(database: Database) -> Database:
    """Two hundred rows of ten tenants, distributed."""
    database.sql(
        "CREATE TABLE items (tenant int, at timestamptz, n int NOT NULL DEFAULT 0, word text)",
        "ALTER TABLE items ADD PRIMARY KEY (tenant, at)",
        "CREATE INDEX ON items (at)",
        "INSERT INTO items (tenant, at, word) SELECT i % 10, timestamptz '2026-01-01+00' + i * interval '1 hour', "
        "'100%' || i FROM generate_series(1, 200) i",
    )
    give_catalog(database)
    known_as(database, "items", "tenant")
    return database


def statements(events: list[Event]) -> str:
    return "\n".join(text for event in events if isinstance(event, StepStarted) for text in event.step.sql())


@pytest.mark.parametrize("where", [None, "word LIKE '100%5' OR word = '100%{}'"])
def test_each_row_is_updated_once_in_batches(items: Database, where: str | None) -> None:
    events: list[Event] = []
    values = {"n": sa.text("n + 1"), "word": sa.text("word || '%s {}'")}

    def update(op: Any) -> None:
        op.update_in_batches("items", values, where=where, name="u", batch_size=30, target_seconds=1e-6)

    perform(items, update, on=events.append)
    met = where or "true"
    assert items.sql(f"SELECT count(*) FROM items WHERE n <> ({met.replace('word', 'left(word, -5)')})::int")[0][0] == (
        0 if where is None else items.sql("SELECT count(*) FROM items WHERE n > 1")[0][0]
    )
    assert items.sql("SELECT min(n), max(n) FROM items") == [(0 if where else 1, 1)]
    seen, finished, missed = items.sql(
        "SELECT rows_seen, finished_at IS NOT NULL, missed FROM schema_kit.batch_progress"
    )[0]
    assert (seen, finished, missed) == (200, True, 0)
    assert "LIMIT (SELECT" not in statements(events)
    perform(items, update)
    assert items.sql("SELECT max(n) FROM items") == [(1,)]


def test_rows_expire_in_batches(items: Database) -> None:
    policy(items, "items", "at", age="3 days", batch_size=20, target_seconds=1e-6)
    ran(items, now="2026-01-08")
    assert items.sql("SELECT count(*), min(at) >= '2026-01-05+00' FROM items") == [(104, True)]


def test_rows_that_others_refer_to_leave_by_cascade_alone(items: Database) -> None:
    items.sql("CREATE TABLE notes (tenant int, at timestamptz, FOREIGN KEY (tenant, at) REFERENCES items)")
    items.sql("CREATE INDEX ON notes (tenant, at)", "INSERT INTO notes SELECT tenant, at FROM items")
    with pytest.raises(PlanError, match=r"Citus locks no rows across shards.*ON DELETE CASCADE, or ON DELETE SET NULL"):
        policy(items, "items", "at", age="3 days", tree={"notes": {}})
    items.sql("ALTER TABLE notes DROP CONSTRAINT notes_tenant_at_fkey")
    items.sql("ALTER TABLE notes ADD FOREIGN KEY (tenant, at) REFERENCES items ON DELETE CASCADE")
    policy(items, "items", "at", age="3 days")
    ran(items, now="2026-01-08")
    assert items.sql("SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM notes)") == [(104, 104)]


def test_an_archive_is_colocated_with_its_table_and_rows_go_there_and_back(items: Database) -> None:
    perform(items, lambda op: op.create_archive_table("items", archived_at=True))
    assert items.sql(DISTRIBUTED) == [("items", "tenant", 7), ("items_archive", "tenant", 7)]
    perform(
        items,
        lambda op: op.set_archive_policy("items", "3 days", way="rows", control="at", archived_at="archived_at"),
    )
    done = shell(items, "archive", "run", "--now", "2026-01-08")
    assert done.returncode == 0, done.stderr
    count = "SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM items_archive WHERE archived_at IS NOT NULL)"
    assert items.sql(count) == [(104, 96)]
    back = shell(items, "archive", "restore", "items", "--since", "2026-01-02", "--until", "2026-01-03")
    assert back.returncode == 0, back.stderr
    assert items.sql(count) == [(128, 72)]


def test_an_archive_elsewhere_is_refused_with_the_way_to_go(items: Database) -> None:
    items.sql("CREATE TABLE items_archive (LIKE items INCLUDING ALL)")
    with pytest.raises(
        PlanError, match=r"items_archive is local.*op\.distribute_table_concurrently\('items_archive', 't"
    ):
        perform(items, lambda op: op.set_archive_policy("items", "3 days", way="rows", control="at"))


def test_partitions_are_detached_in_the_blocking_way_and_archived(database: Database) -> None:
    build(database)
    give_catalog(database)
    for part in ["s.t", *(f"s.t_{month:02}" for month in range(1, 7))]:
        known_as(database, part, "id")
    events: list[Event] = []
    perform(database, lambda op: op.detach_partition_concurrently("t", "t_01", schema="s"), on=events.append)
    (detach,) = (event.step for event in events if isinstance(event, StepStarted) and isinstance(event.step, Detach))
    assert detach.why == "s.t_01 is distributed by id, and Citus detaches none concurrently"
    perform(database, lambda op: op.create_archive_table("t", schema="s"))
    assert ("s.t_archive", "id", 7) in database.sql(DISTRIBUTED)
    perform(database, lambda op: op.set_archive_policy("t", "1 month", schema="s"))
    shown = run(database, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "Citus detaches none concurrently" in shown.stdout
    assert shown.stdout.count("SET LOCAL citus.propagate_set_commands = 'local'") == shown.stdout.count("BEGIN;")
    assert run(database).returncode == 0
    assert MovePartitionAcross.says


def test_a_file_is_loaded_into_a_table_colocated_with_its_own(items: Database, tmp_path: Path) -> None:
    assert shell(items, "archive", "export", "items", "--to", str(tmp_path)).returncode == 0
    file = next(tmp_path.glob("*.parquet"))
    done = shell(items, "archive", "import", str(file), "--beside", "items_again")
    assert done.returncode == 0, done.stderr
    assert ("items_again", "tenant", 7) in items.sql(DISTRIBUTED)
    assert items.sql("SELECT count(*) FROM items_again") == [(200,)]
    assert LoadFile.says
    assert CreateArchiveTable.says


@pytest.mark.parametrize("name", CASES)
def test_each_statement_is_postgresqls_grammar(database: Database, name: str) -> None:
    """PL/pgSQL parses all of what stands in a block, and runs none of it."""
    for step in CASES[name]().steps:
        for statement in (one for one in step.sql() if not one.startswith("COPY")):
            block = statement.removeprefix("DO ")
            if block != statement:
                database.sql(f"CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS {block}")
            database.sql(f"DO $x$ BEGIN IF false THEN {statement}; END IF; END $x$")


# op.distribute_table_concurrently


def test_a_table_is_distributed_and_comes_back(items: Database) -> None:
    items.sql("CREATE TABLE lines (tenant int, id int, PRIMARY KEY (tenant, id))", "CREATE TABLE kinds (id int)")

    def forth(op: Any) -> None:
        op.distribute_table_concurrently("lines", "tenant", colocate_with="items")
        op.distribute_table_concurrently("kinds", reference=True)

    for _ in range(2):
        perform(items, forth)
    assert items.sql(DISTRIBUTED) == [("items", "tenant", 7), ("kinds", None, 3), ("lines", "tenant", 7)]
    with pytest.raises(PlanError, match=r"distributed by tenant already \(colocation id 7\)"):
        perform(items, lambda op: op.distribute_table_concurrently("lines", "id"))
    for _ in range(2):
        perform(items, lambda op: op.undistribute_table("lines"))
    assert items.sql(DISTRIBUTED) == [("items", "tenant", 7), ("kinds", None, 3)]


def test_what_citus_refuses_is_a_sentence_and_no_traceback(items: Database) -> None:
    items.sql(
        "CREATE TABLE lines (tenant int, id int, PRIMARY KEY (tenant, id))",
        "CREATE OR REPLACE FUNCTION pg_catalog.create_distributed_table_concurrently(table_name regclass, "
        "distribution_column text, distribution_type citus.distribution_type DEFAULT 'hash', "
        "colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE internal_error USING MESSAGE = 'cannot distribute it'; END $$",
    )
    with pytest.raises(ExecutionError, match=r"cannot distribute it \[XX000\]. The table is as it was"):
        perform(items, lambda op: op.distribute_table_concurrently("lines", "tenant"))


REFUSED = {
    "no way": ({}, DeclarationError, "say one of column"),
    "two ways": ({"column": "tenant", "reference": True}, DeclarationError, "say one of column"),
    "shards of a reference table": ({"reference": True, "shard_count": 4}, DeclarationError, "shard_count"),
    "no column": ({"column": "nothing"}, PlanError, "it has no column nothing"),
    "a key lacks it": ({"column": "word"}, PlanError, r"over \(tenant, id\), lacks the distribution column word"),
    "beside nothing": ({"column": "tenant", "colocate_with": "plain"}, PlanError, "plain is not distributed"),
    "other types": ({"column": "id", "colocate_with": "items"}, PlanError, "id is bigint, and tenant of .* is integer"),
    "a trigger": ({"column": "tenant"}, PlanError, "no triggers on distributed tables, and it has keep"),
    "a foreign key": ({"column": "tenant"}, PlanError, "foreign key lines_word_fkey stands in the way.*plain is local"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_distributed_is_refused_by_name(items: Database, why: str) -> None:
    items.sql(
        "CREATE TABLE plain (word text PRIMARY KEY)",
        "CREATE TABLE lines (tenant int, id bigint, word text, PRIMARY KEY (tenant, id))",
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    )
    if why == "a trigger":
        items.sql("CREATE TRIGGER keep BEFORE INSERT ON lines FOR EACH ROW EXECUTE FUNCTION keep()")
    if why == "a foreign key":
        items.sql("ALTER TABLE lines ADD FOREIGN KEY (word) REFERENCES plain")
    given, error, said = REFUSED[why]
    with pytest.raises(error, match=said):
        perform(items, lambda op: op.distribute_table_concurrently("lines", **given))  # type: ignore[arg-type]


def test_without_citus_distributing_is_refused_by_name(database: Database) -> None:
    database.sql("CREATE TABLE lines (tenant int PRIMARY KEY)")
    with pytest.raises(PlanError, match=r"the extension citus is missing.*CREATE EXTENSION citus"):
        perform(database, lambda op: op.distribute_table_concurrently("lines", "tenant"))
    with pytest.raises(PlanError, match=r"the extension citus is missing.*CREATE EXTENSION citus"):
        perform(database, lambda op: op.undistribute_table("lines"))
