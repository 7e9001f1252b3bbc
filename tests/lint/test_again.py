"""A revision that commits on its own is ended after each of its commits and run again: the catalogs are compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from schema_kit.lint import again
from schema_kit.lint.watch import Commit
from tests.support.lint import Project, kinds
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint, pytest.mark.majors]

SCHEMA = ("CREATE TABLE t (id int PRIMARY KEY, x int, y int)", "CREATE TABLE u (id int)")
HAS = "has = op.get_bind().exec_driver_sql({sql!r}).scalar()\n".format(
    sql="SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname IN ('a', 'b', 'c')"
)
BLOCK = "with op.get_context().autocommit_block():\n"
ADDS = [f"    op.execute('ALTER TABLE t ADD COLUMN IF NOT EXISTS {name} int')\n" for name in "abc"]
NONE = "    if not has:\n    "
ENDS = {
    "the second is lost": (HAS + BLOCK + NONE + ADDS[0] + NONE + ADDS[1], "ADD COLUMN IF NOT EXISTS a"),
    "the third is lost": (HAS + BLOCK + ADDS[0] + ADDS[1] + "    if has != 1:\n    " + ADDS[2], "IF NOT EXISTS a"),
    "in a transaction of its own": (
        HAS + BLOCK + NONE.join(("", "    op.execute('BEGIN')\n", ADDS[0], "    op.execute('COMMIT')\n", ADDS[1])),
        "ADD COLUMN IF NOT EXISTS a",
    ),
    "two in one message": (
        HAS + BLOCK + NONE + "    op.execute('ALTER TABLE t ADD a int; ALTER TABLE t ADD b int')\n" + NONE + ADDS[2],
        "ALTER TABLE t ADD b int",
    ),
    "between operations": (
        HAS + "kit.add_column_concurrently('t', sa.Column('a', sa.Integer))\nif not has:\n"
        "    kit.add_column_concurrently('t', sa.Column('b', sa.Integer))",
        'ADD COLUMN "a"',
    ),
}  # fmt: skip
"""What ends otherwise when it is run again after the commit of a statement."""
SAME = {
    "each can be run again": BLOCK + "".join(ADDS),
    "it fails when it is run again": BLOCK + "    op.execute('ALTER TABLE t ADD a int')\n" + ADDS[1],
    "operations": "kit.create_index_concurrently('ix', 't', ['x'])\nkit.set_not_null_concurrently('t', 'x')\n"
    "kit.update_in_batches('t', {'y': 1})",
    "what only asks": BLOCK + "    op.get_bind().exec_driver_sql('SELECT count(*) FROM t').scalar()\n" + ADDS[0],
    "no commit of its own": "op.execute('ALTER TABLE t ADD a int')\nop.execute('ALTER TABLE t ADD b int')",
}


def project(folder: Path, scratch: str, up: str, down: str = "pass") -> Project:
    made = Project.new(folder / "p", scratch)
    made.revision("one", up, down)
    made.sql("schema.sql", *SCHEMA)
    return made


@pytest.mark.parametrize("how", longer(list(ENDS), *list(ENDS)[1:]))
def test_what_ends_otherwise(how: str, scratch: str, tmp_path: Path) -> None:
    up, at = ENDS[how]
    one = project(tmp_path, scratch, up)
    (found,) = [
        one for one in one.judge("one", schema=one.folder / "schema.sql").findings if one.kind == "differs_again"
    ]
    assert "killed after" in found.evidence
    assert at in found.evidence.partition(" and run again")[0]
    assert "- column public.t." in found.evidence


INSERTS = "    op.execute('INSERT INTO u VALUES (1)')\n"


@pytest.mark.parametrize(
    ("up", "down", "how"),
    [(BLOCK + INSERTS + ADDS[0], "pass", "killed after"), (INSERTS.strip(), "op.execute('SELECT 1')", "its downgrade")],
)
def test_duplicate_rows(up: str, down: str, how: str, scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch, up, down)
    (found,) = [
        one for one in one.judge("one", schema=one.folder / "schema.sql").findings if one.kind == "differs_again"
    ]
    assert how in found.evidence
    assert "- rows of public.u 1; + rows of public.u 2" in found.evidence


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", SAME)
def test_what_ends_the_same(how: str, scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch, SAME[how])
    assert not kinds(one.judge("one", schema=one.folder / "schema.sql")) & {
        "differs_again",
        "unfinished",
        "no_way_back",
    }


def test_each_commit_but_those_within_and_between_operations() -> None:
    made = [("a", 1, False), ("b", 1, False), ("c", 2, True), ("d", 2, True), ("e", 3, True), ("f", 4, True)]
    made += [("g", 5, False), ("h", 6, True), ("i", 7, True)]
    found = list(again._between([Commit(*one) for one in made]))
    assert [(number, one.sql) for number, one in found] == [
        (1, "a"), (2, "b"), (4, "d"), (6, "f"), (7, "g"), (8, "h"), (9, "i"),
    ]  # fmt: skip
