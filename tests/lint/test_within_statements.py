"""What a block, a procedure or a swap does that no single statement of the revision shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lint import Project, kinds

pytestmark = [pytest.mark.lint, pytest.mark.majors]

START = """
op.execute("CREATE TABLE t (id int PRIMARY KEY, x int, y int)")
op.execute("CREATE TABLE small (id int PRIMARY KEY, code text)")
op.execute("CREATE VIEW v AS SELECT id, x FROM t")
op.execute("CREATE MATERIALIZED VIEW m AS SELECT id, x FROM t")
"""
ROWS = ("INSERT INTO t SELECT i, i, i FROM generate_series(1, 300) i", "INSERT INTO small VALUES (1, 'a'), (2, 'b')")
LOOP = "FOR r IN SELECT id FROM t LOOP UPDATE t SET x = 2 WHERE id = r.id; END LOOP;"
WRITES = {
    "a block": 'op.execute("DO $$ BEGIN UPDATE t SET x = 1; END $$")',
    "a block that deletes": 'op.execute("DO $$ BEGIN DELETE FROM ONLY public.t; END $$")',
    "a loop": f'op.execute("DO $$ DECLARE r record; BEGIN {LOOP} END $$")',
    "a procedure": f'op.execute("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN {LOOP} END $$")\n'
    'op.execute("CALL p()")',
    "a function": 'op.execute("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ UPDATE t SET x = 3 $$")\n'
    'op.execute("SELECT f()")',
}
NARROWER = {
    "a view": 'op.execute("DROP VIEW v")\nop.execute("CREATE VIEW v AS SELECT id FROM t")',
    "a materialized view": 'op.execute("DROP MATERIALIZED VIEW m")\n'
    'op.execute("CREATE MATERIALIZED VIEW m AS SELECT id FROM t")',
    "a table that takes the name": 'op.execute("CREATE TABLE n (id int)")\n'
    "op.rename_table('small', 'o')\nop.rename_table('n', 'small')",
    "a view that takes a table's name": "op.rename_table('small', 'o')\n"
    'op.execute("CREATE VIEW small AS SELECT id FROM o")',
}
HARMLESS = {
    "a block that asks": 'op.execute("DO $$ BEGIN IF NOT EXISTS (SELECT FROM t) THEN PERFORM 1; END IF; END $$")',
    "one row in a block": 'op.execute("DO $$ BEGIN UPDATE t SET x = 5 WHERE id = 7; END $$")',
    "rows of another table": 'op.execute("DO $$ BEGIN PERFORM count(*) FROM t; INSERT INTO small VALUES (3); END $$")',
    "a view with another column more": 'op.execute("DROP VIEW v")\n'
    'op.execute("CREATE VIEW v AS SELECT id, x, y FROM t")',
    "a table like the one before": "op.rename_table('small', 'o')\n"
    'op.execute("CREATE TABLE small (LIKE o INCLUDING ALL)")',
    "a view in its place": "op.rename_table('small', 'o')\nop.execute(\"CREATE VIEW small AS SELECT * FROM o\")",
}


def found(folder: Path, scratch: str, up: str) -> set[str]:
    project = Project.new(folder / "p", scratch)
    project.revision("start", START)
    project.revision("judged", up, below="start")
    return kinds(project.judge("judged", rows=project.sql("rows.sql", *ROWS), twice=False))


@pytest.mark.parametrize("case", WRITES)
def test_every_row_is_written_inside_of_one_statement(case: str, scratch: str, tmp_path: Path) -> None:
    assert "whole_table" in found(tmp_path, scratch, WRITES[case])


@pytest.mark.parametrize("case", NARROWER)
def test_a_name_stays_and_a_column_of_it_is_gone(case: str, scratch: str, tmp_path: Path) -> None:
    assert "code_breaks" in found(tmp_path, scratch, NARROWER[case])


@pytest.mark.parametrize("case", HARMLESS)
def test_what_changes_nothing_for_others_is_clean(case: str, scratch: str, tmp_path: Path) -> None:
    assert found(tmp_path, scratch, HARMLESS[case]) == set()
