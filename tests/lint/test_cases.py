"""The labelled revisions: what is dangerous is found, by the rule for it; what is harmless is not blamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.cases import CASES, ROWS, Case, schema
from tests.support.lint import Project, kinds
from tests.support.matrix import longer

pytestmark = [pytest.mark.lint, pytest.mark.majors]

PLAIN = {"index", "index_kept_though_invalid", "update", "two_tables", "not_null_behind_check", "vacuum_full"}
"""In a plain run: one of each way to see something."""


def project(folder: Path, scratch: str, case: Case) -> Project:
    made = Project.new(folder / case.name, scratch)
    made.revision(case.name, case.up)
    made.sql("schema.sql", *schema(case))
    return made


@pytest.mark.parametrize(
    "case", longer(CASES, *(case for case in CASES if case.name not in PLAIN)), ids=lambda case: case.name
)
def test_what_is_found_on_empty_tables(case: Case, scratch: str, tmp_path: Path) -> None:
    one = project(tmp_path, scratch, case)
    found = kinds(one.judge(case.name, schema=one.folder / "schema.sql"))
    assert case.kind in found if case.kind else not found


@pytest.mark.exhaustive
def test_the_same_is_found_on_tables_with_rows(scratch: str, tmp_path: Path) -> None:
    differ = []
    for case in CASES:
        one = project(tmp_path, scratch, case)
        rows = one.sql("rows.sql", *ROWS)
        report = one.judge(case.name, schema=one.folder / "schema.sql", rows=rows, twice=case.kind == "unfinished")
        found = {kind for finding in report.findings for kind in finding.kinds}
        if report.unjudged or not (case.kind in found if case.kind else not found):
            differ.append((case.name, report.text()))
    # with rows, PostgreSQL itself refuses what the code would have broken on later
    assert [name for name, text in differ if "23502" not in text] == []


def test_the_labels() -> None:
    assert (len([case for case in CASES if case.kind]), len([case for case in CASES if not case.kind])) == (44, 15)
    assert len({case.name for case in CASES}) == 59
    assert max(len(case.name) for case in CASES) <= 32
