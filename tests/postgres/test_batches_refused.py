"""Updates in batches that are refused, that PostgreSQL refuses, or that begin again for another table."""

from __future__ import annotations

import math
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from schema_kit import environment
from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.ops import Settings
from tests.support.batches import ONE_MORE, ROWS, SMALL, TABLE, Stopped, counts, offline, stopped_after, update
from tests.support.database import QUICK, Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]


def test_a_column_or_table_that_was_made_again_is_updated_again(database: Database) -> None:
    database.sql(*TABLE)
    update(database)
    database.sql("ALTER TABLE t DROP n", "ALTER TABLE t ADD n int NOT NULL DEFAULT 0")
    update(database)
    assert counts(database) == [(1, ROWS)]
    database.sql("DROP TABLE t", *TABLE)
    update(database)
    assert counts(database) == [(1, ROWS)]
    assert update(database) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no table": ({"table": "u"}, "there is no such table"),
    "a view": ({"table": "v"}, "is a view, and this is for a table"),
    "no primary key": ({"table": "keyless"}, "op.create_primary_key_concurrently"),
    "no column": ({"values": {"m": 1}}, "has no column m .* It has id, n, touched, word"),
    "computed": ({"values": {"computed": 1}, "table": "other"}, "has no column computed"),
    "of the key": ({"values": {"id": 1}}, "id belongs to the primary key"),
    "another's name": ({"name": "taken"}, "'taken' for another update, of public.t: SET \"n\" = n - 1"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_done_is_refused_before_anything_is_written(database: Database, reason: str) -> None:
    options, message = REFUSED[reason]
    database.sql(
        *TABLE,
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE TABLE keyless (n int)",
        "CREATE TABLE other (id int PRIMARY KEY, computed int GENERATED ALWAYS AS (id * 2) STORED)",
    )
    update(database, {"n": sa.text("n - 1")}, where="false", name="taken")
    with pytest.raises(PlanError, match=message):
        update(database, **options)
    assert counts(database) == [(0, ROWS)]


def test_a_key_that_changed_meanwhile_is_refused(database: Database) -> None:
    database.sql(*TABLE)
    with pytest.raises(Stopped):
        perform(database, lambda op: op.update_in_batches("t", ONE_MORE, **SMALL), on=stopped_after(2))
    database.sql("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, touched)")
    with pytest.raises(PlanError, match=r"in the order of \(id\), and the primary key is \(id, touched\) now"):
        update(database)


def test_a_batch_that_postgresql_refuses_leaves_those_before_it(database: Database) -> None:
    database.sql(*TABLE, "ALTER TABLE t ADD CHECK (id <> 55 OR n = 0)")
    with pytest.raises(ExecutionError, match="violates check constraint"):
        update(database)
    assert counts(database) == [(0, 50), (1, 50)]
    database.sql("ALTER TABLE t DROP CONSTRAINT t_check")
    update(database)
    assert counts(database) == [(1, ROWS)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0, not from 1 to 100000"),
        ({"batch_size": 100_001}, "batch_size"),
        ({"target_seconds": 0}, "target_seconds"),
        ({"target_seconds": math.nan}, "target_seconds"),
        ({"max_replica_lag": -1}, "max_replica_lag"),
        ({"max_dead_share": 1.5}, "max_dead_share"),
        ({"values": {}}, "values are empty"),
        ({"values": {"n": object()}}, "has no literal in SQL"),
        ({"values": {"n": [1]}}, "has no literal in SQL"),
        ({"values": {"n": "nul \0"}}, "NUL"),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_database(options: dict[str, Any], message: str) -> None:
    given = {"values": ONE_MORE} | options
    with pytest.raises(DeclarationError, match=message):
        offline(lambda op: op.update_in_batches("t", **given))


def test_an_owner_from_whom_row_security_hides_rows_is_refused(database: Database) -> None:
    role = f"owner_{uuid.uuid4().hex}"
    database.sql(
        *TABLE,
        f"CREATE ROLE {role} LOGIN",
        f"GRANT CREATE ON DATABASE {database.sql('SELECT quote_ident(current_database())')[0][0]} TO {role}",
        f"ALTER TABLE t OWNER TO {role}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "CREATE POLICY odd ON t USING (id % 2 = 1)",
    )
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg", username=role)

    def as_owner() -> None:
        with environment.connect(url, autocommit=True) as connection:
            context = MigrationContext.configure(connection, opts={"schema_kit": Settings(policy=QUICK)})
            made: Any = Operations(context)
            made.update_in_batches("t", ONE_MORE, **SMALL)

    try:
        with pytest.raises(ExecutionError, match=r"row security of public\.t hides rows"):
            as_owner()
        assert counts(database) == [(0, ROWS)]
        assert database.sql("SELECT finished_at FROM schema_kit.batch_progress") == [(None,)]
        database.sql("ALTER TABLE t NO FORCE ROW LEVEL SECURITY")
        as_owner()
        assert counts(database) == [(1, ROWS)]
    finally:
        database.sql("DROP SCHEMA schema_kit CASCADE", "DROP TABLE t", f"DROP OWNED BY {role}", f"DROP ROLE {role}")
