"""README and docs say what the code does."""

from __future__ import annotations

import difflib
import re

import pytest

from schema_kit.ops.operation import OPERATIONS
from tools.operations_chapter import CHAPTER, EXAMPLES, marked, rewritten

pytestmark = pytest.mark.docs


def test_the_chapter_of_operations_is_what_the_plans_say() -> None:
    there = CHAPTER.read_text(encoding="utf-8")
    stale = difflib.unified_diff(
        there.splitlines(),
        rewritten(there).splitlines(),
        "docs/operations.md",
        "python -m tools.operations_chapter",
        lineterm="",
    )
    assert "\n".join(stale) == ""


def test_each_operation_has_its_place() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)
    assert sorted(marked(CHAPTER.read_text(encoding="utf-8"))) == sorted(OPERATIONS)


def test_each_operation_is_told_in_the_readme_and_each_link_there_leads_somewhere() -> None:
    root = CHAPTER.parents[1]
    for page in (root / "README.md", *(root / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page.name}: {target}"
    chapters = re.split(r"^### (\w+)$", (root / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = dict(zip(chapters[1::2], chapters[2::2], strict=True))
    assert sorted(told) == sorted(OPERATIONS)
    for name, text in told.items():
        for row in ("the usual way", "why it hurts", "ours", "locks"):
            assert f"| {row} |" in text, f"{name}: {row}"
