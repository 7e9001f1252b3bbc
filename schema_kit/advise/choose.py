"""Which candidates the planner takes, and which of those are needed: the least useful ones are taken away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from schema_kit.advise.planner import Planner
from schema_kit.advise.statements import Statement
from schema_kit.names import QualifiedName

DEARER = 1.05
"""How much dearer than with all candidates a statement may become by taking one away."""

WORTH = 10.0
"""How much one statement has to save, at least, in pages that are read in order."""

WORTH_SHARE = 0.05
"""And of what it costs, at least."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement with values, and what it costs: before, with all candidates, with those that were chosen."""

    statement: Statement
    texts: tuple[str, ...]
    before: float
    best: float
    now: float
    indexes: frozenset[QualifiedName]

    @property
    def named(self) -> bool:
        """Whether it is dearer than it could be, or than it was, by more than is let through."""
        return (self.now > self.best * DEARER and self.now > self.best + WORTH) or self.now > self.before * DEARER


def choose(
    planner: Planner,
    asked: Sequence[tuple[Statement, Sequence[str]]],
    candidates: Mapping[QualifiedName, float],
    alike: Callable[[QualifiedName, QualifiedName], bool],
) -> tuple[list[Asked], list[QualifiedName]]:
    """Judge candidates by the planner.

    Args:
        planner: of the scratch on which all candidates are made.
        asked: statements, each with its texts.
        candidates: names, with their sizes in bytes.
        alike: whether one of two candidates may stand for the other.

    Returns:
        The statements with their costs, verified by one more pass, and the candidates that are wanted.
    """
    planner.hide(candidates)
    before = [planner.worst(texts).cost for _, texts in asked]
    planner.hide(())
    everything = [planner.worst(texts) for _, texts in asked]
    state = [
        Asked(statement, tuple(texts), cost, min(best.cost, cost), best.cost, best.indexes)
        for (statement, texts), cost, best in zip(asked, before, everything, strict=True)
    ]
    wanted = {index for one in state if _gains(one) for index in one.indexes & candidates.keys()}
    state = _with(planner, state, candidates.keys() - wanted)
    wanted -= fewer(planner, state, wanted, candidates.keys() - wanted, candidates)
    for joins in (True, False):
        wanted = _others(planner, state, wanted, candidates, alike, joins=joins)
    state = _with(planner, state, candidates.keys() - wanted)
    return state, sorted(wanted, key=str)


def _gains(one: Asked) -> bool:
    return one.before - one.best >= max(WORTH, WORTH_SHARE * one.before)


def _with(planner: Planner, state: Sequence[Asked], hidden: Collection[QualifiedName]) -> list[Asked]:
    """Plan all statements without some indexes."""
    planner.hide(hidden)
    found = [planner.worst(one.texts) for one in state]
    return [replace(one, now=plan.cost, indexes=plan.indexes) for one, plan in zip(state, found, strict=True)]


def fewer(
    planner: Planner,
    state: list[Asked],
    indexes: Collection[QualifiedName],
    hidden: Collection[QualifiedName],
    sizes: Mapping[QualifiedName, float],
) -> set[QualifiedName]:
    """Which of some indexes can go together, without making a statement much dearer: the largest are tried first.

    Args:
        planner: of the scratch.
        state: the statements; their costs and indexes follow what is taken away.
        indexes: that may go.
        hidden: that are gone already.
        sizes: of the indexes.
    """
    gone = set[QualifiedName]()
    for index in sorted(indexes, key=lambda name: (-sizes[name], str(name))):
        planner.hide({*hidden, *gone, index})
        if _bearable(planner, state, {index}):
            gone.add(index)
    return gone


def _bearable(planner: Planner, state: list[Asked], gone: Collection[QualifiedName]) -> bool:
    """Whether the statements that used some indexes can do without; then their costs and indexes are the new ones."""
    users = {nth: one for nth, one in enumerate(state) if not one.indexes.isdisjoint(gone)}
    for nth, one in users.items():
        plan = planner.worst(one.texts)
        if plan.cost > one.best * DEARER and plan.cost - one.best >= WORTH:
            return False
        users[nth] = replace(one, now=plan.cost, indexes=plan.indexes)
    for nth, one in users.items():
        state[nth] = one
    return True


def _others(
    planner: Planner,
    state: list[Asked],
    wanted: set[QualifiedName],
    sizes: Mapping[QualifiedName, float],
    alike: Callable[[QualifiedName, QualifiedName], bool],
    *,
    joins: bool,
) -> set[QualifiedName]:
    """Put another candidate in the place of two that are wanted, or a smaller one in the place of one."""
    for index in sorted(wanted, key=lambda name: (-sizes[name], str(name))):
        if index not in wanted:
            continue
        rivals = sorted((one for one in sizes if one != index and alike(index, one)), key=lambda name: sizes[name])
        partners = [one for one in rivals if one in wanted] if joins else [index]
        for partner in partners:
            room = sizes[index] + sizes[partner] if joins else sizes[index]
            for rival in rivals:
                if rival in wanted or sizes[rival] >= room:
                    continue
                left = wanted - {index, partner}
                planner.hide(sizes.keys() - left - {rival})
                if _bearable(planner, state, {index, partner}):
                    wanted = left | {rival}
                    break
            if index not in wanted:
                break
    return wanted
