"""README and docs/ say what the code does: generated parts are fresh, links lead somewhere, tables match the code."""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

import schema_kit
from schema_kit import environment, errors, op
from schema_kit.health.finding import CODES as HEALTH_CODES
from schema_kit.ops.operation import OPERATIONS
from schema_kit.plans.check import CODES
from schema_kit.script import VARIABLES, LockPolicy
from tools.operations_chapter import EXAMPLES
from tools.reference import MARKED, PARTS, ROOT, page_of, pages, rewritten

pytestmark = pytest.mark.docs

README, CI = ROOT / "README.md", ROOT / ".ci" / "run"
SITE = ROOT / "docs"


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(name: str) -> str:
    return (SITE / f"{name}.md").read_text("utf-8")


def codes(page: str, heading: str) -> list[str]:
    """The names in backticks that tables below a heading begin with, in one of their first two columns."""
    section = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\|([^|]*)\|([^|]*)\|", section, re.MULTILINE)
    return [code for row in rows for cell in row for code in re.findall(r"`([a-z_]+)`", cell)]


@pytest.mark.parametrize("page", pages(), ids=named)
def test_generated_parts_are_fresh(page: Path) -> None:
    there = page.read_text("utf-8")
    now = rewritten(there).splitlines()
    stale = difflib.unified_diff(there.splitlines(), now, named(page), "python -m tools.reference", lineterm="")
    assert "\n".join(stale) == ""


def test_each_part_has_its_place() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)
    assert sorted(path.stem for path in (SITE / "operations").iterdir()) == sorted(OPERATIONS)
    marks = [match[2] for page in pages() for match in MARKED.finditer(page.read_text("utf-8"))]
    assert sorted(marks) == sorted((*OPERATIONS, *PARTS))


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_page_of_an_operation_says_what_it_replaces_and_why(name: str) -> None:
    page = page_of(name).read_text("utf-8")
    head, mark = page.split("<!-- generated: ", 1)
    assert re.match(rf"# {name}\n\n- \*\*Instead of:\*\* \S.*\n- \*\*Why:\*\* [A-Z]", head, re.DOTALL)
    assert mark.startswith(f"{name} -->")


@pytest.mark.parametrize("page", [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "sql" / "README.md"], ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_the_site_has_no_link_that_leaves_it_and_no_page_that_nothing_links_to() -> None:
    linked = {README.parent / "docs" / "index.md"}
    for page in pages()[1:]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                linked.add((page.parent / target).resolve())
    assert all(path.is_relative_to(SITE) for path in linked)
    assert set(pages()[1:]) <= linked


@pytest.mark.exhaustive
def test_the_site_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(OPERATIONS)
    for page in pages:
        assert not re.search(r"""(<link[^>]*href|src)=["'](https?:)?//""", page.read_text("utf-8")), page


def test_the_readme_is_short_and_has_the_command_that_ci_runs() -> None:
    lines = README.read_text("utf-8").splitlines()
    assert len(lines) <= 250
    mark = lines.index("<!-- the tests: .ci/run reads this line -->")
    assert lines[mark + 1] == "```sh"
    assert lines[mark + 2].endswith("-m pytest -n2")
    assert lines[mark] in CI.read_text("utf-8")


def test_the_operation_in_full_is_that_of_its_page() -> None:
    shown = README.read_text("utf-8").split("## One operation in full\n")[1].split("\n## ")[0]
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    assert len(rows) == 4
    assert "\n".join(rows[2:]) in page_of("set_not_null_concurrently").read_text("utf-8")
    assert EXAMPLES["set_not_null_concurrently"][0][1] in shown


def test_the_lock_policy_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\| ([^|]+) \|", text("locks"), re.MULTILINE)
    documented = {name: (variable, default) for name, variable, default in rows}
    defaults = LockPolicy()
    units = {"first": "100 ms", "longest": "5 s", "statement_timeout": "30 s", "look_first": "off"}
    assert list(documented) == ["first", "longest", "attempts", "statement_timeout", "look_first"]
    assert documented.keys() == {spec.name for spec in fields(LockPolicy)}
    assert {variable: name for name, (variable, _) in documented.items() if variable} == VARIABLES
    assert {name: default for name, (_, default) in documented.items()} == {**units, "attempts": "25"}
    assert (defaults.first, defaults.longest, defaults.attempts) == (100, 5000, 25)
    assert (defaults.statement_timeout, defaults.look_first) == (30_000, False)


def test_exit_codes_are_those_of_the_errors() -> None:
    table = text("scheduling").split("## Exit codes\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", "3", "4", "130", "143"]
    assert (errors.ExecutionError.exit_code, errors.DeclarationError.exit_code, errors.PlanError.exit_code) == (1, 2, 3)


def test_what_is_public_exists() -> None:
    page = text("stability").split("## Not public")[0]
    assert {name for name in schema_kit.__all__ if name != "op"} <= set(re.findall(r"\b\w+\b", page))
    for name in ("lock_policy", "by_hash", "by_list"):
        assert f"`{name}`" in page
        assert callable(getattr(op, name))
    for name in ("run", "one_migrator"):
        assert f"`{name}`" in page
        assert callable(getattr(environment, name))


def test_tables_that_are_public_exist() -> None:
    [row] = [line for line in text("stability").splitlines() if line.startswith("| tables in the schema `schema_kit`")]
    scripts = "".join(path.read_text("utf-8") for path in (ROOT / "sql").rglob("tables/*.sql"))
    for name in re.findall(r"`(\w+)`", row)[1:]:
        assert re.search(rf"CREATE TABLE IF NOT EXISTS @schema@\.{name} ", scripts), name


def test_the_oldest_versions_are_those_of_the_project() -> None:
    page = " ".join(text("limits").split())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"Python {project['requires-python'].removeprefix('>=')} or later" in page
    for name, shown in (("alembic", "Alembic {} or later"), ("sqlalchemy", "(from {})")):
        [oldest] = [line.split(">=")[1] for line in project["dependencies"] if line.startswith(f"{name}>=")]
        assert shown.format(oldest) in page


def test_each_operation_is_listed_as_one_that_joins_or_commits() -> None:
    joins = text("projects").split("## What joins")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", joins)) & set(OPERATIONS) == {n for n, cls in OPERATIONS.items() if cls.shared}


def test_each_code_of_check_and_health_is_documented() -> None:
    assert sorted(codes(text("maintenance"), "Watch partitioned tables")) == sorted(CODES)
    assert sorted(codes(text("health"), "What it finds")) == sorted(HEALTH_CODES)
