"""``schema_kit advise``: an empty copy plans as its database does, with its indexes and with others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schema_kit.advise import made
from schema_kit.names import QualifiedName
from tests.support.advise import SECRET, STATEMENTS, TABLES, copied, cost, planner, version
from tests.support.cli import shell
from tests.support.database import Database

pytestmark = [pytest.mark.health, pytest.mark.majors]

NEW = {
    "note_sorted": 'CREATE INDEX {} ON shop."Or der" (note)',
    "with_include": 'CREATE INDEX {} ON shop."Or der" (customer, at) INCLUDE (state)',
    "part": 'CREATE INDEX {} ON shop."Or der" (customer) WHERE seldom IS NOT NULL',
    "expression": "CREATE INDEX {} ON shop.\"Or der\" ((data ->> 'who'))",
    "of_parts": "CREATE INDEX {} ON shop.visit (id)",
    "documents": 'CREATE INDEX {} ON shop."Or der" USING gin (data)',
}
ASKED = (
    f"SELECT id FROM shop.\"Or der\" WHERE note = '{SECRET} 9'",
    "SELECT state FROM shop.\"Or der\" WHERE customer = 7 AND at > '2026-01-10'",
    'SELECT id FROM shop."Or der" WHERE customer = 7 AND seldom IS NOT NULL',
    f"SELECT id FROM shop.\"Or der\" WHERE data ->> 'who' = '{SECRET}7'",
    "SELECT * FROM shop.visit WHERE id = 99",
    "SELECT id FROM shop.\"Or der\" WHERE data ? 'nothing'",
)


def test_costs_are_those_of_the_server_without_a_row_and_those_of_new_indexes_as_if_they_were_there(
    database: Database,
) -> None:
    database.sql(*TABLES)
    within = 0.02 if version(database) == 18 else 0.1
    with copied(database) as scratch:
        names = [made.create(scratch, statement.format(f"new_{name}")) for name, statement in NEW.items()]
        judge = planner(scratch)
        assert scratch.rows("SELECT count(*) FROM shop.visit") == [(0,)]
        judge.hide(names)
        for statement in (*STATEMENTS, *ASKED):
            assert judge.plan(statement).cost == pytest.approx(cost(database, statement), rel=within), statement
        judge.hide(())
        told = [judge.plan(statement) for statement in ASKED]
        judge.hide([QualifiedName("shop", "few")])
        few = judge.plan(STATEMENTS[4]).cost
        pages = dict(scratch.pages)
    database.sql(*(statement.format(f"new_{name}") for name, statement in NEW.items()), "ANALYZE")
    for plan, statement in zip(told, ASKED, strict=True):
        assert plan.cost == pytest.approx(cost(database, statement), rel=0.15), statement
    for name in names:
        if name.name not in ("new_documents", "new_of_parts"):
            ((bytes_,),) = database.sql(f"SELECT pg_relation_size('{name.sql}')")
            assert 8192 * pages[name] == pytest.approx(bytes_, rel=0.15), name
    database.sql("DROP INDEX shop.few")
    assert few == pytest.approx(cost(database, STATEMENTS[4]), rel=within)


def test_indexes_that_statements_want_are_named_and_no_value_of_a_row_is(database: Database, tmp_path: Path) -> None:
    database.sql(*TABLES, 'CREATE INDEX nobody ON shop."Or der" (seldom)')
    file = tmp_path / "asked.sql"
    file.write_text(
        '-- calls: 500\nSELECT * FROM "Or der" WHERE note = $1;\n'
        'SELECT at FROM shop."Or der" WHERE customer = :who ORDER BY at DESC LIMIT 3;\n'
        "SELECT count(*) FROM shop.visit WHERE id = %(id)s; SELECT broken FROM shop.visit"
    )
    done = shell(database, "advise", "index", "--statements", str(file), "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    wanted = {(one["table"], one["definition"].partition(" INCLUDE")[0]) for one in told["wanted"]}
    assert wanted == {('shop."Or der"', "note"), ('shop."Or der"', "customer, at")}
    assert {"shop.nobody", "shop.few", "shop.of_state"} <= {one["index"] for one in told["unneeded"]}
    assert [one["why"] for one in told["left_out"]] == ["it names a column that is not there"]
    assert all(one["cost"] < one["cost_before"] for wanted in told["wanted"] for one in wanted["statements"])
    assert SECRET not in done.stdout + done.stderr
