"""The names that steps take for what they make, read from the very statements that are sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schema_kit.names import QualifiedName, unquoted
from schema_kit.steps.step import Step

_NAME = r'"(?:[^"]|"")+"'
_TABLE = rf"(?P<schema>{_NAME})\.(?P<name>{_NAME})"
# The index that becomes a constraint of its own name exists already, perhaps since a run before.
_KEY = r"(?:PRIMARY KEY|UNIQUE)(?! USING INDEX (?P=new)(?: |$))"

_MADE = (
    (re.compile(rf"CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) {_TABLE}"), "relation"),
    (re.compile(rf"CREATE FUNCTION {_TABLE}\(\)"), "function"),
    (re.compile(rf"CREATE (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?P<new>{_NAME}) ON (?:ONLY )?{_TABLE}"), "index"),
    (re.compile(rf"ALTER TABLE (?:ONLY )?{_TABLE} ADD CONSTRAINT (?P<new>{_NAME}) {_KEY}"), "index"),
    (re.compile(rf"ALTER (?:TABLE|VIEW) {_TABLE} RENAME TO (?P<new>{_NAME})"), "relation"),
    (re.compile(rf"ALTER (?:INDEX|SEQUENCE) {_TABLE} RENAME TO (?P<new>{_NAME})"), "index"),
    (re.compile(rf"ALTER TABLE {_TABLE} SET SCHEMA (?P<to>{_NAME})"), "relation"),
)
_MOVED = re.compile(rf"ALTER (?:TABLE|VIEW|INDEX|SEQUENCE) {_TABLE} (?:RENAME TO|SET SCHEMA) ")
_BECOMES = re.compile(rf"ALTER TABLE {_TABLE} ADD CONSTRAINT .* USING INDEX (?P<index>{_NAME})$")
"""An index becomes a constraint's, under the name of that."""
_DROPPED = re.compile(r"DROP (?:TABLE|VIEW|INDEX|FUNCTION) (?:CONCURRENTLY )?(?:IF EXISTS )?(?P<names>.+)")
_SHED = re.compile(rf"ALTER TABLE (?:ONLY )?{_TABLE} .*DROP (?:CONSTRAINT|COLUMN|IDENTITY)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that has to be free.

    Args:
        name: what it is.
        kind: relation (a table, view: it has a type of its name, too), index (or sequence) or function.
        step: what needs it.
    """

    name: QualifiedName
    kind: str
    step: Step


@dataclass(frozen=True, slots=True)
class Claims:
    """The names that steps need, but for those that they free themselves before."""

    needed: tuple[Claim, ...]
    shed: tuple[QualifiedName, ...]
    """Tables and indexes that lose what belongs to them: the names of that are free by then."""


def claims(steps: Sequence[Step]) -> Claims:
    """Return what has to be free before the first of the steps is sent."""
    needed, shed, freed = list[Claim](), list[QualifiedName](), set[QualifiedName]()
    was = dict[QualifiedName, QualifiedName | None]()
    """What the names of the plan's own making stood for before it; None: nothing."""
    for step in steps:
        freed |= set(step.awaited)
        for statement in step.sql():
            gone = [was.get(name, name) for name in _shed(statement)]
            shed += [name for name in gone if name is not None]
            moved = next(iter(_moved(statement)), None)
            freed |= set(_freed(statement))
            for name, kind in _made(statement):
                if name not in freed:
                    needed.append(Claim(name, kind, step))
                was[name] = was.get(moved, moved) if moved else None
                freed.add(name)  # it is the plan's own from now on
        needed += [Claim(name, "index", step) for name in step.brings if name not in freed]
    return Claims(tuple(needed), tuple(dict.fromkeys(shed)))


def _made(statement: str) -> Iterator[tuple[QualifiedName, str]]:
    for pattern, kind in _MADE:
        if found := pattern.match(statement):
            parts = found.groupdict()
            schema, name = unquoted(parts.get("to") or parts["schema"]), unquoted(parts.get("new") or parts["name"])
            yield QualifiedName(schema, name), kind
            return


def _moved(statement: str) -> Iterator[QualifiedName]:
    if found := _MOVED.match(statement):
        yield _named(found)


def _freed(statement: str) -> Iterator[QualifiedName]:
    yield from _moved(statement)
    if found := _BECOMES.match(statement):
        yield QualifiedName(unquoted(found["schema"]), unquoted(found["index"]))
    yield from _dropped(statement)


def _shed(statement: str) -> Iterator[QualifiedName]:
    if found := _SHED.match(statement):
        yield _named(found)
    yield from _dropped(statement)


def _dropped(statement: str) -> Iterator[QualifiedName]:
    if found := _DROPPED.match(statement):
        yield from map(_named, re.finditer(_TABLE, found["names"]))


def _named(found: re.Match[str]) -> QualifiedName:
    return QualifiedName(unquoted(found["schema"]), unquoted(found["name"]))
