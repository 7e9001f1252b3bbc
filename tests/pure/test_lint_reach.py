"""What of a statement's plan bounds the rows that it writes; which promises go with others."""

from __future__ import annotations

from typing import Any

import pytest

from schema_kit.lint.promises import Promise, broken, grouped, without_implied
from schema_kit.lint.reach import limits, unbounded
from schema_kit.names import QualifiedName

pytestmark = [pytest.mark.lint]

T, S = QualifiedName("public", "t"), QualifiedName("public", "s")
LIMITED = (
    "(t.id = 5)",
    "(t.id = ANY ('{1,2}'::integer[]))",
    "((t.id >= 1) AND (t.id < 1000))",
    "((t.made < '2025-01-01'::date) AND (t.shop = 3))",
    "(t.name = ' IS NULL or < 3'::text)",
    "(t.during && '[1,2]'::int4range)",
    "(t.id = s.of)",
)
OPEN = (
    "(t.id > 5)",
    "(t.made < '2025-01-01 00:00:00'::timestamp without time zone)",
    "(t.made < 'a AND b = c'::text)",
    "((t.a > 1) AND (t.b < 5))",
    "((t.a > 1) AND (t.a > 5))",
    "(t.shop IS NULL)",
    "(t.shop IS NOT NULL)",
    "(t.open = true)",
)


@pytest.mark.parametrize("condition", LIMITED)
def test_a_condition_that_limits(condition: str) -> None:
    assert limits(condition)


@pytest.mark.parametrize("condition", OPEN)
def test_a_condition_that_does_not(condition: str) -> None:
    assert not limits(condition)


def scan(condition: str | None = None, table: str = "t", kind: str = "Index Scan", **more: Any) -> dict[str, Any]:
    found = {"Node Type": kind, "Schema": "public", "Relation Name": table, **more}
    return found if condition is None else found | {"Index Cond": condition}


def node(kind: str, *below: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Node Type": kind, "Plans": [{"Parent Relationship": "Outer", **one} for one in below], **more}


def writes(below: dict[str, Any], operation: str = "Delete") -> dict[str, Any]:
    target = {"Operation": operation, "Schema": "public", "Relation Name": "t"}
    return node("ModifyTable", below, **target)


BITMAP = {"Node Type": "Bitmap Index Scan", "Index Cond": "(t.id > 5)"}
WITHOUT_BOUND = {
    "open": scan("(t.id > 5)"),
    "all of an index": scan(),
    "read from end to end": scan(kind="Seq Scan"),
    "bitmap": node("Bitmap Heap Scan", BITMAP, **{"Relation Name": "t"}),
    "by all of another": node("Nested Loop", scan(table="s", kind="Seq Scan"), scan("(t.id = s.id)")),
    "one partition of two": node("Append", scan("(t.id = 5)"), scan("(t.id > 5)")),
    "either": node("BitmapOr", BITMAP, {**BITMAP, "Index Cond": "(t.id = 5)"}),
}
BOUNDED = {
    "equality": scan("(t.id = 5)"),
    "limit": node("Nested Loop", node("Limit", scan("(t.id > 5)")), scan("(t.id = s.id)")),
    "values": node("Nested Loop", {"Node Type": "Values Scan"}, scan("(t.id = v.id)")),
    "by what is new": node("Nested Loop", scan(table="s", kind="Seq Scan"), scan("(t.id = s.id)")),
    "joined with few": node("Hash Join", scan(kind="Seq Scan"), node("Hash", scan("(s.id = 1)", "s"))),
    "both": node("BitmapAnd", BITMAP, {**BITMAP, "Index Cond": "(t.id = 5)"}),
    "tid": scan(kind="Tid Scan"),
}


@pytest.mark.parametrize("name", WITHOUT_BOUND)
@pytest.mark.parametrize("operation", ["Update", "Delete", "Merge"])
def test_without_a_bound(name: str, operation: str) -> None:
    assert [table for table, _ in unbounded(writes(WITHOUT_BOUND[name], operation), frozenset())] == [T]
    assert not list(unbounded(writes(WITHOUT_BOUND[name], "Insert"), frozenset()))


@pytest.mark.parametrize("name", BOUNDED)
def test_bounded(name: str) -> None:
    assert list(unbounded(writes(BOUNDED[name]), frozenset({S}))) == []


def test_the_condition_is_shown_as_it_was_written() -> None:
    ((_, text),) = unbounded(writes(scan("(t.made < '2025-01-01 00:00:00'::timestamp without time zone)")), frozenset())
    assert text == "t.made < '2025-01-01 00:00:00'"


def test_what_goes_with_something_else_is_said_once() -> None:
    mood, quiet = QualifiedName("public", "mood"), QualifiedName("old", "f")
    gone = {Promise("type", mood), Promise("label", mood, "calm"), Promise("schema", QualifiedName("old", ""))}
    gone |= {Promise("function", quiet, "()"), Promise("label", T, "one"), Promise("label", T, "two")}
    left = without_implied(frozenset(gone))
    assert {(one.kind, one.of.name) for one in left} == {("type", "mood"), ("schema", ""), ("label", "t")}
    assert [one.detail for one in grouped(left) if one.kind == "label"] == ["one, two"]


def test_some_break_code_by_going_and_some_by_coming() -> None:
    unique, hidden = Promise("unique", T, "id"), Promise("hidden", T, "SELECT")
    assert broken(frozenset({unique}), frozenset({hidden})) == {unique, hidden}
    assert broken(frozenset({hidden}), frozenset({unique})) == set()
