"""README says what the code does."""

from __future__ import annotations

import difflib

from tests.operations_chapter import EXAMPLES, OPERATIONS, README, marked, rewritten


def test_the_chapter_of_operations_is_what_the_plans_say() -> None:
    there = README.read_text(encoding="utf-8")
    stale = difflib.unified_diff(
        there.splitlines(),
        rewritten(there).splitlines(),
        "README.md",
        "python -m tests.operations_chapter",
        lineterm="",
    )
    assert "\n".join(stale) == ""


def test_each_operation_has_its_place() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)
    assert sorted(marked(README.read_text(encoding="utf-8"))) == sorted(OPERATIONS)
