"""Output: ordered and the same each time, in each format; comments that ignore; sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schema_kit.lint.report import FORMATS, Report
from schema_kit.lint.sizes import read
from tests.support.lint import Project

pytestmark = [pytest.mark.lint]

SCHEMA = ("CREATE TABLE t (id int PRIMARY KEY, x int)", "CREATE TABLE r (id int PRIMARY KEY)")
DROP = "op.create_index('ix', 't', ['x'])\nop.drop_column('t', 'x'){drop}\nop.drop_table('r'){table}"


def judged(folder: Path, scratch: str, up: str, **more: object) -> Project:
    project = Project.new(folder, scratch)
    project.revision("one", up)
    project.sql("schema.sql", *SCHEMA)
    return project


def test_findings_are_folded_by_table_and_the_worst_comes_first(scratch: str, tmp_path: Path) -> None:
    project = judged(tmp_path / "p", scratch, DROP.format(drop="", table=""))
    report = project.judge("one", schema=project.folder / "schema.sql")
    assert [(one.kind, str(one.table), one.line) for one in report.findings] == [
        ("rows_gone", "public.r", 12),
        ("blocks", "public.t", 10),
    ]
    assert [one.kind for one in report.findings[1].also] == ["code_breaks"]
    again = project.judge("one", schema=project.folder / "schema.sql")
    assert [report.render(form) for form in FORMATS] == [again.render(form) for form in FORMATS]


def test_a_name_that_is_part_of_another_one_is_not_found(scratch: str, tmp_path: Path) -> None:
    project = judged(tmp_path / "p", scratch, "op.execute('UPDATE other SET y = 0 WHERE id = (SELECT max(x) FROM t)')")
    dump = project.sql("schema.sql", *SCHEMA, "CREATE TABLE other (id int PRIMARY KEY, y int)")
    assert project.judge("one", schema=dump, twice=False).findings == ()


def test_nothing_to_judge_is_said() -> None:
    assert Report(()).text() == "no revision to judge\n"


def test_the_formats(scratch: str, tmp_path: Path) -> None:
    project = judged(tmp_path / "p", scratch, "op.create_index('ix', 't', ['x'])")
    report = project.judge("one", schema=project.folder / "schema.sql")
    (told,) = json.loads(report.render("json"))["findings"]
    assert (told["kind"], told["line"], told["table"]) == ("blocks", 10, "public.t")
    run = json.loads(report.render("sarif"))["runs"][0]
    assert run["results"][0]["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 10}
    assert report.render("github").startswith("::error file=")
    assert report.render("github").count("\n") == 1
    assert "instead: op.create_index_concurrently" in report.render("text")


def test_a_comment_with_a_reason_ignores(scratch: str, tmp_path: Path) -> None:
    why = "  # schema_kit: ignore {kind} {table}: nobody reads it"
    up = DROP.format(drop=why.format(kind="code_breaks", table="t"), table=why.format(kind="rows_gone", table=""))
    project = judged(tmp_path / "p", scratch, up + "\n# schema_kit: ignore blocks public.t: it has 12 rows")
    report = project.judge("one", schema=project.folder / "schema.sql")
    assert (report.findings, report.exit_code) == ((), 0)
    assert [(one.kind, reason) for one, reason in report.ignored] == [
        ("rows_gone", "nobody reads it"),
        ("blocks", "it has 12 rows"),
        ("code_breaks", "nobody reads it"),
    ]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# schema_kit: ignore rows_gone: not needed", "there is no finding rows_gone in this revision"),
        ("# schema_kit: ignore blocks r: of another table", "there is no finding blocks of r"),
        ("# schema_kit: ignore blocks", "gives no reason"),
        ("# schema_kit: ignore everything: please", "everything is not a kind of finding"),
        ("# schema_kit: ignore", "nothing is not a kind of finding"),
    ],
)
def test_a_comment_that_is_not_needed_is_a_finding(comment: str, said: str, scratch: str, tmp_path: Path) -> None:
    project = judged(tmp_path / "p", scratch, f"op.create_index('ix', 't', ['x'])\n{comment}")
    report = project.judge("one", schema=project.folder / "schema.sql", twice=False)
    assert [one.kind for one in report.findings] == ["blocks", "ignore_unneeded"]
    assert said in report.findings[1].evidence


def test_sizes_say_how_long(scratch: str, tmp_path: Path) -> None:
    sizes = read('{"public.t": {"rows": 120000000, "bytes": 48000000000}}')
    up = "op.execute('ALTER TABLE t ALTER x SET NOT NULL')\nop.execute('UPDATE t SET x = 1')"
    project = judged(tmp_path / "p", scratch, up)
    (one,) = project.judge("one", schema=project.folder / "schema.sql", sizes=sizes).findings
    assert "with 120,000,000 rows, 48 GB: about 6 min" in one.evidence
    assert one.kinds == ("blocks", "whole_table")


@pytest.mark.exhaustive
def test_what_looks_like_a_comment_in_a_string_is_not_a_comment(scratch: str, tmp_path: Path) -> None:
    project = judged(
        tmp_path / "p", scratch, "text = '# schema_kit: ignore blocks: no'\nop.create_index('ix', 't', ['x'])"
    )
    report = project.judge("one", schema=project.folder / "schema.sql", twice=False)
    assert [one.kind for one in report.findings] == ["blocks"]
