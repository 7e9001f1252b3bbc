"""Plans and figures as text: without conditions, since those hold values that stood in for parameters."""

from __future__ import annotations

from typing import Any

from schema_kit.advise.btree import PAGE
from schema_kit.advise.planner import Node
from schema_kit.advise.scratch import Scratch
from schema_kit.names import QualifiedName

_PARTS = """
WITH RECURSIVE tree (oid) AS (
  SELECT %s::regclass::oid UNION ALL SELECT h.inhrelid FROM pg_inherits h JOIN tree ON tree.oid = h.inhparent)
SELECT n.nspname, c.relname FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
"""

_SAID = ("Node Type", "Relation Name", "Index Name", "Join Type", "Startup Cost", "Total Cost", "Plan Rows")


def plan(tree: Node, depth: int = 0) -> list[str]:
    """Return a line for each node, as EXPLAIN has it."""
    name = str(tree["Node Type"])
    name += f" using {tree['Index Name']}" if "Index Name" in tree and "Relation Name" in tree else ""
    name += f" on {tree['Relation Name']}" if "Relation Name" in tree else ""
    name += f" on {tree['Index Name']}" if "Index Name" in tree and "Relation Name" not in tree else ""
    figures = f"cost={tree['Startup Cost']:.2f}..{tree['Total Cost']:.2f} rows={tree['Plan Rows']:.0f}"
    lines = [f"{'  ' * depth}{'->  ' if depth else ''}{name}  ({figures})"]
    for below in tree.get("Plans", ()):
        lines += plan(below, depth + 1)
    return lines


def document(tree: Node) -> dict[str, Any]:
    """Return the same for programs."""
    own: dict[str, Any] = {name: tree[name] for name in _SAID if name in tree}
    return own | ({"Plans": [document(below) for below in tree["Plans"]]} if "Plans" in tree else {})


def pages_of(scratch: Scratch, index: QualifiedName) -> int:
    """Return how many bytes an index has, with its partitions."""
    parts = scratch.rows(_PARTS, [index.sql])
    return PAGE * sum(scratch.pages.get(QualifiedName(*row), 0) for row in parts)


def size(count: float) -> str:
    """Bytes, as a person reads them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            break
        count /= 1024
    return f"{count:,.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"


def cost(value: float) -> str:
    """Return a cost, without digits that say nothing."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
