"""What a statement needs is read off its words: never off what users wrote into it."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.catalog import code as module
from schema_kit.catalog.code import code
from schema_kit.catalog.privileges import LOCK, Right, needed
from schema_kit.names import QualifiedName, ident, literal

pytestmark = [pytest.mark.steps]

SAYS = ("FROM s.secret", 'INSERT INTO "s"."secret"', "DROP SCHEMA s", "ALTER TABLE s.secret SET SCHEMA x")
WRITTEN = {
    "literal": "'{}'",
    "after a quote": "'it''s {}'",
    "escaped": r"E'\' {} \\'",
    "dollars": "$${}$$",
    "tagged dollars": "$a$ $$ {} $b$ $a$",
    "line comment": "-- {}\n",
    "comment": "/* /* */ {} */",
    "name": '"{}"',
    "name with quotes": '"a"" {}"',
    "unfinished": "'{}",
}


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("how", WRITTEN)
def test_what_users_write_is_not_read(how: str, says: str) -> None:
    text = WRITTEN[how].format(says.replace('"', '""') if "name" in how else says)
    right = Right(QualifiedName("s", "t"), "UPDATE")
    assert list(needed([f"UPDATE s.t SET x = 1 WHERE y = {text}"])) == [right]
    if how != "unfinished":
        assert list(needed([f"SELECT {text} AS x; UPDATE s.t SET x = 1"])) == [right]


@given(st.text(alphabet="FROM s.t'\"$\\-/*ea\n", max_size=20), st.text(alphabet="ab \"$'.-/*", min_size=1, max_size=9))
def test_a_name_is_read_whatever_stands_before_it(text: str, name: str) -> None:
    statement = f"SELECT {literal(text)} FROM {ident(name)}.{ident(name)}"
    assert list(needed([statement])) == [Right(QualifiedName(name, name), "SELECT")]
    ((whole, sql),) = code(statement)
    assert (whole, len(sql)) == (statement, len(statement))


@pytest.mark.parametrize("name", ["t", "it's", "back\\slash"])
def test_what_a_block_does_is_read(name: str) -> None:
    table = QualifiedName("s", name)
    inner = f"LOCK TABLE ONLY {table.sql} IN SHARE MODE; PERFORM 'FROM s.secret'"
    executed = f"EXECUTE {literal(f'SELECT 1 FROM {table.sql}')} INTO x"
    block = f"BEGIN {inner}; {executed}; END"
    for quoted in (literal(block), f"$x${block}$x$"):
        assert list(needed([f"DO {quoted}"])) == [Right(table, LOCK), Right(table, "SELECT")]


@pytest.mark.parametrize(
    "text", ["a IS DISTINCT FROM s.t", "extract(year FROM s.t)", "substring(x FROM s.t)", "trim(both 'x' FROM s.t)"]
)
def test_columns_are_not_tables(text: str) -> None:
    assert list(needed([f"SELECT {text}"])) == []
    assert list(needed([f"SELECT {text} FROM s.u"])) == [Right(QualifiedName("s", "u"), "SELECT")]


def test_the_example() -> None:
    assert doctest.testmod(module).failed == 0
