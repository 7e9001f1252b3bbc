"""Constraints of each kind are dropped; what depends on them is named before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.errors import DeclarationError, PlanError
from tests.support.database import Database
from tests.support.matrix import Operate, perform, told

pytestmark = [pytest.mark.constraints, pytest.mark.majors]

TABLES = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.a (id int CONSTRAINT a_pkey PRIMARY KEY, code text CONSTRAINT a_code UNIQUE, n int, "
    "CONSTRAINT a_n CHECK (n > 0), CONSTRAINT a_apart EXCLUDE (n WITH =))",
    "CREATE TABLE s.b (a_id int CONSTRAINT b_a REFERENCES s.a, code text CONSTRAINT b_code REFERENCES s.a (code))",
    "CREATE VIEW s.v AS SELECT a.id, a.n FROM s.a GROUP BY a.id",
    "CREATE TABLE s.p (k int, CONSTRAINT p_k CHECK (k > 0)) PARTITION BY RANGE (k)",
    "CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM (1) TO (9)",
)
LEFT = "SELECT conname FROM pg_constraint WHERE connamespace = 's'::regnamespace AND contype <> 'n' ORDER BY 1"


def drop(name: str, table: str, *args: Any) -> Operate:
    return lambda op: op.drop_constraint_concurrently(name, table, *args, schema="s")


@pytest.mark.parametrize(
    ("table", "names"),
    {
        "check": ("a", ["a_n"]),
        "exclusion": ("a", ["a_apart"]),
        "foreign key": ("b", ["b_code"]),
        "of a partitioned table": ("p", ["p_k"]),
    }.values(),
)
def test_it_is_gone_and_a_second_run_has_nothing_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch, table: str, names: list[str]
) -> None:
    database.sql(*TABLES)
    before = database.sql(LEFT)
    for name in names:
        perform(database, drop(name, table))
        with told(monkeypatch) as events:
            perform(database, drop(name, table))
        assert events == []
    assert database.sql(LEFT) == [row for row in before if row[0] not in names]


def test_keys_go_when_nothing_depends_on_them(database: Database) -> None:
    database.sql(*TABLES)
    for name, said in {"a_pkey": "constraint b_a on table s.b depends on it", "a_code": "b_code on table s.b"}.items():
        with pytest.raises(PlanError, match=said):
            perform(database, drop(name, "a"))
    perform(database, drop("b_a", "b", "foreignkey"))
    with pytest.raises(PlanError, match=r"view s\.v depends on it"):
        perform(database, drop("a_pkey", "a", "primary"))
    perform(database, drop("b_code", "b"))
    perform(database, drop("a_code", "a", "unique"))
    database.sql("DROP VIEW s.v")
    perform(database, drop("a_pkey", "a", "primary"))
    assert [name for (name,) in database.sql(LEFT)] == ["a_apart", "a_n", "p_k", "p_k"]


def test_what_is_inherited_or_misspelled_is_refused(database: Database) -> None:
    database.sql(*TABLES)
    with pytest.raises(PlanError, match="it is inherited"):
        perform(database, drop("p_k", "p1"))
    with pytest.raises(PlanError, match="there is no such table"):
        perform(database, drop("a_n", "nowhere"))
    with pytest.raises(DeclarationError, match="type_='exclude'"):
        perform(database, drop("a_apart", "a", "exclude"))


def test_a_not_null_constraint_goes_by_its_name(database: Database) -> None:
    if database.connect().info.server_version < 180000:
        pytest.skip("PostgreSQL names them from 18 on")
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.t (n int CONSTRAINT required NOT NULL)")
    perform(database, drop("required", "t"))
    assert database.sql("SELECT attnotnull FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attname = 'n'") == [
        (False,)
    ]
