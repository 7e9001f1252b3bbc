"""Advice as text, for JSON and as calls of operations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from schema_kit.advise.advice import Advice, Unneeded, Wanted, saved
from schema_kit.advise.choose import Asked
from schema_kit.advise.shown import cost, size
from schema_kit.health.definition import drop_call, index_call
from schema_kit.names import QualifiedName
from schema_kit.normalized import short

WAL_BYTES = 64
"""What WAL has around an index entry."""


def calls(advice: Advice, unused: Collection[QualifiedName]) -> tuple[list[str], list[str], list[str]]:
    """Return what a revision does, what takes it back, and the evidence: a line for each index.

    Args:
        advice: what was found.
        unused: indexes that no server has scanned for long: what is unneeded, too, is dropped now.
    """
    up, down, told = list[str](), list[str](), list[str]()
    for index in advice.wanted:
        up.append(made(index))
        down.append(drop_call(index.name, index.table))
        told.append(_evidence(index))
    for one in advice.unneeded:
        if one.name in unused:
            up.append(drop_call(one.name, one.table))
            down.append(made(one))
        told.append(_unneeded(one, len(advice.asked), one.name in unused))
    return up, down[::-1], told


def made(index: Wanted | Unneeded) -> str:
    """Return the call that makes an index."""
    return index_call("create_index_concurrently", index.name.name, index.table, index.definition)


def _evidence(index: Wanted) -> str:
    calls_a_day = sum(one.statement.calls for one in index.asked)
    said = (
        f"{index.name} ({_defined(index)}): {size(index.bytes)}; {_several(len(index.asked), 'statement')}, "
        f"{_several(calls_a_day, 'call')} a day"
    )
    return f"{said}; {_writers(index)}"


def _writers(index: Wanted) -> str:
    if index.writes is None:
        return "what it costs writers is not known"
    entries = index.writes.entries
    return f"writers: {_several(entries, 'entry')} a day, {size(entry_bytes(index) * entries)}"


def entry_bytes(index: Wanted) -> float:
    """About what an entry adds to the index and to WAL."""
    return 2 * index.bytes / max(index.rows, 1) + WAL_BYTES


def _defined(index: Wanted | Unneeded) -> str:
    definition = index.definition
    said = ("" if definition.method == "btree" else f"{definition.method} ") + ", ".join(definition.keys)
    said += f" INCLUDE {', '.join(definition.include)}" if definition.include else ""
    return said + (f" WHERE {definition.predicate}" if definition.predicate else "")


def _unneeded(one: Unneeded, statements: int, unused: bool) -> str:
    said = f"{one.name} ({_defined(one)}), {size(one.bytes)}: none of the {statements} statements needs it"
    if unused:
        return f"{said}, and no server has scanned it for 30 days or more"
    return f"{said}; it is dropped by a later revision, once health has seen no scan of it for 30 days on any server"


def _several(count: float, noun: str) -> str:
    shown = f"{count:,.0f}" if count >= 1 or count == 0 else f"{count:.2f}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{shown} {noun if shown == '1' else plural}"


def text(advice: Advice, unused: Collection[QualifiedName]) -> Iterator[str]:
    """Lines: each index under its table, with its call and its statements."""
    tables = sorted({*(one.table for one in advice.wanted), *(one.table for one in advice.unneeded)}, key=str)
    for table in tables:
        yield str(table)
        for index in advice.wanted:
            if index.table == table:
                yield f"  make {_evidence(index)}"
                yield f"    In a migration: {made(index)}"
                yield from (f"    {_costs(one)}" for one in index.asked)
        for one in advice.unneeded:
            if one.table == table:
                yield f"  drop {_unneeded(one, len(advice.asked), one.name in unused)}"
                if one.name in unused:
                    yield f"    In a migration: {drop_call(one.name, one.table)}"


def _costs(one: Asked) -> str:
    return f"cost {cost(one.before)} -> {cost(one.now)}: {short(one.statement.shown)}"


def notes(advice: Advice) -> Iterator[str]:
    """Yield what else has to be known: extensions, statements that stay dear, and those that could not be planned."""
    for extension in advice.extensions:
        yield f"extension {extension} is not installed in production: op.create_extension({extension!r}) first."
    for one in advice.asked:
        if one.named:
            best = f", {cost(one.best)} with every candidate"
            yield f"cost {cost(one.before)} -> {cost(one.now)}{best}: {short(one.statement.shown)}"
    for statement, problem in advice.left_out:
        yield f"not judged, {problem}: {short(statement.shown)}"


def document(advice: Advice, unused: Collection[QualifiedName], said: Sequence[str]) -> dict[str, Any]:
    """Return all of it, for programs."""
    return {
        "cost_a_day": dict(saved(advice.asked)),
        "extensions": list(advice.extensions),
        "wanted": [
            {
                **_index(one),
                "operation": made(one),
                "entries_a_day": one.writes.entries if one.writes else None,
                "bytes_a_day": one.writes.entries * entry_bytes(one) if one.writes else None,
                "statements": [_statement(asked) for asked in one.asked],
            }
            for one in advice.wanted
        ],
        "unneeded": [
            {**_index(one), "unused": one.name in unused, "operation": drop_call(one.name, one.table)}
            for one in advice.unneeded
        ],
        "statements": [_statement(one) | {"dearer": one.named} for one in advice.asked],
        "left_out": [{"statement": one.shown, "why": why} for one, why in advice.left_out],
        "notes": list(said),
    }


def _index(one: Wanted | Unneeded) -> dict[str, Any]:
    return {"index": str(one.name), "table": str(one.table), "definition": _defined(one), "bytes": one.bytes}


def _statement(one: Asked) -> dict[str, Any]:
    return {
        "statement": one.statement.shown,
        "calls_a_day": one.statement.calls,
        "cost_before": one.before,
        "cost": one.now,
        "cost_with_every_candidate": one.best,
    }


def summary(advice: Advice) -> str:
    """Return one line: how much was asked, and what it comes to."""
    costs = saved(advice.asked)
    cheaper = f"; what they cost in a day: {cost(costs['before'])} -> {cost(costs['after'])}" if advice.wanted else ""
    return (
        f"{_several(len(advice.asked), 'statement')} judged: {len(advice.wanted)} indexes wanted, "
        f"{len(advice.unneeded)} not needed by them{cheaper}"
    )
