"""What stands in the way beforehand is refused by name before anything is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pytest
import sqlalchemy as sa

import schema_kit
from schema_kit import environment, execute, op, report
from schema_kit.errors import ExecutionError, PlanError
from schema_kit.execute import Event, StepDone
from schema_kit.names import ident
from schema_kit.script import LockPolicy
from schema_kit.steps import Plan
from schema_kit.steps.claims import Claim, claims
from tests.support.database import Database
from tests.support.matrix import longer, thinned

pytestmark = [pytest.mark.steps, pytest.mark.majors]

QUICK = LockPolicy(first=50, longest=500, attempts=4)

PLAIN = (
    "CREATE TABLE s.t (id bigserial PRIMARY KEY, at timestamptz NOT NULL, v int NOT NULL, word text)",
    "INSERT INTO s.t (at, v) SELECT now() - g * interval '9 days', g FROM generate_series(1, 30) g",
    "CREATE INDEX ix ON s.t (v)",
    "CREATE TABLE s.r (id int PRIMARY KEY)",
    "INSERT INTO s.r SELECT generate_series(1, 90)",
    "CREATE TABLE s.likes (id bigint PRIMARY KEY, t_id bigint REFERENCES s.t)",
)
VIEW = "CREATE MATERIALIZED VIEW s.m AS SELECT id, v FROM s.t"
SET = (
    "CREATE TABLE s.t (id bigint, at timestamptz NOT NULL, v int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
    "CREATE TABLE s.t_old PARTITION OF s.t FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00+00')",
    "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
    "CREATE INDEX ix ON s.t (v)",
    "INSERT INTO s.t SELECT g, '2025-12-20'::timestamptz - g * interval '9 days', g FROM generate_series(1, 30) g",
    "INSERT INTO s.t SELECT g, '2026-02-20'::timestamptz + g * interval '9 days', g FROM generate_series(31, 40) g",
)
OWN = (*SET, "CREATE TABLE s.own (id bigint NOT NULL, at timestamptz NOT NULL, v int)")


def _policy() -> None:
    op.set_partition_policy("t", schema="s", control="at", interval="1 month", premake=2)


@dataclass(frozen=True)
class Case:
    """An operation on tables; what comes before it."""

    operate: Callable[[], None]
    before: tuple[str, ...] = PLAIN
    first: Callable[[], None] | None = None


CASES = {
    "attach": Case(
        lambda: op.convert_to_partitioned(
            "t", "at", "1 month", schema="s", strategy="attach", incoming_foreign_keys="composite"
        )
    ),
    "copy": Case(
        lambda: op.convert_to_partitioned(
            "t", "at", "1 month", schema="s", strategy="copy", incoming_foreign_keys="drop", keep_old="fed"
        )
    ),
    "drain": Case(lambda: op.drain_default_concurrently("t", schema="s"), SET, _policy),
    "split": Case(lambda: op.split_partition_concurrently("t", "t_old", schema="s"), SET, _policy),
    "create_index": Case(lambda: op.create_index_concurrently("made", "t", ["v"], schema="s")),
    "create_index_of_a_set": Case(lambda: op.create_index_concurrently("made", "t", ["v"], schema="s"), SET),
    "create_index_of_a_view": Case(
        lambda: op.create_index_concurrently("made", "m", ["v"], schema="s"), (*PLAIN, VIEW)
    ),
    "replace_index": Case(lambda: op.replace_index_concurrently("ix", "t", ["v", "id"], schema="s")),
    "replace_index_of_a_set": Case(lambda: op.replace_index_concurrently("ix", "t", ["v", "id"], schema="s"), SET),
    "unique": Case(lambda: op.create_unique_constraint_concurrently("made", "t", ["v"], schema="s")),
    "unique_of_a_set": Case(
        lambda: op.create_unique_constraint_concurrently("made", "t", ["v", "at"], schema="s"), SET
    ),
    "archive_table": Case(lambda: op.create_archive_table("t", schema="s", view="all_of_t"), SET, _policy),
    "unpartition": Case(
        lambda: op.unpartition("t", schema="s"),
        PLAIN,
        lambda: op.convert_to_partitioned(
            "t", "at", "1 month", schema="s", strategy="attach", incoming_foreign_keys="composite"
        ),
    ),
}

OBSTACLES = {
    "table": "CREATE TABLE {} (x int)",
    "view": "CREATE VIEW {} AS SELECT 1 AS x",
    "index": "CREATE INDEX {bare} ON s.beside (x)",
    "sequence": "CREATE SEQUENCE {}",
    "type": "CREATE TYPE {} AS ENUM ('x')",
    "function": "CREATE FUNCTION {}() RETURNS int LANGUAGE sql AS 'SELECT 1'",
}
"""Whatever can have a name that is needed."""

FITS = {"relation": ("table", "view", "index", "sequence", "type"), "index": ("table", "view", "index", "sequence")}

CATALOGS = (
    *("class", "attribute", "constraint", "index", "trigger", "proc", "type", "policy", "depend", "attrdef"),
    *("rewrite", "inherits", "description"),
)


def _written(database: Database) -> list[Any]:
    """Every row of the catalog that a session has written, by who has written it, and the rows of the tables."""
    one = "SELECT '{0}', count(*)::text, sum(hashtext(x.xmin::text || x.ctid::text))::text FROM pg_{0} x"
    seen = database.sql(" UNION ALL ".join(one.format(name) for name in CATALOGS))
    return [sorted(seen), database.sql("SELECT count(*), min(xmin::text), max(xmin::text) FROM s.t")]


def _perform(database: Database, operate: Callable[[], None]) -> None:
    url = sa.make_url(database.url).set(drivername="postgresql+psycopg")
    with environment.connect(url, autocommit=True) as connection, schema_kit.operations(connection, policy=QUICK):
        operate()


def _begin(database: Database, case: Case) -> None:
    database.sql("CREATE SCHEMA s", "CREATE TABLE s.beside (x int)", *case.before)
    if case.first:
        _perform(database, case.first)


class _Seen(Exception):
    """The plan was seen."""


def _needed(database: Database, monkeypatch: pytest.MonkeyPatch, case: Case) -> list[Claim]:
    plans = list[Plan]()

    def look(_: object, plan: Plan) -> Plan:
        plans.append(plan)
        raise _Seen

    with monkeypatch.context() as patch:
        patch.setattr(execute, "free", look)
        with pytest.raises(_Seen):
            _perform(database, case.operate)
    needed = [claim for claim in claims(plans[0].steps).needed if claim.name.schema == "s"]
    needed = [claim for claim in needed if not re.search("_p[0-9]{8}$", claim.name.name)]  # a partition gets another
    # What exists is the table's own: it goes before its name is needed.
    return [claim for claim in needed if database.sql(f"SELECT to_regclass('{claim.name.sql}') IS NULL")[0][0]]


def _combinations(needed: list[Claim], *, each: bool) -> Iterator[tuple[Claim, str]]:
    turns = {kind: cycle(fits) for kind, fits in FITS.items()}
    for claim in needed:
        kinds = FITS.get(claim.kind, ("function",))
        yield from ((claim, kind) for kind in (kinds if each else (next(turns.get(claim.kind, cycle(kinds))),)))


def _try_all(database: Database, monkeypatch: pytest.MonkeyPatch, name: str, *, each: bool) -> None:
    case = CASES[name]
    _begin(database, case)
    needed = _needed(database, monkeypatch, case)
    assert needed
    for claim, kind in _combinations(needed, each=each):
        database.sql(OBSTACLES[kind].format(claim.name.sql, bare=ident(claim.name.name)))
        before = _written(database)
        try:
            _perform(database, case.operate)
        except PlanError as error:
            refused = str(error)
        else:
            pytest.fail(f"{kind} {claim.name} is in the way of {claim.step.summary}, and nothing is refused")
        assert claim.name.name in refused, (claim, kind)
        assert "Nothing was " in refused
        assert _written(database) == before, (claim, kind)
        database.sql(f"DROP {kind} {claim.name.sql}")
    _perform(database, case.operate)


@pytest.mark.parametrize(
    "name", longer(CASES, "attach", "copy", "drain", "split", "unpartition", "replace_index_of_a_set")
)
def test_a_name_that_is_taken(database: Database, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _try_all(database, monkeypatch, name, each=False)


@pytest.mark.deep
@pytest.mark.parametrize("name", CASES)
def test_a_name_that_is_taken_by_each_kind(database: Database, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _try_all(database, monkeypatch, name, each=True)


@dataclass(frozen=True)
class Obstacle:
    """Something on the table that cannot move with it."""

    statement: str
    reason: str
    since: int = 0
    strategies: tuple[str, ...] = ("attach", "copy")


UNMOVABLE = {
    "not_null_not_valid": Obstacle(
        "ALTER TABLE s.t ADD CONSTRAINT nn NOT NULL word NOT VALID", "NOT NULL constraint nn is not validated", 180000
    ),
    "check_not_valid": Obstacle("ALTER TABLE s.t ADD CONSTRAINT c CHECK (v > 0) NOT VALID", "check c is not validated"),
    "policy_of_itself": Obstacle("CREATE POLICY p ON s.t USING (id IN (SELECT o.id FROM s.t o))", "policy p speaks of"),
    "policy_names_itself": Obstacle("CREATE POLICY p ON s.t USING (tableoid = 's.t'::regclass)", "policy p speaks of"),
    "check_names_itself": Obstacle(
        "ALTER TABLE s.t ADD CONSTRAINT c CHECK ('s.t'::regclass::oid > 0)", "check c speaks of"
    ),
    "default_names_itself": Obstacle(
        "ALTER TABLE s.t ALTER word SET DEFAULT 's.t'::regclass::text", "the default of column word speaks of"
    ),
    "inherited": Obstacle("CREATE TABLE s.heir () INHERITS (s.t)", "heir"),
    "near_the_end": Obstacle(
        "INSERT INTO s.t (at, v) VALUES (now(), 2147483600)", "v is integer and ends at", strategies=("attach",)
    ),
}


@pytest.mark.parametrize("strategy", thinned(["attach", "copy"], "attach"))
@pytest.mark.parametrize("name", UNMOVABLE)
def test_what_cannot_move(database: Database, name: str, strategy: Any) -> None:
    obstacle = UNMOVABLE[name]
    if int(database.sql("SHOW server_version_num")[0][0]) < obstacle.since or strategy not in obstacle.strategies:
        pytest.skip("it came later, or stands in no way")
    _begin(database, Case(lambda: None))
    database.sql("DROP TABLE s.likes", obstacle.statement)
    by, every = ("v", "100000") if name == "near_the_end" else ("at", "1 month")
    before = _written(database)
    for _ in range(2):
        with pytest.raises(PlanError) as refused:
            _perform(database, lambda: op.convert_to_partitioned("t", by, every, schema="s", strategy=strategy))
        assert obstacle.reason in str(refused.value)
        assert "Nothing was changed" in str(refused.value)
        assert _written(database) == before


FOREIGN = (
    "CREATE EXTENSION file_fdw",
    "CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw",
    "CREATE TABLE s.deep PARTITION OF s.t FOR VALUES FROM ('2030-01-01') TO ('2031-01-01') PARTITION BY LIST (v)",
    "CREATE TABLE s.deep1 PARTITION OF s.deep FOR VALUES IN (1)",
    "CREATE FOREIGN TABLE s.deep2 PARTITION OF s.deep FOR VALUES IN (2) SERVER nowhere OPTIONS (filename '/dev/null')",
    "CREATE FOREIGN TABLE s.cold PARTITION OF s.t FOR VALUES FROM ('2029-01-01') TO ('2030-01-01') SERVER nowhere "
    "OPTIONS (filename '/dev/null')",
)
BARE = (SET[0].replace(", PRIMARY KEY (id, at)", ""), *SET[1:], "CREATE TABLE s.r (id int PRIMARY KEY)")


def test_an_index_next_to_foreign_tables(database: Database) -> None:
    _begin(database, Case(lambda: None, (*BARE, *FOREIGN)))
    leaves = "SELECT bool_and(x.indisvalid), count(*) FROM pg_index x WHERE indexrelid::regclass::text ~ 'made'"
    for columns in (["v"], ["v", "id"]):
        operate = op.replace_index_concurrently if len(columns) > 1 else op.create_index_concurrently
        for _ in range(2):
            _perform(database, lambda operate=operate, columns=columns: operate("made", "t", columns, schema="s"))  # type: ignore[misc]
            assert database.sql(leaves) == [(True, 4 + 1)] or database.sql(leaves)[0][0]
        valid = database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.made'::regclass")
        assert valid == [(True,)]
    # What an earlier version has left: ON ONLY the parent, never valid.
    _perform(database, lambda: op.drop_index_concurrently("made", schema="s"))
    database.sql("CREATE INDEX made ON ONLY s.t (v)")
    _perform(database, lambda: op.create_index_concurrently("made", "t", ["v"], schema="s"))
    assert database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.made'::regclass") == [(True,)]


@pytest.mark.parametrize(
    "operate",
    [
        lambda: op.create_index_concurrently("made", "t", ["v", "at"], schema="s", unique=True),
        lambda: op.create_unique_constraint_concurrently("made", "t", ["v", "at"], schema="s"),
        lambda: op.create_primary_key_concurrently("made", "t", ["id", "at"], schema="s"),
        lambda: op.create_foreign_key_concurrently(
            "made", "t", "r", ["v"], ["id"], source_schema="s", referent_schema="s"
        ),
    ],
)
def test_what_no_foreign_table_can_promise(database: Database, operate: Callable[[], None]) -> None:
    _begin(database, Case(lambda: None, (*BARE, *FOREIGN[:2], FOREIGN[-1])))
    before = _written(database)
    with pytest.raises(PlanError, match=r"foreign table.*s\.cold"):
        _perform(database, operate)
    assert _written(database) == before


@pytest.mark.exhaustive
def test_a_partition_that_kept_the_policies_of_its_table_is_split(database: Database) -> None:
    _begin(database, Case(lambda: None))
    database.sql(
        "DROP TABLE s.likes", "CREATE POLICY p ON s.t USING (v > 0)", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY"
    )
    _perform(database, lambda: op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="attach"))
    _perform(database, lambda: op.split_partition_concurrently("t", schema="s"))
    assert database.sql("SELECT count(*) FROM s.t") == [(30,)]
    assert database.sql("SELECT count(*) > 3 FROM pg_inherits WHERE inhparent = 's.t'::regclass") == [(True,)]
    assert database.sql("SELECT polname FROM pg_policy WHERE polrelid = 's.t'::regclass") == [("p",)]


def test_what_is_undone_at_once_is_reported_at_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that never comes to its end says why, and does not wait for no session."""
    _begin(database, Case(lambda: None, SET[:-1], _policy))
    database.sql(
        "CREATE FUNCTION s.undo() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE TRIGGER undo BEFORE UPDATE ON schema_kit.part_config FOR EACH ROW EXECUTE FUNCTION s.undo()",
    )
    events = list[Event]()
    monkeypatch.setattr(report, "to_logging", events.append)
    with pytest.raises(ExecutionError, match="something undoes it"):
        _perform(database, lambda: op.set_partition_policy("t", schema="s", premake=7))
    assert sum(isinstance(event, StepDone) for event in events) == 3


def test_a_part_that_can_never_be_valid_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan would attach again and again: what it waits for in vain is looked for, and named."""
    _begin(database, Case(lambda: None, (*BARE, *FOREIGN[:2], FOREIGN[-1])))
    monkeypatch.setattr("schema_kit.plans.indexes.foreign", lambda _: ())
    with pytest.raises(ExecutionError, match=r"foreign table s\.cold has no valid index to attach"):
        _perform(database, lambda: op.create_index_concurrently("made", "t", ["v"], schema="s"))


def test_what_is_partitioned_already_gets_a_policy_and_the_table_for_it(database: Database) -> None:
    database.sql("CREATE SCHEMA s", *SET)
    _perform(database, lambda: op.convert_to_partitioned("t", "at", "1 month", schema="s"))
    assert database.sql("SELECT parent_table FROM schema_kit.part_config") == [("s.t",)]


@pytest.mark.parametrize("odd", ["infinity", "20000-01-01"])
def test_a_key_that_no_bound_can_follow_is_named_as_it_is(database: Database, odd: str) -> None:
    database.sql("CREATE SCHEMA s", *PLAIN[:2], f"INSERT INTO s.t (at, v) VALUES ('{odd}', 1)")
    with pytest.raises(PlanError, match=f"greatest at: {odd}"):
        _perform(database, lambda: op.convert_to_partitioned("t", "at", "1 month", schema="s", strategy="attach"))
