"""Plans as scripts that a person can read: ``GOLDEN=write pytest tests/pure/test_golden.py`` writes them again.

The plans are in tests/support/golden/.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg import errors

from schema_kit.fingerprints.stamps import OVERTAKEN_STATES
from schema_kit.script import LockPolicy, write
from schema_kit.sqlscripts import load
from schema_kit.steps import Plan
from schema_kit.steps.conversion import BuildParent, Swap
from schema_kit.steps.copied_table import SwapTable
from schema_kit.steps.copy_swap import SwapCopy
from schema_kit.steps.copying import BeginCopy
from schema_kit.steps.indexes import RenameIndexes
from schema_kit.steps.rollback import BeginReturn, SwapBack
from schema_kit.steps.unpartition import Unswap
from schema_kit.storage import SCRIPTS
from tests.support.golden import CASES

pytestmark = pytest.mark.steps

GOLDEN = Path(__file__).parents[1] / "golden"


def script(make: Callable[[], Plan]) -> str:
    plan = make()
    body = write(plan, LockPolicy()) or "-- nothing to do\n"
    for own in SCRIPTS.values():  # one line shows a table of schema_kit's own
        body = body.replace("".join(f"{statement};\n" for statement in load(own)), f"-- all of sql/{own}\n")
    return f"-- {plan.title}\n-- {make.__doc__}\n\n{body}"


@pytest.mark.parametrize("case_name", CASES)
def test_the_plan_is_the_golden_one(case_name: str) -> None:
    path, found = GOLDEN / f"{case_name}.sql", script(CASES[case_name])
    if os.environ.get("GOLDEN") == "write":
        path.write_text(found, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    difference = difflib.unified_diff(
        golden.splitlines(), found.splitlines(), f"golden/{path.name}", "this plan", lineterm=""
    )
    assert golden == found, "\n" + "\n".join(difference) + "\nGOLDEN=write takes the plan over, if it is right."


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.sql")) == sorted(CASES)


NOTHING_TO_DO = {
    "archive_policy_there",
    "archive_there",
    "drop_partition_that_is_gone",
    "baseline_there",
    "convert_already_done",
    "convert_already_done_with_another_premake",
    "drain_nothing_to_do",
    "drop_index_that_is_gone",
    "extension_drop_of_another_s",
    "extension_there",
    "index_already_there",
    "index_partitioned_already_there",
    "next_nothing_to_do",
    "policy_there",
    "set_already_there",
    "time_to_live_there",
}


@pytest.mark.parametrize("case_name", CASES)
def test_a_plan_is_empty_where_there_is_nothing_to_do_and_only_there(case_name: str) -> None:
    assert bool(CASES[case_name]()) != (case_name in NOTHING_TO_DO)


@pytest.mark.parametrize("case_name", CASES)
def test_a_step_that_carries_what_was_seen_is_decided_again_before_it_is_sent(case_name: str) -> None:
    carriers = (BeginCopy, BeginReturn, BuildParent, RenameIndexes, Swap, SwapBack, SwapCopy, SwapTable, Unswap)
    assert all(step.fresh == isinstance(step, carriers) for step in CASES[case_name]().steps)


def test_what_steps_raise_is_final_but_for_two_states() -> None:
    """A state that PostgreSQL has for a session that was overtaken has a step decided again: a name is taken, too."""
    scripts = "".join(path.read_text("utf-8") for path in GOLDEN.rglob("*.sql"))
    names = set(re.findall(r"RAISE (\w+) USING", scripts)) - {"EXCEPTION"}
    states = {getattr(errors, name.title().replace("_", "")).sqlstate for name in names}
    assert len(states) > 5
    assert states & OVERTAKEN_STATES == {"40001", "42P07"}
