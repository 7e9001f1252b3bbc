"""Logs that end in the middle, or hold values that look like moments: what can be read is read."""

from __future__ import annotations

import json

import pytest

from schema_kit.advise.statements import of_file, of_log

pytestmark = pytest.mark.health

ASKED = "SELECT * FROM t WHERE at < '2999-01-01 00:00:00' AND id = 5"
BROKEN = "SELECT * FROM u WHERE at = '9999-99-99 99:99:99'"


def line(moment: str, message: str, form: str) -> str:
    if form == "json":
        return json.dumps({"timestamp": f"2026-01-01 {moment} UTC", "message": message})
    if form == "csv":
        quoted = message.replace('"', '""')
        return f'2026-01-01 {moment} UTC,"u","d",1,"h",2,3,"x",now,1/1,0,LOG,00000,"{quoted}",,,,,,,,,""'
    return f"2026-01-01 {moment} UTC [1] LOG:  {message}"


@pytest.mark.parametrize("form", ["text", "csv", "json"])
def test_calls_are_counted_over_the_time_of_the_lines(form: str) -> None:
    lines = [
        line("00:00:00", f"statement: {ASKED}", form),
        line("06:00:00", f"statement: {BROKEN}", form),
        line("12:00:00", f"duration: 3 ms  statement: {ASKED}", form),
    ]
    for cut in (0, 9, 60):
        last = line("12:00:00", "statement: SELECT 'unfinished", form)
        found = {one.shown: one.calls for one in of_log("\n".join([*lines, last[:-cut] if cut else last]))}
        assert found["SELECT * FROM t WHERE at < ? AND id = ?"] == pytest.approx(4.0)
        assert len(found) >= 2


@pytest.mark.parametrize(
    "text", ["", ";;;", "-- nothing", "/* open", "'", '"', "$a$ open", "\x00;", "[1]\n{", "{\n{}\n1"]
)
def test_what_is_not_a_statement_is_left_out(text: str) -> None:
    assert of_file(text) == []
    assert of_log(text) == []


def test_a_field_that_is_longer_than_csv_takes_is_left_out() -> None:
    lines = [
        line("00:00:00", f"statement: SELECT '{'x' * 200_000}'", "csv"),
        line("01:00:00", f"statement: {ASKED}", "csv"),
    ]
    assert "SELECT * FROM t WHERE at < ? AND id = ?" in {one.shown for one in of_log("\n".join(lines))}
