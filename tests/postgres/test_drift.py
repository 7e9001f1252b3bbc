"""Each difference that Alembic does not see: exactly its operation, which leaves nothing to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tests.support.autogenerate import Written, calls
from tests.support.database import Database

pytestmark = [
    pytest.mark.autogenerate,
    pytest.mark.majors,
    pytest.mark.libraries,
    pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'"),  # SQLAlchemy's, of NOT VALID
]


FILLED: dict[str, Any] = {"postgresql_with": {"fillfactor": 80}}
if "with" not in dict(postgresql.dialect.construct_arguments or ())[sa.Table]:  # SQLAlchemy 2.0
    FILLED = {}


def models(partition_by: str = "RANGE (at)") -> sa.MetaData:
    """One plain table and one that is partitioned, with something of each kind."""
    metadata = sa.MetaData()
    sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    orders = sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, sa.ForeignKey("people.id", name="orders_person")),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("tags", postgresql.JSONB),
        sa.CheckConstraint("total > 0 AND lower(name) <> 'x'", name="total_positive"),
        **FILLED,
    )
    sa.Index("by_name", orders.c.name, postgresql_ops={"name": "text_pattern_ops"})
    sa.Index("by_tags", orders.c.tags, postgresql_using="gin", postgresql_ops={"tags": "jsonb_path_ops"})
    sa.Index("by_total", orders.c.total, postgresql_where=orders.c.total > 5)
    sa.Index("by_person", orders.c.person, postgresql_include=["total"], postgresql_with={"fillfactor": 70})
    sa.Index("by_id", orders.c.id.desc())
    events = sa.Table(
        "events",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), primary_key=True),
        sa.Column("word", sa.Text),
        postgresql_partition_by=partition_by,
    )
    sa.Index("by_word", events.c.word)
    return metadata


PARTITIONS = (
    "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    "CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')",
)
PLAIN = (
    "DROP TABLE events",
    "CREATE TABLE events (id bigint, at timestamptz, word text, PRIMARY KEY (id, at))",
    "CREATE INDEX by_word ON events (word)",
)


@dataclass(frozen=True)
class Case:
    """SQL that makes the difference, and the operations that take it away; else words of the sentence."""

    sql: tuple[str, ...]
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    says: str = ""
    since: int = 14


def again(index: str) -> Case:
    name = index.split()[2]
    return Case((f"DROP INDEX {name}", index), ("replace_index_concurrently",), ("replace_index_concurrently",))


CREATE, VALIDATE = ("create_index_concurrently",), ("validate_constraint",)
SILENT = {
    "index INVALID": Case(("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_id'::regclass",), CREATE),
    "INVALID on one leaf": Case(
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'events_2_word_idx'::regclass",), CREATE
    ),
    "missing on one leaf": Case(("DROP INDEX by_word", "CREATE INDEX by_word ON ONLY events (word)"), CREATE),
    "predicate other": again("CREATE INDEX by_total ON orders (total) WHERE total > 6"),
    "predicate gone": again("CREATE INDEX by_total ON orders (total)"),
    "predicate that the models do not have": again("CREATE INDEX by_id ON orders (id DESC) WHERE total > 5"),
    "opclass of btree": again("CREATE INDEX by_name ON orders (name)"),
    "opclass of GIN": again("CREATE INDEX by_tags ON orders USING gin (tags)"),
    "access method": again("CREATE INDEX by_id ON orders USING brin (id)"),
    "INCLUDE": again("CREATE INDEX by_person ON orders (person) WITH (fillfactor = 70)"),
    "storage parameter of an index": again("CREATE INDEX by_person ON orders (person) INCLUDE (total)"),
    "storage parameter of a table": Case(("ALTER TABLE orders SET (fillfactor = 90)",), ("execute",), ("execute",)),
    "no storage parameter of a table": Case(("ALTER TABLE orders RESET (fillfactor)",), ("execute",), ("execute",)),
    "CHECK NOT VALID": Case(
        (
            "ALTER TABLE orders DROP CONSTRAINT total_positive",
            "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0 AND lower(name) <> 'x') NOT VALID",
        ),
        VALIDATE,
    ),
    "CHECK other": Case(
        (
            "ALTER TABLE orders DROP CONSTRAINT total_positive",
            "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 1)",
        ),
        ("drop_constraint_concurrently", "create_check_constraint_concurrently"),
        ("drop_constraint_concurrently", "create_check_constraint_concurrently"),
    ),
    "CHECK missing": Case(
        ("ALTER TABLE orders DROP CONSTRAINT total_positive",),
        ("create_check_constraint_concurrently",),
        ("drop_constraint_concurrently",),
    ),
    "FK NOT VALID": Case(
        (
            "ALTER TABLE orders DROP CONSTRAINT orders_person",
            "ALTER TABLE orders ADD CONSTRAINT orders_person FOREIGN KEY (person) REFERENCES people NOT VALID",
        ),
        VALIDATE,
    ),
    "NOT NULL NOT VALID": Case(
        (
            "ALTER TABLE orders ALTER COLUMN total DROP NOT NULL",
            "ALTER TABLE orders ADD CONSTRAINT n NOT NULL total NOT VALID",
        ),
        VALIDATE,
        since=18,
    ),
    "other partition key": Case(
        (
            "DROP TABLE events",
            "CREATE TABLE events (id bigint, at timestamptz, word text, PRIMARY KEY (id, at)) PARTITION BY RANGE (id)",
            "CREATE INDEX by_word ON events (word)",
        ),
        says="events is partitioned by RANGE (id), and the models say RANGE (at)",
    ),
    "not partitioned at all": Case(PLAIN, ("convert_to_partitioned",), ("unpartition",)),
    "primary key missing": Case(
        ("ALTER TABLE orders DROP CONSTRAINT orders_pkey",),
        ("create_primary_key_concurrently",),
        ("drop_constraint_concurrently",),
    ),
}


@pytest.mark.parametrize("env", ["environment.run", "hand-written"])
@pytest.mark.parametrize("case", SILENT)
def test_a_silent_difference_is_its_operation(database: Database, tmp_path: Path, case: str, env: str) -> None:
    one = SILENT[case]
    if database.connect().info.server_version < one.since * 10000:
        pytest.skip("PostgreSQL has it from a later version on")
    if "parameter of a table" in case and not FILLED:
        pytest.skip("models have it from SQLAlchemy 2.1 on")
    project = Written(tmp_path, database.url, models(), env)
    with database.sqlalchemy() as connection:
        project.models.create_all(connection)
    database.sql(*PARTITIONS)
    assert project.diffs() == []
    assert project.sentences == []
    database.sql(*one.sql)
    if one.says:
        assert project.diffs() == []
        assert [one.says in said for said in project.sentences] == [True]
        return
    assert project.diffs() != []
    before = project.head()
    scripts = project.revision()
    up = [call for script in scripts for call in calls(script)]
    down = [call for script in reversed(scripts) for call in calls(script, "downgrade")]
    assert (tuple(up), tuple(down)) == (one.up, one.down)
    project.upgrade()
    assert project.diffs() == []
    project.downgrade(before)
    project.upgrade()
    assert project.diffs() == []
