"""States that commands and operations leave: each is stopped between its commits, in a schema of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any
from unittest import mock

import sqlalchemy as sa

import schema_kit
from schema_kit import execute, op
from schema_kit.files import export, restore
from tests.support.cli import shell
from tests.support.database import QUICK, Database
from tests.support.matrix import Stopped
from tests.support.tables import months

Operate = Callable[[Database, str], None]
"""What is done in a database, to the tables of a schema."""

NOW = "2026-09-20"
COLUMNS = "id bigint NOT NULL, k int NOT NULL, v int DEFAULT 1, ref bigint, word varchar(20)"
ROWS = (
    "CREATE TABLE {s}.r (id bigint PRIMARY KEY)",
    "INSERT INTO {s}.r SELECT generate_series(1, 9)",
    "INSERT INTO {s}.t SELECT i, i % 10, 1 + i % 3, 1 + i % 9, 'w' || i FROM generate_series(1, 40) i",
)
PLAIN = (f"CREATE TABLE {{s}}.t ({COLUMNS})", *ROWS)
PARTS = (
    f"CREATE TABLE {{s}}.t ({COLUMNS}) PARTITION BY RANGE (k)",
    "CREATE TABLE {s}.t1 PARTITION OF {s}.t FOR VALUES FROM (0) TO (5)",
    "CREATE TABLE {s}.t2 PARTITION OF {s}.t FOR VALUES FROM (5) TO (10)",
    *ROWS,
)
INDEXED = ("CREATE INDEX t_v ON {s}.t (v)",)
DATED = (
    "CREATE TABLE {s}.r (id bigint PRIMARY KEY)",
    "INSERT INTO {s}.r SELECT generate_series(1, 9)",
    "CREATE TABLE {s}.e (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text, ref bigint REFERENCES {s}.r)",
    "CREATE INDEX e_word ON {s}.e (word)",
    "INSERT INTO {s}.e SELECT i, '2026-01-20+00'::timestamptz + i * interval '1 day', 'w', 1 + i % 9 "
    "FROM generate_series(1, 90) i",
)
SET = (
    "CREATE TABLE {s}.r (id bigint PRIMARY KEY)",
    "CREATE TABLE {s}.e (id bigint REFERENCES {s}.r, at timestamptz NOT NULL, word text, PRIMARY KEY (id, at)) "
    "PARTITION BY RANGE (at)",
    "CREATE INDEX e_word ON {s}.e (word)",
    *months("{s}.e", 1, 3),
    "INSERT INTO {s}.r SELECT generate_series(0, 80)",
    "INSERT INTO {s}.e SELECT i, '2026-01-01+00'::timestamptz + i * interval '1 day', 'w' "
    "FROM generate_series(0, 80) i",
    "CREATE TABLE {s}.ec (id bigint, at timestamptz, FOREIGN KEY (id, at) REFERENCES {s}.e)",
)
REST = ("CREATE TABLE {s}.rest PARTITION OF {s}.e DEFAULT",)
LATE = (*REST, "INSERT INTO {s}.e SELECT i, '2026-08-05+00', 'late' FROM generate_series(1, 30) i")
AGED = (
    "CREATE TABLE {s}.a (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "CREATE INDEX a_at ON {s}.a (at)",
    "INSERT INTO {s}.a SELECT i, '2026-01-01+00'::timestamptz + i * interval '2 days' FROM generate_series(0, 90) i",
)


@dataclass(frozen=True)
class Case:
    """What is done, on which tables."""

    before: tuple[str, ...]
    operate: Operate
    first: Operate = lambda database, schema: None
    """Done undisturbed before it: no model knows what it makes."""
    makes: frozenset[str] = field(default=frozenset())
    """Tables that the models have from then on."""


def ops(*work: Callable[[str], None]) -> Operate:
    """Operations, each of which gets the schema."""

    def operate(database: Database, schema: str) -> None:
        for one in work:
            with database.sqlalchemy() as connection, schema_kit.operations(connection, policy=QUICK):
                one(schema)

    return operate


def cli(*words: str, code: int = 0) -> Operate:
    """A command, with {s} for the schema."""

    def operate(database: Database, schema: str) -> None:
        done = shell(database, *(word.format(s=schema) for word in words))
        assert done.returncode == code, done.stderr

    return operate


def one(name: str, *arguments: Any, **keywords: Any) -> Callable[[str], None]:
    """A call of an operation in the schema."""
    return lambda schema: getattr(op, name)(*arguments, **keywords, schema=schema)


def both(*several: Operate) -> Operate:
    """One after the other."""

    def operate(database: Database, schema: str) -> None:
        for work in several:
            work(database, schema)

    return operate


def foreign_key(schema: str) -> None:
    op.create_foreign_key_concurrently("t_ref", "t", "r", ["ref"], ["id"], source_schema=schema, referent_schema=schema)


def baseline(schema: str) -> None:
    metadata = sa.MetaData(schema=schema)
    sa.Table("one", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    reference = sa.Column("o", sa.BigInteger, sa.ForeignKey(f"{schema}.one.id"))
    sa.Table("two", metadata, sa.Column("id", sa.BigInteger, primary_key=True), reference)
    op.create_baseline(metadata)


def new_set(schema: str) -> None:
    op.create_partitioned_table(
        "p",
        *(sa.Column("id", sa.BigInteger), sa.Column("at", sa.DateTime(timezone=True)), sa.Column("word", sa.Text)),
        sa.PrimaryKeyConstraint("id", "at", "word"),
        schema=schema,
        control="at",
        interval="1 month",
        premake=2,
        partition_by=op.by_list("word", {"a": ["w1", "w2"]}, default=True),
        sub_partitions=op.by_hash("id", 2),
    )


def policy(**more: Any) -> Operate:
    """The months are one partitioned table."""
    one_month = {"control": "at", "interval": "1 month"}
    return ops(lambda _: op.create_part_config(), one("set_partition_policy", "e", **one_month, **more))


convert = partial(one, "convert_to_partitioned", "e", "at", "3 months", premake=1)
ARCHIVED = both(
    policy(),
    ops(one("create_archive_table", "e", view="all_of_e"), one("set_archive_policy", "e", "90 days")),
)
BY_ROWS = ops(one("create_archive_table", "a"), one("set_archive_policy", "a", "90 days", way="rows", control="at"))
RUN = cli("archive", "run", "{s}.e", "--yes", "--now", NOW)
BACK = cli("archive", "restore", "{s}.e", "--since", "2026-02-01", "--until", "2026-04-01")
TO_FILES = cli("archive", "export", "{s}.e_01", "--to", ".", "--drop", "--yes")

INDEXES = {
    "index": Case(PLAIN, ops(one("create_index_concurrently", "t_v", "t", ["v"]))),
    "index_of_parts": Case(PARTS, ops(one("create_index_concurrently", "t_v", "t", ["v", "word"]))),
    "replaced": Case((*PARTS, *INDEXED), ops(one("replace_index_concurrently", "t_v", "t", ["v", "id"]))),
    "dropped_index": Case((*PARTS, *INDEXED), ops(one("drop_index_concurrently", "t_v", "t"))),
    "reindexed": Case((*PLAIN, *INDEXED), ops(one("reindex_concurrently", table_name="t"))),
}
CONSTRAINTS = {
    "foreign_key": Case(PARTS, ops(foreign_key)),
    "checked": Case(PLAIN, ops(one("create_check_constraint_concurrently", "t_c", "t", "v > 0"))),
    "unique": Case(PLAIN, ops(one("create_unique_constraint_concurrently", "t_u", "t", ["id"]))),
    "unique_of_parts": Case(PARTS, ops(one("create_unique_constraint_concurrently", "t_u", "t", ["id", "k"]))),
    "primary_key": Case(PLAIN, ops(one("create_primary_key_concurrently", "t_p", "t", ["ref", "id"]))),
    "not_null": Case(PARTS, ops(one("set_not_null_concurrently", "t", "ref"))),
}
TABLES = {
    "altered": Case(
        PLAIN, ops(one("alter_column_concurrently", "t", "word", type_=sa.Text(), server_default="w", nullable=False))
    ),
    "dropped_column": Case((*PLAIN, *INDEXED), ops(one("drop_column_concurrently", "t", "v"))),
    "updated": Case(
        (*PLAIN, "ALTER TABLE {s}.t ADD PRIMARY KEY (id)"),
        ops(one("update_in_batches", "t", {"v": 7}, batch_size=10)),
    ),
    "dropped": Case(PLAIN, ops(one("drop_table_concurrently", "t"))),
    "baseline": Case((), ops(baseline), makes=frozenset({"one", "two"})),
    "new_set": Case((), ops(lambda _: op.create_part_config(), new_set), makes=frozenset({"p"})),
}
CONVERSIONS = {
    "attached": Case(DATED, ops(convert(strategy="attach"))),
    "copied": Case(DATED, ops(convert(strategy="copy", keep_old="fed"))),
    "finished": Case(
        DATED,
        cli("partitions", "convert", "{s}.e", "--finish", "--yes"),
        ops(convert(strategy="copy", keep_old="fed")),
    ),
    "rolled_back": Case(
        DATED,
        cli("partitions", "convert", "{s}.e", "--rollback", "--yes"),
        ops(convert(strategy="copy", keep_old="fed")),
    ),
    "undone": Case(DATED, cli("partitions", "undo", "{s}.e", "--yes"), ops(convert(strategy="attach"))),
}
PARTITIONS = {
    "detached": Case(SET, ops(one("detach_partition_concurrently", "e", "e_01"))),
    "detached_beside": Case((*SET, *REST), ops(one("detach_partition_concurrently", "e", "e_01"))),
    "dropped_part": Case(SET, ops(one("drop_partition_concurrently", "e", "e_01"))),
    "attached_again": Case(
        SET,
        ops(one("attach_partition_concurrently", "e", "e_01", "2026-01-01", "2026-02-01")),
        ops(one("detach_partition_concurrently", "e", "e_01")),
    ),
    "drained": Case((*SET, *LATE), ops(one("drain_default_concurrently", "e")), policy()),
    "retired": Case(
        SET,
        cli("partitions", "retire", "{s}.e", "--now", NOW, "--no-grace", "--yes"),
        policy(retention="90 days", retention_keep_table=False),
    ),
    "maintained": Case(SET, cli("partitions", "maintain", "{s}.e", "--now", "2026-07-20"), policy(retention="90 days")),
}
ARCHIVES = {
    "archive": Case(SET, ARCHIVED),
    "archived": Case(SET, RUN, ARCHIVED),
    "restored": Case(SET, BACK, both(ARCHIVED, RUN)),
    "all_restored": Case(SET, ops(one("restore_archive_table", "e")), both(ARCHIVED, RUN)),
    "archived_rows": Case(AGED, cli("archive", "run", "{s}.a", "--yes", "--now", NOW), BY_ROWS),
    "expired": Case(
        AGED,
        cli("ttl", "run", "{s}.a", "--yes", "--now", NOW),
        ops(one("set_ttl_policy", "a", "at", age="90 days")),
    ),
    "exported": Case(SET, TO_FILES, policy()),
    "imported": Case(SET, cli("archive", "import", "--manifest", "{s}.e"), both(policy(), TO_FILES)),
}
GROUPS = {
    "indexes": INDEXES,
    "constraints": CONSTRAINTS,
    "tables": TABLES,
    "conversions": CONVERSIONS,
    "partitions": PARTITIONS,
    "archives": ARCHIVES,
}


def stopped(work: Callable[[], None], commits: int | None = None) -> list[type]:
    """Stop *work* after so many commits, as a kill between two of them would; the kinds of those that were done."""
    kinds: list[type] = []

    class Counted(execute.StepDone):
        def __init__(self, step: Any, *more: Any) -> None:
            super().__init__(step, *more)
            kinds.append(type(step))
            if len(kinds) == commits:
                raise Stopped

    with ExitStack() as stack:
        for module in (execute, export, restore):
            stack.enter_context(mock.patch.object(module, "StepDone", Counted))
        with suppress(Stopped):
            work()
    return kinds


def states(database: Database, name: str, case: Case) -> list[str]:
    """Make the states that *case* can be stopped in, wherever one kind of step follows another.

    Returns:
        The schemas that hold them: that before it first, that after it last.
    """

    def begun(place: str) -> str:
        schema = f"{name}_{place}"
        database.sql(f"CREATE SCHEMA {schema}", *(statement.format(s=schema) for statement in case.before))
        case.first(database, schema)
        return schema

    before, done = begun("before"), begun("done")
    kinds = stopped(partial(case.operate, database, done))
    between = {(one, other): place for place, (one, other) in enumerate(pairwise(kinds), 1)}
    schemas = [before]
    for place in sorted(between.values()):
        schemas.append(begun(str(place)))
        stopped(partial(case.operate, database, schemas[-1]), place)
    return [*schemas, done]
