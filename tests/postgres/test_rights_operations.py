"""Each operation names each right that it lacks, and goes on once that is granted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from schema_kit.catalog.blockers import blockers, holders, waited_for
from schema_kit.errors import SchemaKitError
from schema_kit.names import QualifiedName
from schema_kit.steps.partitions import Analyze
from tests.support.database import Database
from tests.support.matrix import SHAPES, Operate, build, perform, thinned
from tests.support.operations import COLUMNS, CONSTRAINTS, INDEXES
from tests.support.rights import PAGE, Limited, limited, row_of, until_it_goes_on

pytestmark = [pytest.mark.steps, pytest.mark.majors]

MORE = (
    "CREATE TABLE s.log (id bigint PRIMARY KEY, at timestamptz NOT NULL, word text)",
    "CREATE INDEX ON s.log (at)",
    "INSERT INTO s.log SELECT i, now() - i * interval '1 day', 'w' FROM generate_series(1, 90) i",
    "CREATE TABLE s.child (id bigint PRIMARY KEY, log_id bigint REFERENCES s.log ON DELETE CASCADE)",
    "CREATE INDEX ON s.child (log_id)",
    "CREATE VIEW s.seen AS SELECT id, v FROM s.t",
    "CREATE MATERIALIZED VIEW s.sums AS SELECT k, count(*) AS n FROM s.t GROUP BY k",
    "CREATE UNIQUE INDEX ON s.sums (k)",
)
SET: tuple[Operate, ...] = (
    lambda op: op.create_part_config(),
    lambda op: op.create_partitioned_table(
        "set", sa.Column("id", sa.BigInteger, primary_key=True), schema="s", control="id", interval="100", premake=1
    ),
)
ARCHIVE: tuple[Operate, ...] = (
    lambda op: op.create_archive_table("log", schema="s"),
    lambda op: op.set_archive_policy("log", "60 days", schema="s", way="rows", control="at"),
)

OPERATIONS: dict[str, tuple[tuple[Operate, ...], Operate]] = {
    "update_in_batches": ((), lambda op: op.update_in_batches("log", {"word": "x"}, where="id < 9", schema="s")),
    "refresh_materialized_view_concurrently": (
        (),
        lambda op: op.refresh_materialized_view_concurrently("sums", schema="s"),
    ),
    "create_part_config": ((), SET[0]),
    "create_partitioned_table": (SET[:1], SET[1]),
    "create_partitioned_table without part_config": ((), SET[1]),
    "set_partition_policy": (SET, lambda op: op.set_partition_policy("set", premake=3, schema="s")),
    "drop_partition_policy": (SET, lambda op: op.drop_partition_policy("set", schema="s")),
    "create_next_partitions": (SET, lambda op: op.create_next_partitions("set", schema="s")),
    "drop_retention": (SET, lambda op: op.drop_retention("set", schema="s")),
    "detach_partition_concurrently": (SET, lambda op: op.detach_partition_concurrently("set", "set_p100", schema="s")),
    "drop_partition_concurrently": (SET, lambda op: op.drop_partition_concurrently("set", "set_p100", schema="s")),
    "unpartition": (SET, lambda op: op.unpartition("set", schema="s")),
    "drop_part_config": (SET[:1], lambda op: op.drop_part_config()),
    "convert_to_partitioned by attaching": (
        (),
        lambda op: op.convert_to_partitioned("child", "id", "100", schema="s", premake=1, strategy="attach"),
    ),
    "convert_to_partitioned by a copy": (
        (),
        lambda op: op.convert_to_partitioned("child", "id", "100", schema="s", premake=1, strategy="copy"),
    ),
    "create_archive_table": ((), ARCHIVE[0]),
    "set_archive_policy": (ARCHIVE[:1], ARCHIVE[1]),
    "drop_archive_policy": (ARCHIVE, lambda op: op.drop_archive_policy("log", schema="s")),
    "drop_archive_table": (ARCHIVE[:1], lambda op: op.drop_archive_table("log", schema="s")),
    "repair_archive_table": (ARCHIVE, lambda op: op.repair_archive_table("log", schema="s")),
    "restore_archive_table": (ARCHIVE, lambda op: op.restore_archive_table("log", schema="s")),
    "set_ttl_policy": ((), lambda op: op.set_ttl_policy("log", "at", age="90 days", schema="s")),
    "create_extension": ((), lambda op: op.create_extension("pg_trgm")),
    "add_enum_value_concurrently": ((), lambda op: op.add_enum_value_concurrently("mood", "bad", schema="s")),
    "create_baseline": ((), lambda op: op.create_baseline(_baseline())),
}


def _baseline() -> sa.MetaData:
    metadata = sa.MetaData(schema="s")
    sa.Table("fresh", metadata, sa.Column("id", sa.Integer, primary_key=True))
    return metadata


def ordinary() -> dict[str, Operate]:
    """Operations on one table: indexes, constraints, columns."""
    return {
        **{f"index: {name}": case.operate for name, case in INDEXES.items() if not case.before},
        **{f"constraint: {name}": case.operate for name, case in CONSTRAINTS.items() if not case.before},
        **{f"column: {name}": operate for name, (operate, _) in COLUMNS.items()},
    }


def refusal(some: Limited, operate: Operate) -> Callable[[], str]:
    """Run it as the role that has few rights; what it says, where it is refused."""

    def run() -> str:
        try:
            perform(some.own, operate)
        except SchemaKitError as error:
            return str(error)
        return ""

    return run


def prepared(database: Database, shape: str = "plain") -> None:
    build(database, shape)
    if shape == "plain":
        database.sql(*MORE, "CREATE TYPE s.mood AS ENUM ('good')")


FIRST = "index: create", "constraint: foreign_key", "column: add_volatile"


@pytest.mark.parametrize("name", thinned(ordinary(), *FIRST))
@pytest.mark.parametrize("shape", thinned(SHAPES, "plain", "partitioned"))
def test_what_changes_one_table(database: Database, shape: str, name: str) -> None:
    build(database, shape)
    if name == "column: add_volatile":  # its batches page through a key
        database.sql("ALTER TABLE s.t ADD PRIMARY KEY (id, k, v)")
    with limited(database) as some:
        some.owned("s")
        granted = until_it_goes_on(some, refusal(some, ordinary()[name]))
        assert any(some.owner in grant for grant in granted), granted


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_other_operation(database: Database, name: str) -> None:
    before, operate = OPERATIONS[name]
    prepared(database)
    with limited(database) as some:
        for one in before:
            perform(database, one)
        made = database.sql("SELECT nspname FROM pg_namespace WHERE nspname IN ('s', 'schema_kit')")
        some.owned(*(row[0] for row in made))
        database.sql(f"ALTER TYPE s.mood OWNER TO {some.owner}")
        granted = until_it_goes_on(some, refusal(some, operate))
    row = row_of(name, granted)
    assert row in PAGE.read_text("utf-8"), row


def test_what_is_only_looked_at_during_the_work_may_be_out_of_reach(database: Database) -> None:
    """Who blocks, what was sent before: seen where it can be, and no reason to refuse."""
    build(database, "plain")
    with limited(database) as some, some.own.sqlalchemy() as connection:
        assert blockers(connection, Analyze(QualifiedName("s", "t")).locks) == ()
        assert waited_for(connection, Analyze(QualifiedName("s", "t")).locks) == ()
        assert holders(connection) == ()
