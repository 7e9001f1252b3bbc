"""Partitions that are stored by another access method in their archive, and as a heap again before they come back.

The access method is a second name of heap: what is tested is the way there and back, on PostgreSQL alone.
"""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.errors import DeclarationError, ExecutionError, PlanError
from schema_kit.model import ArchivePolicy, Column, ForeignKey, Index, Stored, Table
from schema_kit.names import QualifiedName
from schema_kit.plans.archives import set_policy
from schema_kit.steps import Plan
from schema_kit.steps.access_method import ChangeAccessMethod
from tests.support.archives import archived, restore, run
from tests.support.citus_plans import ARCHIVE, ITEMS
from tests.support.database import Database
from tests.support.matrix import perform
from tests.support.tables import checksum

pytestmark = [pytest.mark.archives, pytest.mark.majors]

METHODS = (
    "SELECT c.relname, m.amname FROM pg_class c JOIN pg_am m ON m.oid = c.relam "
    "JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = '{}'::regclass AND c.relkind = 'r' ORDER BY 1"
)


def method(database: Database, name: str | None) -> None:
    perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", access_method=name))


@pytest.fixture(params=[None, "everything"], ids=["concurrently", "under a view"])
def columnar(request: pytest.FixtureRequest, database: Database) -> Database:
    """A table whose archive is stored by heap2."""
    archived(database, view=request.param)
    database.sql("CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler")
    method(database, "heap2")
    return database


def test_what_has_come_to_the_archive_is_stored_otherwise_and_comes_back_as_a_heap(columnar: Database) -> None:
    before = checksum(columnar, "s.t")
    first = run(columnar)
    assert first.returncode == 0, first.stderr
    assert columnar.sql(METHODS.format("s.t_archive")) == [("t_01", "heap2"), ("t_02", "heap2")]
    assert {row[1] for row in columnar.sql(METHODS.format("s.t"))} == {"heap"}
    assert checksum(columnar, "s.t", "s.t_archive") == before
    again = run(columnar)
    assert (again.returncode, again.stdout) == (0, "")
    back = restore(columnar, "2026-01-01", "2026-02-01")
    assert back.returncode == 0, back.stderr
    assert ("t_01", "heap") in columnar.sql(METHODS.format("s.t"))
    assert columnar.sql(METHODS.format("s.t_archive")) == [("t_02", "heap2")]
    part = restore(columnar, "2026-02-03", "2026-02-10")  # rows of it: a columnar table takes no DELETE
    assert part.returncode == 0, part.stderr
    assert columnar.sql(METHODS.format("s.t_archive")) == [("t_02", "heap")]
    assert checksum(columnar, "s.t", "s.t_archive") == before


def test_a_policy_without_it_leaves_what_exists_and_a_new_one_takes_it_along(database: Database) -> None:
    archived(database)
    assert run(database).returncode == 0
    database.sql("CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler")
    method(database, "heap2")
    assert "ALTER TABLE" in run(database, "--dry-run").stdout
    assert {row[1] for row in database.sql(METHODS.format("s.t_archive"))} == {"heap"}
    assert run(database).returncode == 0
    assert {row[1] for row in database.sql(METHODS.format("s.t_archive"))} == {"heap2"}
    method(database, None)
    assert database.sql("SELECT access_method FROM schema_kit.archive_policy") == [(None,)]
    assert run(database).returncode == 0
    assert {row[1] for row in database.sql(METHODS.format("s.t_archive"))} == {"heap2"}


def test_other_rows_than_before_undo_the_change(database: Database) -> None:
    """An event trigger writes while it changes: no other session can, but it is what a broken access method does."""
    archived(database)
    assert run(database).returncode == 0
    database.sql(
        "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
        "CREATE FUNCTION s.spoil() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_query() LIKE '%SET ACCESS METHOD%' THEN UPDATE s.t_archive SET word = 'x'; END IF; END $$",
        "CREATE EVENT TRIGGER spoil ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION s.spoil()",
    )
    method(database, "heap2")
    before = checksum(database, "s.t", "s.t_archive")
    step = ChangeAccessMethod(QualifiedName("s", "t_01"), "heap2", ("id", "at", "word"))
    with pytest.raises(ExecutionError, match=r"has other rows by access method heap2 than before: 31 rows.*XX001"):
        database.run(lambda _: Plan("store", (step,)))
    assert checksum(database, "s.t", "s.t_archive") == before
    assert {row[1] for row in database.sql(METHODS.format("s.t_archive"))} == {"heap"}


def test_an_access_method_that_is_missing_is_refused(database: Database) -> None:
    archived(database)
    with pytest.raises(PlanError, match="no table access method columnar here, only heap"):
        method(database, "columnar")
    by_rows: dict[str, Any] = {"way": "rows", "control": "at", "access_method": "heap"}
    with pytest.raises(DeclarationError, match="access_method is of partitions"):
        perform(database, lambda op: op.set_archive_policy("t", "2 months", schema="s", **by_rows))


def test_what_columnar_and_postgresql_14_lack_is_refused_by_name() -> None:
    key = ForeignKey("items_fk", ITEMS, ("tenant",), ARCHIVE, ("tenant",), "FOREIGN KEY ...")
    table = Table(
        ITEMS,
        (Column("tenant", "integer"),),
        indexes=(Index("items_gin", "gin (word)"), Index("items_at", "btree (at)")),
        foreign_keys=(key,),
    )
    policy = ArchivePolicy(ITEMS, ARCHIVE, "1 year", "partition", access_method="columnar")
    for methods, said in (
        ({"columnar", "heap"}, "no foreign keys, and partitions of shop.items bring items_fk along"),
        ({"columnar", "heap"}, "btree and hash indexes alone, and items_gin of shop.items has another"),
        (set(), "PostgreSQL 14 has no ALTER TABLE ... SET ACCESS METHOD"),
    ):
        with pytest.raises(PlanError) as error:
            set_policy(policy, None, table, None, None, None, Stored.CURRENT, (), methods)
        assert said in str(error.value)
