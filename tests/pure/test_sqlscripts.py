"""A script is split where PostgreSQL would split it, and every file in sql/ can be split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schema_kit import sqlscripts
from schema_kit.sqlscripts import load, split
from tests.support.cli import called

pytestmark = pytest.mark.offline

SQL = Path(__file__).parents[2] / "sql"

CASES = {
    "two": ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
    "no trailing semicolon": ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
    "empty": ("", []),
    "blank": (" \n\t ", []),
    "only semicolons": (";; ;", []),
    "only comments": ("-- a;\n/* b; */", []),
    "dollar quotes": ("SELECT $$a;b$$; SELECT 2", ["SELECT $$a;b$$", "SELECT 2"]),
    "nested dollar tags": (
        "DO $a$ BEGIN x := $b$;$b$; y := $$;$$; END $a$; SELECT 1;",
        ["DO $a$ BEGIN x := $b$;$b$; y := $$;$$; END $a$", "SELECT 1"],
    ),
    "a tag that is opened inside another": ("SELECT $a$ $b$; $a$; SELECT 1", ["SELECT $a$ $b$; $a$", "SELECT 1"]),
    "a Thai tag": ("SELECT $ก$a;b$ก$; SELECT 1", ["SELECT $ก$a;b$ก$", "SELECT 1"]),
    "a dollar in a name and a parameter": ("SELECT $1; SELECT a$b; SELECT 3", ["SELECT $1", "SELECT a$b", "SELECT 3"]),
    "literals": ("SELECT ';', 'it''s;'; SELECT 1", ["SELECT ';', 'it''s;'", "SELECT 1"]),
    "a backslash ends no plain literal": ("SELECT 'a\\'; SELECT ';'", ["SELECT 'a\\'", "SELECT ';'"]),
    "escape strings": (r"SELECT E'a\';b'; SELECT 1", [r"SELECT E'a\';b'", "SELECT 1"]),
    "escaped backslash": (r"SELECT e'\\'; SELECT E'\\\';'", [r"SELECT e'\\'", r"SELECT E'\\\';'"]),
    "unicode strings": (r"SELECT U&'\0061;'; SELECT 1", [r"SELECT U&'\0061;'", "SELECT 1"]),
    "quoted identifiers": ('SELECT "a;b"; SELECT "c"";d"', ['SELECT "a;b"', 'SELECT "c"";d"']),
    "a quote in an identifier": ('SELECT "it\'s"; SELECT 2', ['SELECT "it\'s"', "SELECT 2"]),
    "comments": ("-- a;b\nSELECT 1; /* ; */ SELECT 2; -- end;", ["SELECT 1", "SELECT 2"]),
    "a comment inside": ("SELECT 1, -- one; 'two\n 2; SELECT 3", ["SELECT 1, -- one; 'two\n 2", "SELECT 3"]),
    "nested comments": ("/* a /* ; */ ; */ SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
    "a comment in a literal": ("SELECT '--'; SELECT '/*'; SELECT 1", ["SELECT '--'", "SELECT '/*'", "SELECT 1"]),
    "letters of several bytes": ("SELECT 'ก;🐘'; SELECT 'é;'; SELECT 1", ["SELECT 'ก;🐘'", "SELECT 'é;'", "SELECT 1"]),
    "case has an end": ("SELECT CASE WHEN a THEN 1 END; SELECT 2", ["SELECT CASE WHEN a THEN 1 END", "SELECT 2"]),
    "operators of jsonb": ("SELECT a #>> '{b;c}'; SELECT a ? ';'", ["SELECT a #>> '{b;c}'", "SELECT a ? ';'"]),
}


@pytest.mark.parametrize(("script", "expected"), CASES.values(), ids=CASES)
def test_a_script_is_split_at_its_semicolons_only(script: str, expected: list[str]) -> None:
    assert list(split(script)) == expected


@pytest.mark.parametrize(("script", "expected"), CASES.values(), ids=CASES)
def test_what_was_split_stays_split(script: str, expected: list[str]) -> None:
    assert list(split(";\n".join(split(script)))) == expected


def scripts() -> list[str]:
    return sorted(path.relative_to(SQL).as_posix() for path in SQL.rglob("*.sql"))


def test_there_are_scripts() -> None:
    assert "partman/tables/part_config.sql" in scripts()
    assert "tables/created_object.sql" in scripts()


@pytest.mark.parametrize("name", scripts())
def test_every_script_can_be_loaded(name: str) -> None:
    statements = load(name)
    assert statements
    assert not [statement for statement in statements if "@schema@" in statement]


@pytest.mark.parametrize("schema", ["schema_kit", "Schema Kit", 'qu"ote', "ตาราง", "select"])
def test_the_schema_is_quoted(schema: str) -> None:
    quoted = '"' + schema.replace('"', '""') + '"'
    statements = load("tables/created_object.sql", schema)
    assert f"to_regnamespace($name${quoted}$name$)" in statements[0]
    assert f"CREATE SCHEMA IF NOT EXISTS {quoted};" in statements[0]
    assert statements[1].startswith(f"CREATE TABLE IF NOT EXISTS {quoted}.created_object (")
    assert len(statements) == 2


def test_a_script_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        load("tables/nothing.sql")


def test_the_list_names_each_script_with_what_it_does() -> None:
    shown, told = (called(["schema_kit", "sql", "list", *more]) for more in ((), ("--format", "json")))
    found = json.loads(told.stdout)
    assert (shown.returncode, told.returncode) == (0, 0)
    assert [one["name"] for one in found] == list(sqlscripts.names())
    assert all(one["purpose"] and one["statements"] for one in found)
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one["name"] for one in found]
