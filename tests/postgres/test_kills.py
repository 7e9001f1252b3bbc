"""Killed for real: a process dies in the middle of each operation, and the next run ends where an undisturbed one does.

It is killed twice, each time from the beginning: once between two steps, when at least one is committed, and once while
a step is being sent, so that PostgreSQL goes on with it for a client that is gone.
"""

from __future__ import annotations

import multiprocessing
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import LockPolicy, environment, execute, op, report
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepProgress, StepStarted
from schema_kit.model import ArchivePolicy, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.steps import Plan
from schema_kit.tasks import archiving as archive
from schema_kit.tasks import retirement
from tests.support.cold import LOOPBACK
from tests.support.database import Database
from tests.support.matrix import SHAPES, longer, state

pytestmark = [pytest.mark.steps, pytest.mark.majors]

ROWS = 20_000
PATIENT = LockPolicy(first=50, longest=500, attempts=60)
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.postgres.test_kills"])

COMMON = (
    "CREATE TABLE s.r (id bigint PRIMARY KEY)",
    "INSERT INTO s.r SELECT generate_series(1, 50)",
    f"INSERT INTO s.t SELECT i, i % 10, 1 + i % 3, 1 + i % 50, 'w' || i FROM generate_series(1, {ROWS}) i",
)
KEYED = ("ALTER TABLE s.t ADD PRIMARY KEY (id, k)",)
INDEXED = ("CREATE INDEX t_v ON s.t (v)", "CREATE INDEX t_v_word ON s.t (v, word)")
DATED = (
    "CREATE TABLE s.d (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    f"INSERT INTO s.d SELECT i, '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, {ROWS}) i",
)
SET = (
    "CREATE TABLE s.e (id bigint REFERENCES s.r, at date NOT NULL, word text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)",
    "CREATE INDEX e_word ON s.e (word)",
    "CREATE TABLE s.e1 PARTITION OF s.e FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE s.e2 PARTITION OF s.e FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
    "INSERT INTO s.e SELECT i, '2026-01-05', 'w' FROM generate_series(1, 50) i",
    "CREATE TABLE s.ec (id bigint, at date, FOREIGN KEY (id, at) REFERENCES s.e)",
)
OWN = (
    *SET,
    "CREATE TABLE s.own (id bigint, at date, word text)",
    "INSERT INTO s.own SELECT i, '2026-03-05', 'w' FROM generate_series(1, 50) i",
)
COPIED = (
    "CREATE TABLE s.d (id bigint, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE s.d_default PARTITION OF s.d DEFAULT",
    "CREATE TABLE s.d_old PARTITION OF s.d FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2026-04-01 00:00+00')",
    f"INSERT INTO s.d SELECT i, '2026-01-02'::timestamptz + i * interval '9 minutes' FROM generate_series(1, {ROWS}) i",
)
CONTENT = "SELECT count(*)::text, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t"


@dataclass(frozen=True)
class Case:
    operate: Callable[[], None]
    before: tuple[str, ...] = ()
    shape: str = "plain"
    first: Callable[[], None] | None = None
    """Operations that come before it, undisturbed."""
    content: str | None = "s.t"
    """What is compared row by row."""
    also: str = "SELECT '', ''"
    """What else is compared."""


def _baseline() -> sa.MetaData:
    metadata = sa.MetaData(schema="s")
    sa.Table("one", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    sa.Table(
        "two",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("one", sa.ForeignKey("s.one.id", name="two_one_fkey")),
    )
    return metadata


def _alter() -> None:
    op.alter_column_concurrently("t", "word", schema="s", type_=sa.Text(), server_default="w", nullable=False)


def _add() -> None:
    column = sa.Column("c", sa.Uuid, server_default=sa.func.gen_random_uuid(), nullable=False)
    op.add_column_concurrently("t", column, schema="s")


def _foreign_key() -> None:
    op.create_foreign_key_concurrently("f", "t", "r", ["ref"], ["id"], source_schema="s", referent_schema="s")


def _register() -> None:
    op.create_part_config()
    op.execute(
        "INSERT INTO schema_kit.part_config (parent_table, control, partition_interval) VALUES ('s.d', 'at', '1 mon')"
    )


def _index() -> None:
    op.create_index_concurrently("t_v", "t", ["v", "word"], schema="s")


def _ignore() -> None:
    op.ignore_health_finding("index_unused", "p", "a", schema="s", reason="it's kept")


def _set() -> None:
    op.create_partitioned_table(
        "p",
        sa.Column("id", sa.BigInteger, sa.Identity()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ref", sa.BigInteger, sa.ForeignKey("s.r.id")),
        sa.Column("k", sa.Integer, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "at", "k", "word"),
        schema="s",
        control="at",
        interval="1 month",
        premake=2,
        partition_by=op.by_list("word", {"a": ["w1", "w2"]}, default=True),
        sub_partitions=op.by_hash("k", 2),
    )


CONFIG = "SELECT parent_table, partition_interval FROM schema_kit.part_config"
PREMAKE = "SELECT parent_table, premake::text FROM schema_kit.part_config"
PARTITIONS = "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r'"
ENUM = "SELECT enumlabel, enumsortorder::text FROM pg_enum WHERE enumtypid = to_regtype('s.e')"
LEDGER = "SELECT kind, name FROM schema_kit.created_object"
EXTENSION = "SELECT extname, '' FROM pg_extension"

D_AT = "CREATE INDEX ON s.d (at)"
IGNORED = "SELECT code, table_name, object_name, reason FROM schema_kit.health_ignored"
NO_PARTMAN = ("SET client_min_messages = error", "DROP SCHEMA IF EXISTS partman CASCADE")
PARTMAN = "SELECT proname, pg_get_function_arguments(oid) FROM pg_proc WHERE pronamespace = to_regnamespace('partman')"
TTL = "SELECT table_name, age FROM schema_kit.ttl_policy"
RETIRED = "SELECT partition_name, bounds FROM schema_kit.retired_partition"

E = QualifiedName("s", "e")
ARCHIVES = "SELECT table_name, archive_after FROM schema_kit.archive_policy"
OURS = "SELECT relname, '' FROM pg_class WHERE relnamespace = 'schema_kit'::regnamespace AND relkind = 'r'"
RELATIONS = "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 's'::regnamespace ORDER BY 1"


def _policy() -> None:
    op.set_partition_policy("e", control="at", interval="1 month", schema="s")


def _archive() -> None:
    _policy()
    op.create_archive_table("e", schema="s", view="all_of_e")


def _archived() -> None:
    _archive()
    op.set_archive_policy("e", "90 days", schema="s")


def _decided(decide: Callable[[Catalog], Plan]) -> None:
    """What a command would do."""
    connection = op.get_bind()
    execute.run(connection, lambda: decide(Catalog(connection)), PATIENT, lambda _: None)


def _filled_archive() -> None:
    _policy()
    op.create_archive_table("e", schema="s")
    op.set_archive_policy("e", "90 days", schema="s")
    policy = ArchivePolicy(E, E.sibling("e_archive"), "90 days", "partition")
    _decided(lambda catalog: archive.by_partition(catalog, policy))


def _retired() -> None:
    op.set_partition_policy(
        "e", control="at", interval="1 month", schema="s", retention="90 days", retention_keep_table=False
    )
    _decided(lambda catalog: retirement.retire(catalog, Partitioning(E, "at", "1 month", retention="90 days")))


def _repair() -> None:
    op.execute("ALTER TABLE s.e ADD COLUMN IF NOT EXISTS more text")
    op.repair_archive_table("e", schema="s", view="all_of_e")


def _cold() -> None:
    op.create_cold_archive("e", "cold", schema="s", remote_schema="there", view="all_of_e")


def _cold_archive() -> None:
    _archive()
    _cold()


CASES = {
    "create_index": Case(_index),
    "create_index_partitioned": Case(_index, shape="sub_partitioned"),
    "replace_index": Case(lambda: op.replace_index_concurrently("t_v", "t", ["v", "id"], schema="s"), INDEXED),
    "drop_index": Case(lambda: op.drop_index_concurrently("t_v", schema="s"), INDEXED),
    "reindex": Case(lambda: op.reindex_concurrently(table_name="t", schema="s"), INDEXED),
    "reindex_partitioned": Case(lambda: op.reindex_concurrently("t_v", schema="s"), INDEXED, "sub_partitioned"),
    "foreign_key": Case(_foreign_key),
    "foreign_key_partitioned": Case(_foreign_key, shape="partitioned"),
    "check": Case(lambda: op.create_check_constraint_concurrently("c", "t", "v > 0", schema="s")),
    "unique": Case(lambda: op.create_unique_constraint_concurrently("u", "t", ["id", "k"], schema="s")),
    "unique_partitioned": Case(
        lambda: op.create_unique_constraint_concurrently("u", "t", ["id", "k"], schema="s"), shape="partitioned"
    ),
    "primary_key": Case(lambda: op.create_primary_key_concurrently("p", "t", ["ref", "id"], schema="s")),
    "validate": Case(
        lambda: op.validate_constraint("c", "t", schema="s"),
        ("ALTER TABLE s.t ADD CONSTRAINT c CHECK (v > 0) NOT VALID",),
        "partitioned",
    ),
    "drop_constraint": Case(
        lambda: op.drop_constraint_concurrently("c", "t", schema="s"),
        ("ALTER TABLE s.t ADD CONSTRAINT c FOREIGN KEY (ref) REFERENCES s.r",),
        "partitioned",
    ),
    "not_null": Case(lambda: op.set_not_null_concurrently("t", "ref", schema="s")),
    "add_column": Case(_add, KEYED, content=None, also="SELECT count(DISTINCT c)::text, '' FROM s.t"),
    "alter_column": Case(_alter),
    "drop_column": Case(lambda: op.drop_column_concurrently("t", "v", schema="s"), INDEXED),
    "drop_table": Case(
        lambda: op.drop_table_concurrently("t", schema="s"),
        ("ALTER TABLE s.t ADD FOREIGN KEY (ref) REFERENCES s.r",),
        content=None,
    ),
    "update_in_batches": Case(
        lambda: op.update_in_batches("t", {"v": sa.text("v + 1")}, schema="s", batch_size=100), KEYED
    ),
    "refresh": Case(
        lambda: op.refresh_materialized_view_concurrently("m", schema="s"),
        (
            "CREATE MATERIALIZED VIEW s.m AS SELECT id, v FROM s.t",
            "CREATE UNIQUE INDEX ON s.m (id)",
            "UPDATE s.t SET v = 9 WHERE id % 3 = 0",
        ),
        content="s.m",
    ),
    "enum": Case(
        lambda: op.add_enum_value_concurrently("e", "between", schema="s", after="one"),
        ("CREATE TYPE s.e AS ENUM ('one', 'two')",),
        also=ENUM,
    ),
    "publication": Case(
        lambda: op.set_publish_via_partition_root("kills"),
        (
            *SET,
            "DROP PUBLICATION IF EXISTS kills",
            "CREATE PUBLICATION kills FOR TABLE s.e",
        ),
        also="SELECT pubviaroot::text, '' FROM pg_publication WHERE pubname = 'kills'",
    ),
    "archive_table": Case(_archive, SET, content="s.all_of_e", also=RELATIONS),
    "drop_archive_table": Case(
        lambda: op.drop_archive_table("e", schema="s", view="all_of_e"),
        SET,
        first=_archive,
        content="s.e",
        also=RELATIONS,
    ),
    "repair_archive_table": Case(
        _repair,
        SET,
        first=_archive,
        content="s.e_archive",
        also="SELECT attname, '' FROM pg_attribute WHERE attrelid = 's.e_archive'::regclass AND attnum > 0",
    ),
    "cold_archive": Case(_cold, (*SET, *LOOPBACK), first=_archive, content="s.all_of_e", also=RELATIONS),
    "drop_cold_archive": Case(
        lambda: op.drop_cold_archive("e", schema="s"),
        (*SET, *LOOPBACK),
        first=_cold_archive,
        content="s.all_of_e",
        also=RELATIONS,
    ),
    "archive_policy": Case(
        lambda: op.set_archive_policy("e", "90 days", schema="s"), SET, first=_archive, content="s.e", also=ARCHIVES
    ),
    "drop_archive_policy": Case(
        lambda: op.drop_archive_policy("e", schema="s"), SET, first=_archived, content="s.e", also=OURS
    ),
    "restore_archive_table": Case(
        lambda: op.restore_archive_table("e", schema="s"), SET, first=_filled_archive, content="s.e", also=ARCHIVES
    ),
    "drop_retention": Case(
        lambda: op.drop_retention("e", schema="s"), SET, first=_retired, content="s.e", also=RETIRED
    ),
    "convert": Case(
        lambda: op.convert_to_partitioned("d", "at", "1 month", schema="s", strategy="attach"),
        DATED,
        content="s.d",
        also=CONFIG,
    ),
    "detach": Case(lambda: op.detach_partition_concurrently("e", "e1", schema="s"), SET, content="s.e1", also=RETIRED),
    "detach_beside_a_default": Case(
        lambda: op.detach_partition_concurrently("e", "e1", schema="s"),
        (*SET, "CREATE TABLE s.rest PARTITION OF s.e DEFAULT"),
        content="s.e1",
        also=RETIRED,
    ),
    "drop_partition": Case(
        lambda: op.drop_partition_concurrently("e", "e1", schema="s"), SET, content="s.e", also=RETIRED
    ),
    "attach": Case(
        lambda: op.attach_partition_concurrently("e", "own", "2026-03-01", "2026-04-01", schema="s"), OWN, content="s.e"
    ),
    "attach_again": Case(
        lambda: op.attach_partition_concurrently("e", "e1", "2026-01-01", "2026-02-01", schema="s"),
        SET,
        first=lambda: op.detach_partition_concurrently("e", "e1", schema="s"),
        content="s.e",
        also=RETIRED,
    ),
    "unpartition": Case(
        lambda: op.unpartition("d", schema="s"),
        DATED,
        first=lambda: op.convert_to_partitioned("d", "at", "1 month", schema="s", strategy="attach"),
        content="s.d",
        also=CONFIG,
    ),
    "drain_default": Case(
        lambda: op.drain_default_concurrently("d", schema="s", workers=2),
        COPIED,
        first=lambda: _register(),
        content="s.d",
        also=PARTITIONS,
    ),
    "split_partition": Case(
        lambda: op.split_partition_concurrently("d", "d_old", schema="s"),
        COPIED,
        first=lambda: _register(),
        content="s.d",
        also=PARTITIONS,
    ),
    "baseline": Case(lambda: op.create_baseline(_baseline()), also=LEDGER),
    "drop_baseline": Case(lambda: op.drop_baseline(_baseline()), first=lambda: op.create_baseline(_baseline())),
    "extension": Case(lambda: op.create_extension("pg_trgm"), also=EXTENSION),
    "drop_extension": Case(
        lambda: op.drop_extension("pg_trgm"), first=lambda: op.create_extension("pg_trgm"), also=EXTENSION
    ),
    "part_config": Case(lambda: op.create_part_config(), also=CONFIG),
    "set": Case(_set, also=CONFIG),
    "next": Case(
        lambda: op.create_next_partitions("p", schema="s", until="2030-01-01"), first=_set, also=CONFIG, content="s.p"
    ),
    "policy": Case(lambda: op.set_partition_policy("p", schema="s", premake=7), first=_set, also=PREMAKE),
    "no_policy": Case(lambda: op.drop_partition_policy("p", schema="s"), first=_set, also=PREMAKE),
    "ttl": Case(lambda: op.set_ttl_policy("d", "at", schema="s", age="90 days"), (*DATED, D_AT), also=TTL),
    "no_ttl": Case(
        lambda: op.drop_ttl_policy("d", schema="s"),
        (*DATED, D_AT),
        first=lambda: op.set_ttl_policy("d", "at", schema="s"),
        also="SELECT coalesce(to_regclass('schema_kit.ttl_policy')::text, ''), ''",
    ),
    "ignore": Case(_ignore, also=IGNORED),
    "heed": Case(
        lambda: op.heed_health_finding("index_unused", "p", "a", schema="s"),
        first=_ignore,
        also="SELECT coalesce(to_regclass('schema_kit.health_ignored')::text, ''), ''",
    ),
    "install_partman": Case(lambda: op.install_partman_sql(), NO_PARTMAN, also=PARTMAN),
    "remove_partman": Case(
        lambda: op.remove_partman_sql(), NO_PARTMAN, first=lambda: op.install_partman_sql(), also=PARTMAN
    ),
    "drop_part_config": Case(lambda: op.drop_part_config(), first=lambda: op.create_part_config()),
}


def test_each_operation_is_killed() -> None:
    offered = re.findall(r"^def (\w+)", Path(schema_kit.op.__file__).with_suffix(".pyi").read_text(), re.MULTILINE)
    used = re.findall(r"\bop\.(\w+)\(", Path(__file__).read_text())
    of_a_cluster = {"distribute_table_concurrently", "undistribute_table"}  # tests/postgres/test_citus_cluster.py
    assert set(offered) - set(used) == {"lock_policy", *of_a_cluster}


@contextmanager
def _connection(url: str) -> Iterator[sa.Connection]:
    with environment.connect(sa.make_url(url), autocommit=True) as connection:
        yield connection


def _begin(database: Database, case: Case) -> None:
    database.sql("SET client_min_messages = error", "DROP SCHEMA IF EXISTS s, schema_kit CASCADE")
    database.sql("SET client_min_messages = error", "DROP EXTENSION IF EXISTS pg_trgm CASCADE", "CREATE SCHEMA s")
    database.sql(*SHAPES[case.shape], *COMMON, *case.before)
    if case.first:
        _perform(database, case.first)


def _perform(database: Database, operate: Callable[[], None]) -> None:
    with _connection(database.url) as connection, schema_kit.operations(connection, policy=PATIENT):
        operate()


def _end(database: Database, case: Case) -> list[Any]:
    content = database.sql(CONTENT.format(case.content)) if case.content else []
    return [state(database), content, sorted(database.sql(case.also))]


def _moves(event: Event) -> bool:
    return isinstance(event, StepStarted | StepProgress)


def child(url: str, name: str, stop_at: int, lines: Connection) -> None:
    """Perform an operation, with a line for each step; wait for ever before the step of that number."""
    seen = 0

    def tell(event: Event) -> None:
        nonlocal seen
        if _moves(event):
            seen += 1
            lines.send(event.step.summary)
            if seen == stop_at:
                lines.recv()

    report.to_logging = tell
    with _connection(url) as connection, schema_kit.operations(connection, policy=PATIENT):
        CASES[name].operate()


def _killed(database: Database, name: str, line: int, *, between: bool) -> int | None:
    here, there = PROCESSES.Pipe()
    process = PROCESSES.Process(target=child, args=(database.url, name, line if between else 0, there))
    process.start()
    there.close()
    with here:
        for _ in range(line):
            here.recv()
        process.kill()
        process.join()
    return process.exitcode


LONGER = (
    *("cold_archive", "drop_cold_archive"),
    *("create_index", "add_column", "update_in_batches", "archive_table", "drop_archive_table", "repair_archive_table"),
    *(
        "archive_policy",
        "drop_archive_policy",
        "cold_archive",
        "drop_cold_archive",
        "restore_archive_table",
        "drop_retention",
        "convert",
        "attach",
    ),
    *("attach_again", "unpartition", "drain_default", "split_partition", "set", "next", "reindex", "drop_index"),
    *("foreign_key", "unique", "primary_key", "check", "no_policy", "no_ttl", "drop_part_config", "drop_extension"),
    *("install_partman", "remove_partman"),
)


@pytest.mark.parametrize("name", longer(CASES, *LONGER))
def test_killed_and_run_again_it_ends_as_if_nothing_had_been(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case = CASES[name]
    events: list[Event] = []
    _begin(database, case)
    with monkeypatch.context() as patch:
        patch.setattr(report, "to_logging", events.append)
        _perform(database, case.operate)
    expected = _end(database, case)
    # One step is committed at least; what is one commit as a whole is killed before or in it.
    steps = sum(map(_moves, events))
    line = min(steps, 2 + steps // 3)
    for between in (True, False):
        _begin(database, case)
        code = _killed(database, name, line, between=between)
        # Between two steps it is stopped, so the kill is never late.
        assert code == -signal.SIGKILL or not between
        _perform(database, case.operate)
        assert _end(database, case) == expected, f"killed at line {line} of {steps}, between steps: {between}"
