"""What Citus does not do is refused before anything is written, by what the plan observes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from schema_kit.errors import PlanError
from tests.support.citus import give_catalog, known_as
from tests.support.database import Database
from tests.support.matrix import perform

pytestmark = [pytest.mark.columns, pytest.mark.majors]

NEW = sa.Column("token", sa.Uuid, server_default=sa.text("gen_random_uuid()"))
REFUSED: dict[str, tuple[Callable[[Any], None], str]] = {
    "a default that changes": (
        lambda op: op.add_column_concurrently("items", NEW),
        "distributed by tenant, and Citus has no volatile function in an UPDATE",
    ),
    "its column goes": (
        lambda op: op.drop_column_concurrently("items", "tenant"),
        "tenant is the distribution column of public.items",
    ),
    "its column changes": (
        lambda op: op.alter_column_concurrently("items", "tenant", type_=sa.Text),
        "tenant is the distribution column of public.items",
    ),
    "an update that is not planned": (
        lambda op: op.update_in_batches("items", {"word": sa.text("no_such_function(word)")}),
        "function no_such_function.* does not exist",
    ),
}


@pytest.fixture
def items(database: Database) -> Database:
    database.sql(
        "CREATE TABLE items (tenant varchar(9), id int, word text, PRIMARY KEY (tenant, id))",
        "CREATE INDEX ON items (tenant, word)",
        "INSERT INTO items VALUES ('a', 1, 'w')",
    )
    give_catalog(database)
    known_as(database, "items", "tenant")
    return database


SEEN = (
    "SELECT (SELECT array_agg(attname || ' ' || atttypid::regtype ORDER BY attnum) FROM pg_attribute "
    "WHERE attrelid = 'items'::regclass AND attnum > 0), (SELECT count(*) FROM pg_index WHERE indrelid = "
    "'items'::regclass), to_regclass('schema_kit.batch_progress')"
)


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_is_written_before_it_is_refused(items: Database, what: str) -> None:
    act, said = REFUSED[what]
    before = items.sql(SEEN)
    with pytest.raises(PlanError, match=said):
        perform(items, act)
    assert items.sql(SEEN) == before


def test_the_same_is_done_where_citus_does_not_distribute(items: Database) -> None:
    items.sql("SET allow_system_table_mods = on", "DELETE FROM pg_catalog.pg_dist_partition")
    perform(items, REFUSED["a default that changes"][0])
    assert items.sql("SELECT count(token) FROM items") == [(1,)]


def test_an_update_is_planned_once_and_sees_the_session_s_names(items: Database) -> None:
    """A function that only the session's search_path finds."""
    items.sql(
        "CREATE SCHEMA own",
        "CREATE FUNCTION own.louder(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)'",
    )
    name = items.sql("SELECT current_database()")[0][0]
    items.sql(f"ALTER DATABASE {name} SET search_path TO public, own")
    perform(items, lambda op: op.update_in_batches("items", {"word": sa.text("louder(word)")}))
    assert items.sql("SELECT word FROM items") == [("W",)]
