"""What commands and operations that move partitions have in common: what is observed of one, and the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from schema_kit.catalog import Catalog
from schema_kit.errors import PlanError
from schema_kit.model import ArchivePolicy, Moved, Partitioning, Table, View
from schema_kit.names import QualifiedName
from schema_kit.plans import publications
from schema_kit.plans.grid import MOST_AHEAD, grid
from schema_kit.plans.partitions import create_partition
from schema_kit.plans.retirement import How
from schema_kit.plans.transfer import Transfer, stays, transfer
from schema_kit.sqlscripts import load
from schema_kit.steps import Step
from schema_kit.steps.archives import CreateArchiveConfig, Route
from schema_kit.steps.rows import RemoveRows


def both(catalog: Catalog, policy: ArchivePolicy) -> tuple[Table, Table]:
    """A table and its archive.

    Raises:
        PlanError: one of them is not there, or rights are missing.
    """
    table, archive = catalog.table(policy.table), catalog.table(policy.archive)
    if table is None or archive is None:
        gone = policy.table if table is None else policy.archive
        raise PlanError(
            f"{policy.table} is registered in archive_policy with the archive {policy.archive}, but there is no table "
            f"{gone}."
        )
    return table, archive


def refuse_without_rights(catalog: Catalog, policy: ArchivePolicy) -> None:
    """Said before anything is written.

    Raises:
        PlanError: something is missing.
    """
    if lacking := catalog.archive_rights_missing((policy.table, policy.archive)):
        raise PlanError(f"cannot archive {policy.table}: {'; '.join(lacking)}.")


def observed(
    catalog: Catalog, source: QualifiedName, name: QualifiedName, route: Route, lower: str | None, upper: str | None
) -> Transfer | None:
    """A partition of *source* that goes elsewhere; None where there is no such table."""
    seen = catalog.detaching(source, name)
    if seen is None:
        return None
    wanted = catalog.attaching(route.goes_to, name, lower, upper)
    target = catalog.table(route.goes_to) if wanted.seen.default else None
    return Transfer(
        seen,
        wanted,
        catalog.tree(name),
        catalog.tree(route.goes_to)[0],
        catalog.check_definition(name, wanted.proof) if not wanted.unlike else None,
        catalog.filled_default(target),
        any(row.name == name and row.goes_to == route.goes_to and row.since is None for row in catalog.moved()),
    )


Move = tuple[QualifiedName, QualifiedName, QualifiedName, str | None, str | None]
"""From where, to where, which partition, and its bounds."""


def moves(
    catalog: Catalog, policy: ArchivePolicy, partitioning: Partitioning, views: Sequence[View], wanted: Iterable[Move]
) -> tuple[list[Step], list[str]]:
    """The steps that move partitions, one after the other; and what stays, and why.

    Raises:
        PlanError: rights are missing, or the two tables differ.
    """
    steps, notes, record = list[Step](), list[str](), load("tables/retired_partition.sql")
    has_record = False
    for source, goes_to, name, lower, upper in wanted:
        route = Route(policy.table, policy.archive, goes_to)
        one = observed(catalog, source, name, route, lower, upper)
        if one is None:
            continue
        if one.seen.may_not:
            raise PlanError(f"cannot move {name}: {'; '.join(one.seen.may_not)}.")
        why = [*stays(one.seen), *(f"its range overlaps that of {other}" for other in one.wanted.overlapping)]
        why += [f"{one.wanted.seen.default} holds rows of its range"] if one.wanted.in_default else []
        if why:
            notes.append(f"{name} is to go to {goes_to} and stays: {'; '.join(why)}")
            continue
        if not steps and not catalog.archive_config_is_there():
            steps.append(CreateArchiveConfig(load("tables/archive_policy.sql")))
        has_record = has_record or one.seen.has_record
        steps += transfer(route, one, views, _how(partitioning), record, has_record=has_record)
        has_record = True
        notes += publications.kept([one.seen])
    return steps, list(dict.fromkeys(notes))


def under_way(known: Iterable[Moved], policy: ArchivePolicy) -> Iterator[Move]:
    """What was detached, and is to be attached still."""
    for row in known:
        if row.since is None and row.there and row.attached_to is None:
            source = policy.table if row.goes_to == policy.archive else policy.archive
            yield source, row.goes_to, row.name, row.lower, row.upper


def with_room(catalog: Catalog, steps: Iterable[Step]) -> Iterator[Step]:
    """Steps that move rows; before each, the partitions that its archive has not yet, and that they would lie in.

    An archive with a default partition takes all, and one without a policy in part_config is its owner's to keep.

    Raises:
        PlanError: they lie in more windows than partitions are made at once, or across some that are there.
    """
    for step in steps:
        archive = step.archive.table if isinstance(step, RemoveRows) and step.archive else None
        policy = catalog.policy(archive) if archive else None
        table = catalog.table(archive) if archive and policy else None
        if policy and table and isinstance(step, RemoveRows) and not any(part.default for part in table.partitions):
            lines = grid(policy, table)
            ends = [lines.key.locate(end) for end in catalog.ends(step, policy.control) if end is not None]
            known = [end for end in ends if end is not None]  # infinity lies in none
            upper = lines.window(known[-1]).upper if known else None
            windows = list(islice(lines.windows(known[0], upper), MOST_AHEAD + 1)) if known else []
            if len(windows) > MOST_AHEAD:
                raise PlanError(
                    f"cannot move rows of {step.table} to {table.name}: they lie in more than {MOST_AHEAD} of its "
                    "windows. Make the partitions that it shall have, or a default one."
                )
            yield from (create_partition(lines, table, table.name, window) for window in lines.missing(windows, table))
        yield step


def partitioned(catalog: Catalog, policy: ArchivePolicy) -> Partitioning:
    """How a table is cut.

    Raises:
        PlanError: nobody says so.
    """
    found = catalog.policy(policy.table)
    if found is None:
        raise PlanError(
            f"cannot archive partitions of {policy.table}: it has no policy in schema_kit.part_config, which says how "
            "it is cut. op.set_partition_policy registers one."
        )
    return found


def cut_of(catalog: Catalog, policy: ArchivePolicy) -> Partitioning | None:
    """How a table that is archived by rows is cut, or its archive; None where neither has a policy."""
    return catalog.policy(policy.table) or catalog.policy(policy.archive)


def _how(partitioning: Partitioning) -> How:
    """How the set's policy wants partitions detached."""
    ways: dict[str, How] = {"concurrently": "concurrently", "blocking": "blocking"}
    return ways.get(partitioning.detach, "auto")


def of(catalog: Catalog, policy: ArchivePolicy) -> list[Moved]:
    """What archived_partition knows of one archive."""
    return [row for row in catalog.moved() if (row.table, row.archive) == (policy.table, policy.archive)]
