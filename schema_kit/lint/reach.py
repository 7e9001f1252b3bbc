"""How many rows a statement can write, by its plan: those of a table that nothing bounds. Pure.

On a table without rows nothing is counted, and every index is used that can be; what is left to see is whether the
condition holds for a number of rows that the statement itself limits: equality, a range with both ends, a LIMIT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from schema_kit.names import QualifiedName

_WRITES = ("Update", "Delete", "Merge")
_FEW = {"Limit", "Values Scan", "Result", "Tid Scan", "Function Scan", "Table Function Scan", "WorkTable Scan"}
_STRING = re.compile(r"'(?:[^']|'')*'")
_ONE_SIDED = re.compile(r"^\(*(?P<of>.+?) (?P<how><=?|>=?) ", re.DOTALL)
_CAST = re.compile(r"::(timestamp|time|character|double|bit)?\s?(with(out)? time zone|varying|precision|\w+)(\(\d+\))?")
_MANY = re.compile(r" IS (NOT )?NULL\b| <> | = (true|false)\b")
Plan = Mapping[str, Any]


def unbounded(plan: Plan, new: frozenset[QualifiedName]) -> Iterator[tuple[QualifiedName, str]]:
    """Yield each table that a plan updates or deletes rows of without a bound, with the condition that finds them.

    Args:
        plan: what EXPLAIN (VERBOSE, FORMAT JSON) gives as "Plan".
        new: tables that have only the rows that the revision has put there.
    """
    inits = {one.get("Subplan Name", "").removeprefix("CTE "): one for one in nodes(plan)}
    for node in nodes(plan):
        if node["Node Type"] == "ModifyTable" and node.get("Operation") in _WRITES:
            finds = [one for one in node.get("Plans", ()) if one.get("Parent Relationship") == "Outer"]
            if finds and not all(_bounded(one, inits, new) for one in finds):
                yield table_of(node), next((text for one in finds for text in _conditions(one)), "")


def nodes(plan: Plan) -> Iterator[Plan]:
    """Yield a plan and all that are below it."""
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def table_of(node: Plan) -> QualifiedName:
    """Return the table that a node of a plan names."""
    return QualifiedName(node.get("Schema", "public"), node.get("Relation Name", ""))


def _bounded(node: Plan, inits: Mapping[str, Plan], new: frozenset[QualifiedName]) -> bool:
    kind = node["Node Type"]
    below = [one for one in node.get("Plans", ()) if one.get("Parent Relationship") not in ("InitPlan", "SubPlan")]
    if kind == "CTE Scan":
        cte = inits.get(node.get("CTE Name", ""))
        return cte is None or _bounded(cte, inits, new)
    if kind in _FEW or (kind == "Aggregate" and node.get("Strategy") == "Plain"):
        return True
    if "Index Cond" in node:
        return limits(node["Index Cond"])
    if kind == "Tid Range Scan":
        return limits(node.get("TID Cond", ""))
    if kind == "Bitmap Index Scan":
        return False
    if "Relation Name" in node and kind != "ModifyTable" and not below:
        return table_of(node) in new
    found = [_bounded(one, inits, new) for one in below]
    joins = kind in ("Hash Join", "Merge Join") or " = " in node.get("Join Filter", "")
    if joins or kind == "BitmapAnd" or node.get("Join Type") == "Semi":
        return any(found)
    return all(found)


def _conditions(node: Plan) -> Iterator[str]:
    for one in nodes(node):
        if (text := one.get("Index Cond")) and not limits(text):
            yield _CAST.sub("", text).removeprefix("(").removesuffix(")")


def limits(condition: str) -> bool:
    """Return whether an index's condition holds for rows that it limits: by equality, or by a range with both ends."""
    sides = dict[str, set[str]]()
    for part in _STRING.sub("''", condition).split(" AND "):
        if _MANY.search(part):
            continue
        if (found := _ONE_SIDED.match(part)) is None:
            return True
        sides.setdefault(found["of"].strip("("), set()).add(found["how"][0])
    return any(len(both) == 2 for both in sides.values())
