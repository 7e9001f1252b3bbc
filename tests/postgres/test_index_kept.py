"""Indexes that stay: something rests on them, or they are not this table's own."""

from __future__ import annotations

import pytest

from schema_kit.errors import DeclarationError, PlanError
from tests.support.database import Database
from tests.support.indexes import done
from tests.support.matrix import Operate, build, perform, state, told
from tests.support.operations import OLD, create, drop, reindex, reindex_table, replace

pytestmark = [pytest.mark.indexes, pytest.mark.majors]


@pytest.mark.exhaustive
@pytest.mark.parametrize("operate", [drop, replace])
def test_an_index_that_something_rests_on_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch, operate: Operate
) -> None:
    def refused(match: str, *statements: str, act: Operate = operate) -> None:
        build(database, "partitioned" if "PARTITION" in match else "plain")
        database.sql(*statements)
        before = state(database)
        with told(monkeypatch) as events, pytest.raises(PlanError, match=match):
            perform(database, act)
        assert events == []
        assert state(database) == before

    refused("carries the constraint ix", "ALTER TABLE s.t ADD CONSTRAINT ix UNIQUE (id)")
    refused("carries the constraint ix", "ALTER TABLE s.t ADD CONSTRAINT ix EXCLUDE (id WITH =)")
    refused(
        "foreign key f_id_fkey of s.f rests on it",
        "CREATE UNIQUE INDEX ix ON s.t (id)",
        "CREATE TABLE s.f (id bigint REFERENCES s.t (id))",
    )
    refused(
        "the replica identity of s.t rests on it",
        "CREATE UNIQUE INDEX ix ON s.t (id)",
        "ALTER TABLE s.t REPLICA IDENTITY USING INDEX ix",
    )


@pytest.mark.exhaustive
def test_a_part_of_a_partitioned_index_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "sub_partitioned")
    database.sql(OLD)
    before = state(database)
    for part, table in (("t2_v_idx", "t2"), ("t1_v_idx", "t1"), ("t1a_v_idx", "t1a")):
        for operate in (
            lambda op, part=part: op.drop_index_concurrently(part, schema="s"),
            lambda op, part=part, table=table: op.replace_index_concurrently(part, table, ["k"], schema="s"),
        ):
            with told(monkeypatch), pytest.raises(PlanError, match="it is the part of s"):
                perform(database, operate)
    assert state(database) == before


def test_an_index_of_another_table_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    database.sql("CREATE INDEX ix ON s.r (id)")
    for operate in (create, replace, drop, lambda op: op.reindex_concurrently("ix", "t", schema="s")):
        with told(monkeypatch), pytest.raises(PlanError, match=r"belongs to s\.r, not to s\.t"):
            perform(database, operate)
    with told(monkeypatch):
        perform(database, lambda op: op.drop_index_concurrently("ix", schema="s"))
    assert database.sql("SELECT to_regclass('s.ix')") == [(None,)]


def test_a_reindex_says_what_it_cannot_do(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    build(database, "plain")
    database.sql("ALTER TABLE s.t ADD CONSTRAINT ix EXCLUDE (id WITH =)")
    with told(monkeypatch), pytest.raises(PlanError, match="the exclusion constraint ix"):
        perform(database, reindex)
    with told(monkeypatch), pytest.raises(PlanError, match="there is no such index"):
        perform(database, lambda op: op.reindex_concurrently("nothing", schema="s"))
    with told(monkeypatch), pytest.raises(PlanError, match="there is no such table"):
        perform(database, lambda op: op.reindex_concurrently(table_name="nothing", schema="s"))
    with told(monkeypatch), pytest.raises(DeclarationError, match="requires an index or a table"):
        perform(database, lambda op: op.reindex_concurrently())
    with told(monkeypatch) as events:
        perform(database, reindex_table)
    assert done(events) == ["build all indexes of s.t again concurrently"]
