"""Plan how an existing table becomes a partition without a scan or a build under a lock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import Attaching, Index, KeyDeclaration, Relation, Table
from schema_kit.names import fit, ident, literal, outside
from schema_kit.plans import indexes
from schema_kit.plans.partitions import not_here
from schema_kit.plans.retirement import refuse_another_s
from schema_kit.steps import Plan, Step
from schema_kit.steps.constraints import AddCheck, AddKeyUsingIndex, ValidateConstraint
from schema_kit.steps.indexes import DropIndexConcurrently, WaitForBuild
from schema_kit.steps.partitions import for_values
from schema_kit.steps.retirement import AttachPartition, CreateIndexLikeParents, FinalizeDetach, ForgetRetired

PROOF = "__bounds"
"""What the name of the CHECK ends in that validates a table's bounds until it is attached."""


def attach(
    wanted: Attaching,
    parent: Sequence[Relation],
    tree: Sequence[Relation],
    before: Sequence[Plan],
    proof: str | None,
    default: Table | None,
) -> Plan:
    """Make a table a partition.

    Args:
        wanted: the table and its range, as observed.
        parent: the parent, before its partitions.
        tree: the table, before its own partitions.
        before: the plans that give it the parent's NOT NULLs, checks and foreign keys.
        proof: how PostgreSQL prints the CHECK for its bounds.
        default: the default partition, where it holds rows.

    Raises:
        PlanError: another shape, a range that overlaps a partition's or is empty, rows of it in the default partition,
            a partition of another table already, or rights are missing.
    """
    seen, own = wanted.seen, tree[0]
    title = f"attach {seen.name} to {seen.parent}"
    refuse_another_s(title, seen)
    bounds = for_values(wanted.lower, wanted.upper)
    if seen.attached_to and not seen.pending:
        if not wanted.same:
            raise PlanError(f"cannot {title} {bounds}: it is attached {seen.bounds}.")
        return Plan(title, (ForgetRetired(seen.name, "it is attached"),) if seen.recorded else ())
    refuse(title, wanted, own, parent[0])
    steps: list[Step] = [FinalizeDetach(seen)] if seen.pending else []
    steps += [step for plan in before for step in plan.steps]
    steps += indexes_like(parent[0], tree)
    check, proving = proved(wanted, own, proof)
    steps += proving
    default_check, past = past_default(wanted, default)
    steps += past
    steps.append(AttachPartition(wanted, check, default_check))
    steps += [ForgetRetired(seen.name, "it is attached")] if seen.recorded else []
    return Plan(title, tuple(steps))


def refuse(title: str, wanted: Attaching, own: Relation, parent: Relation) -> None:
    """What PostgreSQL would refuse it for is said before anything is sent.

    Raises:
        PlanError: there is something.
    """
    obstacles = [*wanted.seen.missing_rights, *wanted.obstacles]
    if wanted.empty:
        obstacles.append(f"a range from {wanted.lower} to {wanted.upper} holds no key")
    obstacles += [f"its range overlaps that of {other}" for other in wanted.overlapping]
    if wanted.in_default:
        obstacles.append(f"{wanted.seen.default} holds rows of its range, which have to move out of it first")
    mine, theirs = (next((i for i in relation.indexes if i.primary), None) for relation in (own, parent))
    if mine and (theirs is None or mine.columns != theirs.columns):
        obstacles.append(f"its primary key {mine.name} ({', '.join(mine.columns)}) is not the parent's")
    if own.partitioned:
        missing = [index.name for index in parent.indexes if not alike(index, own.indexes)]
        obstacles += [f"it is partitioned itself and has no index like {name} (make that first)" for name in missing]
    refuse_for(f"cannot {title}", obstacles)


def proved(wanted: Attaching, own: Relation, printed: str | None) -> tuple[str, list[Step]]:
    """Return the CHECK that says where the table's rows lie: of a concurrent detach, or made and validated."""
    left = next((check for check in own.checks if check.validated and check.definition == printed), None)
    if left:
        return left.name, []
    name = fit(own.name.name, PROOF)
    found = own.check(name)
    steps: list[Step] = []
    below = wanted.seen.below
    if found is None or found.definition != printed:
        steps.append(AddCheck(own.name, name, wanted.proof, name if found else None, below))
    wrong = literal(f" rows of {own.name} lie outside of the range")
    culprits = f"SELECT count(*) || {wrong} FROM {own.name.sql} WHERE ({wanted.proof}) IS NOT TRUE"
    steps.append(ValidateConstraint(own.name, name, culprits=culprits, partitions=below))
    return name, steps


def past_default(wanted: Attaching, default: Table | None) -> tuple[str | None, list[Step]]:
    """A validated CHECK on a default partition that holds rows spares its scan: its name, and what makes it."""
    if default is None:
        return None, []
    name = fit(wanted.seen.name.name, "_not_here")
    rows = outside(ident(wanted.control), wanted.lower, wanted.upper)
    return name, list(not_here(default.name, default.checks, name, rows))


_STORAGE = re.compile(r" WITH \([^)]*\)")


def _definition(index: Index) -> tuple[str, bool]:
    return _STORAGE.sub("", index.tail), index.unique


def alike(index: Index, own: Sequence[Index]) -> Index | None:
    """Return one of a table's own indexes that ATTACH PARTITION takes for the parent's."""
    return next(
        (
            mine
            for mine in own
            if mine.valid and _definition(mine) == _definition(index) and (mine.constraint or not index.constraint)
        ),
        None,
    )


def indexes_like(parent: Relation, tree: Sequence[Relation]) -> Iterator[Step]:
    """Yield the indexes of the parent that the table lacks, built concurrently.

    Raises:
        PlanError: another index has the name that one of them needs.
    """
    own = tree[0]
    for index in parent.indexes:
        if alike(index, own.indexes) or index.exclusion:
            continue
        name = indexes.child_name(own, index.name)
        found = own.index(name)
        if found and found.valid and _definition(found) != _definition(index):
            raise PlanError(
                f"cannot attach {own.name} to {parent.name}: {own.name.sibling(name)} is another index than "
                f"{index.name}, and its name is needed. Rename it."
            )
        if found is None or not found.valid:
            if found and found.building:
                yield WaitForBuild(name, own.name)
            elif found:
                yield DropIndexConcurrently(own.name.sibling(name), own.name)
            yield CreateIndexLikeParents(name, own.name, index)
        if index.constraint:
            deferred = re.search(r"DEFERRABLE.*$", index.constraint)
            key = KeyDeclaration(name, own.name, index.columns, index.primary, deferred[0] if deferred else "")
            yield AddKeyUsingIndex(key, name, own.name)
