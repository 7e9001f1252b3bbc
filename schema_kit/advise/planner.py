"""What the planner says on the scratch, with some of its indexes and without others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema_kit.advise.scratch import Scratch
from schema_kit.names import QualifiedName
from schema_kit.server import NEWEST, Server

_ROOTS = """
WITH RECURSIVE tree (oid, root) AS (
  SELECT x.indexrelid, x.indexrelid FROM pg_index x WHERE NOT EXISTS (
    SELECT 1 FROM pg_inherits h WHERE h.inhrelid = x.indexrelid)
  UNION ALL SELECT h.inhrelid, tree.root FROM pg_inherits h JOIN tree ON tree.oid = h.inhparent)
SELECT tree.oid::bigint, c.relname, n.nspname, r.relname, x.indisvalid, quote_ident(a.attname),
  pg_relation_size(c.oid) / 8192 * current_setting('random_page_cost')::float8
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_class r ON r.oid = tree.root
JOIN pg_namespace n ON n.oid = r.relnamespace JOIN pg_index x ON x.indexrelid = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND a.attnum > 0
  AND c.relam = (SELECT m.oid FROM pg_am m WHERE m.amname = 'btree')
WHERE n.nspname !~ '^pg_'
"""

_HIDE = """
UPDATE pg_index SET indisvalid = NOT indisvalid WHERE indexrelid = ANY (%s::oid[]) AND indisvalid <> %s
"""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Planned:
    """What the planner would do, and what it says that costs.

    Args:
        cost: of the whole, in the units of seq_page_cost.
        indexes: that it uses; of a partition's, that of the partitioned table.
        tree: as EXPLAIN has it in JSON.
    """

    cost: float
    indexes: frozenset[QualifiedName]
    tree: Node = field(compare=False)


class Planner:
    """Plans statements; knows which index of a partition belongs to which.

    Args:
        scratch: with its files stretched. Make no index on it any more.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._roots = dict[str, set[QualifiedName]]()
        self._parts = dict[QualifiedName, list[int]]()
        self._first = dict[str, tuple[str, float]]()
        for oid, name, schema, root, valid, first, whole in scratch.rows(_ROOTS):
            top = QualifiedName(schema, root)
            if first:
                self._first[name] = rf'(?<![\w"]){re.escape(first)}(?![\w"])', whole
            self._roots.setdefault(name, set()).add(top)
            if valid:  # what is invalid in production stays so
                self._parts.setdefault(top, []).append(oid)
        self._hidden = frozenset[QualifiedName]()
        server = Server(scratch.production.version) if scratch.production.version else NEWEST
        self._sorts_whole, self._skips = not server.incremental_sort_alone, server.skip_scans

    @property
    def indexes(self) -> Collection[QualifiedName]:
        """Return all valid indexes, hidden or not."""
        return self._parts.keys()

    def hide(self, indexes: Collection[QualifiedName]) -> None:
        """Plan as if these indexes were not there, and all others were."""
        wanted = frozenset(indexes)
        for changed, valid in ((self._hidden - wanted, True), (wanted - self._hidden, False)):
            oids = [oid for index in changed for oid in self._parts.get(index, ())]
            if oids:
                self._scratch.rows(_HIDE, [oids, valid])
        self._hidden = wanted

    def plan(self, text: str) -> Planned:
        """Plan one statement, which has no parameters; as production does if it cannot skip through an index."""
        hidden, found = self._hidden, self._planned(text)
        while not self._skips and (skipped := self._skipped(found.tree) - self._hidden):
            self.hide(self._hidden | skipped)
            found = self._planned(text)
        self.hide(hidden)
        return found

    def _skipped(self, tree: Node) -> frozenset[QualifiedName]:
        """Return the B-trees of which a plan skips parts: neither is their first column compared nor all of it read."""
        skipped = set[QualifiedName]()
        for node in nodes(tree):
            name, condition = node.get("Index Name", ""), node.get("Index Cond", "")
            first, whole = self._first.get(name, ("", 0.0))
            if condition and node["Total Cost"] < whole and not re.search(first, condition):
                skipped |= self._roots.get(name, set())
        return frozenset(skipped)

    def _planned(self, text: str) -> Planned:
        tree = self._explained(text)
        if self._sorts_whole and any(node["Node Type"] == "Incremental Sort" for node in nodes(tree)):
            self._scratch.rows("SET enable_incremental_sort = off")
            tree = min(tree, self._explained(text), key=lambda one: float(one["Total Cost"]))
            self._scratch.rows("RESET enable_incremental_sort")
        used = (root for node in nodes(tree) for root in self._roots.get(node.get("Index Name", ""), ()))
        return Planned(float(tree["Total Cost"]), frozenset(used), tree)

    def _explained(self, text: str) -> Node:
        ((plans,),) = self._scratch.rows(f"EXPLAIN (FORMAT JSON) {text}")
        tree: Node = plans[0]["Plan"]
        return tree

    def worst(self, texts: Sequence[str]) -> Planned:
        """Return the dearest of several plans of one statement with different values, with the indexes of all."""
        found = [self.plan(text) for text in texts]
        dearest = max(found, key=lambda one: one.cost)
        return Planned(dearest.cost, frozenset().union(*(one.indexes for one in found)), dearest.tree)


def nodes(tree: Node) -> Iterator[Node]:
    """Yield a plan and all that are below it."""
    yield tree
    for below in tree.get("Plans", ()):
        yield from nodes(below)
