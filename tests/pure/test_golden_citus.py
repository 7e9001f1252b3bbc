"""What is sent for tables that Citus distributes, as scripts that a person can read; GOLDEN=write writes them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schema_kit.model import Distribution, ForeignKey
from schema_kit.names import QualifiedName
from schema_kit.plans import distribution
from schema_kit.script import HERE_AGAIN, ON_WORKERS, LockPolicy, OnCitus, write
from schema_kit.steps import Plan, Transaction
from tests.support.citus_plans import BY_TENANT, CASES, ITEMS, TABLE

pytestmark = pytest.mark.steps

GOLDEN = Path(__file__).parents[1] / "golden" / "citus"


def script(make: Callable[[], Plan]) -> str:
    return write(make(), OnCitus()) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_the_plan_is_the_golden_one(name: str) -> None:
    path, found = GOLDEN / f"{name}.sql", script(CASES[name])
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    golden = path.read_text(encoding="utf-8") if path.exists() else ""
    difference = difflib.unified_diff(golden.splitlines(), found.splitlines(), path.name, "this plan", lineterm="")
    assert golden == found, "\n" + "\n".join(difference) + "\nGOLDEN=write takes the plan over, if it is right."


def test_no_golden_file_is_left_over() -> None:
    assert sorted(path.stem for path in GOLDEN.glob("*.sql")) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_each_transaction_begins_with_what_holds_on_workers(name: str) -> None:
    plan, text = CASES[name](), script(CASES[name])
    own = [step for step in plan.steps if step.transaction is not Transaction.NONE]
    head = ";\n".join(ON_WORKERS) + ";\nSET LOCAL lock_timeout = '5000ms';\n" + HERE_AGAIN
    assert text.count("BEGIN;\n") == text.count(head) == len(own)
    assert "citus." not in write(plan, LockPolicy())


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_sent_that_citus_refuses_across_shards(name: str) -> None:
    for text in ("\n".join(step.sql()) for step in CASES[name]().steps):
        own = re.sub(r"(?s)FROM schema_kit.batch_progress.*?;", "", text.replace('"', ""))
        if "DELETE FROM shop" in own or "UPDATE shop" in own:
            assert not re.search(r"SKIP LOCKED|FOR UPDATE|LIMIT \(|ctid|SELECT FROM", own)


TO = QualifiedName("shop", "tenants")


@pytest.mark.parametrize(
    ("own", "to", "why"),
    [
        (BY_TENANT, BY_TENANT, ""),
        (BY_TENANT, Distribution("hash", "tenant", 8), "are colocated"),
        (BY_TENANT, Distribution("reference"), ""),
        (BY_TENANT, None, "is local"),
        (BY_TENANT, Distribution("managed"), "is local"),
        (None, BY_TENANT, "is local"),
        (None, Distribution("reference"), ""),
        (None, None, ""),
        (Distribution("reference", None, 3), Distribution("reference", None, 3), ""),
        (Distribution("reference", None, 3), BY_TENANT, "a reference table"),
        (Distribution("reference", None, 3), None, ""),
        (Distribution("single", None, 5), Distribution("single", None, 5), ""),
        (Distribution("single", None, 5), BY_TENANT, "single shard"),
    ],
)
def test_a_foreign_key_joins_colocated_tables_or_refers_to_a_reference_table(
    own: Distribution | None, to: Distribution | None, why: str
) -> None:
    key = ForeignKey("k", ITEMS, ("tenant",), TO, ("tenant",), "FOREIGN KEY ...")
    table = replace(TABLE, foreign_keys=(key,), distribution=None)
    said = list(distribution._apart(own, table, {TO: to})) if own else [distribution._not_beside(ITEMS, own, TO, to)]
    assert bool(why) == any(said)
    assert not why or why in said[0]
