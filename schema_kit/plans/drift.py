"""Sentences about what partitions have otherwise than their parents: one for each thing, however many partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from schema_kit.model import Drift, Table
from schema_kit.names import QualifiedName, fit, ident
from schema_kit.steps.partitions import for_values

_SHOWN = 3
_FIRES = {"O": "ENABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER", "D": "DISABLE TRIGGER"}


def several(names: Sequence[object]) -> str:
    """``a``; ``a, b``; ``5,000 (a, b, c, ...)``."""
    if len(names) <= _SHOWN:
        return ", ".join(map(str, names))
    return f"{len(names):,} ({', '.join(map(str, names[:_SHOWN]))}, ...)"


def sentences(drifts: Sequence[Drift], table: Table) -> Iterator[tuple[str, str, str]]:
    """Yield a code, an object and a sentence for each thing that is otherwise.

    Args:
        drifts: what is otherwise, as it was observed.
        table: the partitioned table, for the bounds of its partitions.
    """

    def thing(drift: Drift) -> tuple[str, str, str]:
        return drift.kind, drift.object, "" if drift.parent is None else drift.parent.sql

    below = {(drift.parent, drift.object) for drift in drifts if drift.kind in ("index missing", "index invalid")}
    for (kind, object_, _), found in groupby(sorted(drifts, key=thing), key=thing):
        group = tuple(found)
        one, tables = group[0], [drift.table for drift in group]
        if kind != "index not whole" or (one.table, object_) not in below:
            code, sentence = _KINDS[kind]
            yield code, str(_index(one)) if kind.startswith("index ") else object_, sentence(one, tables, table)


def _index(one: Drift) -> QualifiedName:
    """Return the parent's index that partitions lack or have otherwise; or one of a table itself."""
    return (one.parent or one.table).sibling(one.object)


def _index_missing(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    own, index = one.table.sibling(fit(f"{one.table.name}_{one.object}")), _index(one)
    unique, tail = ("UNIQUE ", one.detail[7:]) if one.detail.startswith("UNIQUE ") else ("", one.detail)
    return (
        f"index {index} of {one.parent} is missing on {several(tables)}: queries read what it should spare them, and "
        "it is INVALID above until each partition has it. Run the migration's operation that makes it again, which "
        f"resumes there; or by hand for each: CREATE {unique}INDEX CONCURRENTLY {ident(own.name)} ON "
        f"{one.table.sql} USING {tail}; ALTER INDEX {index.sql} ATTACH PARTITION {own.sql};"
    )


def _index_invalid(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    index, own = _index(one), one.table.sibling(one.detail)
    return (
        f"index {index} of {one.parent} is INVALID on {several(tables)}: writes keep it, no query uses it, and a "
        f"unique one guarantees nothing. For each: REINDEX INDEX CONCURRENTLY {own.sql}; "
        f"ALTER INDEX {index.sql} ATTACH PARTITION {own.sql};"
    )


def _index_not_whole(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    return (
        f"index {_index(one)} of {several(tables)} is INVALID though each partition has its part: PostgreSQL looks "
        "again only when one is attached. Run the migration's operation that makes it again, or attach any of its "
        f"parts once more: ALTER INDEX {_index(one).sql} ATTACH PARTITION ...; it changes nothing else."
    )


def _index_leftover(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    return (
        f"index {_index(one)} of {several(tables)} is INVALID, which an interrupted build leaves: it costs each write "
        f"and serves no query. Unless another session is building it: DROP INDEX CONCURRENTLY {_index(one).sql};"
    )


def _constraint_missing(one: Drift, tables: Sequence[QualifiedName], table: Table) -> str:
    missing = f"constraint {one.object} of {one.parent} is missing on {several(tables)}: rows there may break it."
    return f"{missing} {_again(one, table)}"


def _constraint_not_valid(one: Drift, tables: Sequence[QualifiedName], table: Table) -> str:
    at = table.name if table.name in tables else one.table
    return (
        f"constraint {one.object} is NOT VALID on {several(tables)}: older rows may break it, and the planner does "
        f"not rely on it. While writes continue: ALTER TABLE {at.sql} VALIDATE CONSTRAINT {ident(one.object)};"
    )


def _not_null(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    return (
        f"column {one.object} of {one.parent} is NOT NULL, and on {several(tables)} it is not: NULL can be written "
        f"there. In a migration: op.set_not_null_concurrently({one.table.name!r}, {one.object!r}, "
        f"schema={one.table.schema!r}), for each."
    )


def _trigger(one: Drift, tables: Sequence[QualifiedName], table: Table) -> str:
    above, here = one.detail[:1], one.detail[1:]
    does = "missing" if not here else "disabled" if here == "D" else "enabled otherwise than above"
    repair = (
        f"For each: ALTER TABLE {one.table.sql} {_FIRES[above]} {ident(one.object)};" if here else _again(one, table)
    )
    return (
        f"trigger {one.object} of {one.parent} is {does} on {several(tables)}: for rows there something else happens "
        f"than for the others. {repair}"
    )


def _default(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    action = f"SET DEFAULT {one.detail}" if one.detail else "DROP DEFAULT"
    return (
        f"column {one.object} of {several(tables)} has another default than that of {one.parent}: it counts for rows "
        "that are written into the partition by its own name. "
        f"For each: ALTER TABLE {one.table.sql} ALTER COLUMN {ident(one.object)} {action};"
    )


def _generated(one: Drift, tables: Sequence[QualifiedName], _: Table) -> str:
    return (
        f"column {one.object} of {several(tables)} is generated by another expression than in {one.parent} "
        f"({one.detail}): rows get the partition's, also through the parent. From PostgreSQL 17 on, with a rewrite: "
        f"ALTER TABLE {one.table.sql} ALTER COLUMN {ident(one.object)} SET EXPRESSION AS ({one.detail});"
    )


def _again(one: Drift, table: Table) -> str:
    """Detach and attach to make what is missing; of a partition of the table itself the bounds are known."""
    assert one.parent is not None  # partitions lack what their parents have
    part = next((part for part in table.partitions if part.name == one.table), None)
    values = "..." if part is None else "DEFAULT" if part.default else for_values(part.lower, part.upper)
    return (
        "Attaching it again makes what is missing; in one transaction, for each: "
        f"ALTER TABLE {one.parent.sql} DETACH PARTITION {one.table.sql}; "
        f"ALTER TABLE {one.parent.sql} ATTACH PARTITION {one.table.sql} {values};"
    )


_KINDS = {
    "index missing": ("index_missing", _index_missing),
    "index invalid": ("index_invalid", _index_invalid),
    "index not whole": ("index_invalid", _index_not_whole),
    "index leftover": ("index_leftover", _index_leftover),
    "constraint missing": ("constraint_missing", _constraint_missing),
    "constraint not valid": ("constraint_not_valid", _constraint_not_valid),
    "not null": ("not_null_missing", _not_null),
    "trigger": ("trigger_differs", _trigger),
    "default": ("default_differs", _default),
    "generated": ("generated_differs", _generated),
}
