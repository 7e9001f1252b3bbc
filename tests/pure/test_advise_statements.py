"""Statements from files and logs: taken apart, grouped, shown without their values."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema_kit.advise import statements
from schema_kit.advise.statements import Statement, of_file, of_log

pytestmark = pytest.mark.health

LITERALS = ("'{}'", "E'{}\\''", "$q${}$q$", "$${}$$")


@pytest.mark.parametrize("literal", LITERALS)
def test_no_literal_is_shown_and_none_ends_a_statement(literal: str) -> None:
    text = literal.format("s3cret ; -- $1 :x %s ''" if "'" in literal else "s3cret ; -- $1 :x ''")
    found = of_file(f'SELECT 1234567, {text} FROM "T;" WHERE a = :b AND c::int = $2; SELECT 2')
    assert len(found) == 2
    assert found[0].shown == 'SELECT ?, ... FROM "T;" WHERE a = ? AND c::int = ?'
    assert "s3cret" in found[0].text


@pytest.mark.parametrize(
    ("text", "numbered"),
    [
        ("a = :one AND b = :two AND c = :one", "a = $1 AND b = $2 AND c = $1"),
        ("a = %(one)s AND b LIKE '%s' AND c = %(two)s", "a = $1 AND b LIKE '%s' AND c = $2"),
        ("a = %s AND b = %s", "a = $1 AND b = $2"),
        ("a > now() - interval $1 AND b[1:2] = '{}'::int[]", "a > now() - $1::interval AND b[1:2] = '{}'::int[]"),
        ("a > timestamp with time zone $3", "a > $3::timestamp with time zone"),
    ],
)
def test_parameters_of_each_style_are_numbered(text: str, numbered: str) -> None:
    assert statements.numbered(text) == numbered
    assert statements.numbered(numbered) == numbered


@given(st.lists(st.sampled_from(["1", "'x'", "$1", "a", " ", "(", '"q"', "--c\n", "::int", "E'\\''"]), max_size=20))
def test_to_number_and_to_show_can_be_repeated(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert statements.numbered(text) == text
    assert statements.shown(statements.shown(text)) == statements.shown(text)


def test_calls_are_counted_in_the_file_and_statements_that_differ_in_values_are_one() -> None:
    found = of_file(
        "-- calls: 1_000\nSELECT 1 FROM t WHERE a = 5;\n SELECT 1 FROM t  WHERE a = 6; VACUUM t; SET x = 1;\n"
        "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN (1, 2, 3); DELETE FROM t WHERE a IN (1)"
    )
    assert [(one.calls, len(one.texts)) for one in found] == [(1001, 2), (1, 1), (1, 1)]


LINES = [
    ("duration: 12.5 ms  execute S_1: SELECT *\n\tFROM t WHERE a = $1", "Parameters: $1 = 'it''s', $2 = NULL"),
    ("statement: UPDATE t SET a = 3 WHERE id = 5", ""),
    ("statement: UPDATE t SET a = 4 WHERE id = 6", ""),
    ("checkpoint starting: time", ""),
    ("statement: BEGIN", ""),
]


def as_text() -> str:
    lines = list[str]()
    for nth, (message, detail) in enumerate(LINES):
        lines.append(f"2026-11-21 {nth * 4:02}:00:00.123 UTC [7] app@db LOG:  {message}")
        lines += [f"2026-11-21 {nth * 4:02}:00:00.123 UTC [7] app@db DETAIL:  {detail}"] if detail else []
    return "\n".join(
        [*lines, "2026-11-22 00:00:00.1 UTC [7] ERROR:  no\n2026-11-22 00:00:00.1 UTC [7] STATEMENT:  SELECT x"]
    )


def as_csv() -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""').replace("\n\t", "\n") + '"'

    rows = (
        f"2026-11-21 {nth * 4:02}:00:00.123 UTC,app,db,7,[local],1,1,SELECT,2026-11-21 00:00:00 UTC,1/1,0,LOG,00000,"
        f"{quoted(message)},{quoted(detail)},,,,,,,,app,client backend,,0"
        for nth, (message, detail) in enumerate(LINES)
    )
    return "\n".join(
        [*rows, "2026-11-22 00:00:00.123 UTC,,,7,,1,1,,2026-11-21 00:00:00 UTC,,0,LOG,00000,x,,,,,,,,,,,,0"]
    )


def as_json() -> str:
    lines = [
        {"timestamp": f"2026-11-21 {nth * 4:02}:00:00.123 UTC", "message": message, "detail": detail}
        for nth, (message, detail) in enumerate(LINES)
    ]
    return "\n".join(map(json.dumps, [*lines, {"timestamp": "2026-11-22 00:00:00.123 UTC", "message": "x"}]))


@pytest.mark.parametrize("written", [as_text, as_csv, as_json])
def test_logs_of_each_format_give_the_same_statements(written: object) -> None:
    assert callable(written)
    select, update = of_log(written())
    assert select.shown == "SELECT * FROM t WHERE a = ?"
    assert select.sets == (("it's", None),)
    assert select.seconds == pytest.approx(0.0125)
    assert update.calls == pytest.approx(2)
    assert len(update.texts) == 2


def test_values_that_come_often_are_kept_and_one_that_does_not() -> None:
    texts = "; ".join(f"SELECT 1 FROM t WHERE a = {n}" for n in (1, 1, 1, 2, 2, 3, 3, 4, 5, 6))
    (found,) = of_file(texts)
    assert isinstance(found, Statement)
    assert [text[-1] for text in found.texts] == ["1", "2", "3", "6"]
