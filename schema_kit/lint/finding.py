"""What a judgement says: one thing to act on, its evidence, and the call to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from schema_kit.names import QualifiedName

KINDS = {
    "fails": "PostgreSQL, or Python, refuses it",
    "rows_gone": "rows are gone for good",
    "blocks": "sessions wait for as long as a whole table is read or written",
    "unfinished": "something stays half made when it is cancelled and run again",
    "whole_table": "every row of a table is written by one statement or transaction",
    "code_breaks": "the code that runs at that moment breaks",
    "several_tables": "one transaction holds locks of several tables",
    "locks_another": "making one table locks another one, that is in use",
    "lighter_way": "a statement that locks less does the same",
    "type_trap": "a type that does not do what one expects",
    "differs_again": "it ends differently when it is run again",
    "no_way_back": "its downgrade fails, or the upgrade after it",
    "ignore_unneeded": "a comment ignores what is not there, or gives no reason",
}
"""Every kind of finding, the worst first."""

_ORDER = {kind: place for place, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to act on.

    Args:
        kind: one of KINDS.
        revision: whose.
        path: its file.
        line: of the file; 0 where the statement came from elsewhere.
        transaction: number of the transaction in the revision; 0 where it belongs to none.
        table: the table, or None.
        evidence: what was seen: locks, lines, scans, until when. Never empty.
        instead: the call to write instead, or what to do.
        also: other kinds of the same transaction and table, with their evidence.
    """

    kind: str
    revision: str
    path: str
    line: int
    transaction: int
    table: QualifiedName | None
    evidence: str
    instead: str
    also: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if not self.evidence:
            raise ValueError(f"a finding of the kind {self.kind} needs evidence")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Its own kind and those of what is folded into it."""
        return (self.kind, *(one.kind for one in self.also))


def folded(
    findings: Iterable[Finding], roots: Mapping[QualifiedName, QualifiedName] | None = None
) -> tuple[Finding, ...]:
    """Return one finding for a transaction and table, the worst first; the order of the findings given breaks ties.

    Args:
        findings: all of them.
        roots: partitions, each with its partitioned table, which stands for them.
    """
    groups = dict[tuple[object, ...], list[Finding]]()
    for place, one in enumerate(findings):
        table = (roots or {}).get(one.table, one.table) if one.table else None
        groups.setdefault((one.revision, one.transaction, table) if table else (one.revision, place), []).append(one)
    heads = list[Finding]()
    for key, group in groups.items():
        worst, *rest = sorted(_of_partitions(group, key[-1]), key=_rank)
        heads.append(replace(worst, also=tuple(rest)))
    return tuple(sorted(heads, key=_rank))


def _of_partitions(group: list[Finding], root: object) -> Iterator[Finding]:
    """Yield what is found in a table, and of its partitions one that stands for all of the same kind and line."""
    same = dict[tuple[str, int], list[Finding]]()
    for one in sorted(group, key=lambda one: (one.table != root, _rank(one))):
        same.setdefault((one.kind, one.line), []).append(one)
    for first, *more in same.values():
        others = {one.table for one in more} - {first.table}
        for one in (first, *(one for one in more if one.table == first.table)):
            if others and isinstance(root, QualifiedName):
                more_of = "" if one.table == root else "more "
                text = f"{one.evidence}; so for {len(others)} {more_of}partition{'s' * (len(others) > 1)} of {root}"
                one = replace(one, table=root, evidence=text)
            yield one


def _rank(one: Finding) -> tuple[object, ...]:
    return _ORDER[one.kind], one.transaction, one.line, str(one.table or ""), one.evidence
