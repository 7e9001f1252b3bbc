"""docs/lint.md shows what is found in each labelled revision: `GOLDEN=write` writes the table again."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.lint.cases import CASES, schema
from tests.support.cli import ROOT
from tests.support.lint import Project

pytestmark = [pytest.mark.lint, pytest.mark.docs]

BEGIN, END = "<!-- the labelled revisions -->\n", "<!-- end -->\n"
BY = {
    "fails": "PostgreSQL's refusal",
    "rows_gone": "the catalog before and after",
    "blocks": "locks, and what is read or written under them",
    "unfinished": "cancelled and run again",
    "whole_table": "what a statement reads and writes",
    "code_breaks": "the catalog before and after",
    "several_tables": "locks, statement by statement",
    "locks_another": "locks of old tables while one is made",
    "lighter_way": "an exclusive lock, and what is known of the statement",
    "type_trap": "the catalog before and after",
}


def table(folder: Path, scratch: str) -> str:
    lines = ["| revision | found | by | evidence |", "| --- | --- | --- | --- |"]
    for case in CASES:
        project = Project.new(folder / case.name, scratch)
        project.revision(case.name, case.up)
        dump = project.sql("schema.sql", *schema(case))
        found = project.judge(case.name, schema=dump).findings
        if not found:
            lines.append(f"| {case.name} | - | | |")
        for place, one in enumerate(found):
            name = case.name if not place else ""
            evidence = one.evidence.replace("|", "\\|")
            lines.append(f"| {name} | {', '.join(dict.fromkeys(one.kinds))} | {BY[one.kind]} | {evidence} |")
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.exhaustive
def test_the_table_is_what_is_found(scratch: str, tmp_path: Path) -> None:
    with psycopg.connect(scratch) as connection:
        if connection.info.server_version < 180000:
            pytest.skip("the table is of PostgreSQL 18; others word errors otherwise")
    path = ROOT / "docs" / "lint.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    now = before + BEGIN + table(tmp_path, scratch) + END + rest.split(END)[1]
    if os.environ.get("GOLDEN") == "write":
        path.write_text(now, encoding="utf-8")
    assert text == now or os.environ.get("GOLDEN") == "write"
