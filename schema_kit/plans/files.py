"""What becomes of a table whose rows are in a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from schema_kit.model import ArchiveFile, Detaching, Property
from schema_kit.plans.retirement import drop
from schema_kit.steps import Plan
from schema_kit.steps.files import ForgetFile, RecordFile


def register(file: ArchiveFile, leaving: Detaching | None = None) -> Plan:
    """Write down what lies in a file that is complete; where the table goes, in one commit with its end.

    Args:
        file: what lies where.
        leaving: the table, as observed, if it is to be dropped: one that was detached.

    Raises:
        PlanError: it never was a partition, something depends on it, rows refer to it, or rights are missing.
    """
    title = f"record {file.url}"
    if leaving is None:
        return Plan(title, (RecordFile(file),))
    return Plan(title, (RecordFile(file, drops=True), *drop(leaving.parent, leaving.name, leaving).steps))


def forget(urls: Sequence[str], known: Sequence[ArchiveFile]) -> Plan:
    """Take files out of the manifest, those that are in it still."""
    there = {file.url for file in known}
    return Plan("forget files", tuple(ForgetFile(url) for url in urls if url in there))


def missing(was: Iterable[Property], now: Iterable[Property]) -> tuple[Property, ...]:
    """Return what a partition had, and what stands for it now has not, or has otherwise.

    Indexes and constraints are known by what they are, whatever their names; of one that is missing, that is said and
    nothing more. Where the table lay in its set is left out.

    Args:
        was: what PostgreSQL printed of it.
        now: what it prints of what stands for it.
    """
    has = {(name, one.property): one.text for name, one in _named(now)}
    there = {name for name, _ in has}
    return tuple(
        one
        for name, one in _named(was)
        if has.get((name, one.property)) != one.text
        and (name in there or one.property == "definition" or name.startswith("column "))
        and not _ELSEWHERE.match(f"{one.object}, {one.property}")
    )


def named(properties: Sequence[Property]) -> str:
    """In words, for a message."""
    return "; ".join(f"{one.object}, {one.property}: {one.text[:_LONGEST]}" for one in properties)


_LONGEST = 200
"""Characters of a definition that are shown."""


def own(was: Iterable[Property], parent: Iterable[Property]) -> tuple[Property, ...]:
    """Return what a partition has, and a partition of its parent would not have by itself.

    Args:
        was: what PostgreSQL prints of it.
        parent: what it prints of the parent.
    """
    theirs = tuple(parent)
    granted = {p.object: {*p.text.split(", ")} for p in theirs if p.property == "privileges"}
    return tuple(
        one
        for one in missing(was, theirs)
        if (one.property, one.text) != ("method", "heap")  # of which a partitioned table has none
        and not (one.property == "privileges" and {*one.text.split(", ")} <= granted.get(one.object, set()))
    )


def beside_bounds(properties: Iterable[Property], bounds: str) -> tuple[Property, ...]:
    """Without the CHECK that a concurrent detach leaves: *bounds* is what it says, however that is printed."""
    said = _bare(bounds)
    return tuple(one for one in properties if one.property != "definition" or _bare(one.text) != f"CHECK {said}")


def _bare(condition: str) -> str:
    return re.sub(r"[()'\"]|::.*?(?=\)| AND |$)", "", condition)


_ELSEWHERE = re.compile(
    r'table, (bounds|parents)$|view |constraint ("([^"]|"")*"|[^" ]+) of |(index|sequence) .*, (owner|persistence)$',
    re.DOTALL,
)


def _named(properties: Iterable[Property]) -> Iterator[tuple[str, Property]]:
    """Yield each with what its object is known by."""
    seen = tuple(properties)
    kinds = ("index ", "constraint ")
    definitions = {p.object: p.text for p in seen if p.property == "definition" and p.object.startswith(kinds)}
    for one in seen:
        kind = one.object.partition(" ")[0]
        yield (f"{kind} {definitions[one.object]}" if one.object in definitions else one.object), one
