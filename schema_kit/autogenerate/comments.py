"""Comments on constraints, which Alembic neither compares nor writes."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from alembic.operations import MigrateOperation, ops

from schema_kit.autogenerate.drift import is_dropped, sql_name
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import Stage, executed, nothing, paired
from schema_kit.names import ident
from schema_kit.ops import classes
from schema_kit.ops.operation import PlanOperation
from schema_kit.steps.dependents import comment_sql


def compare(work: Work, *, renames: bool) -> None:
    """Set comments that differ, behind what creates their constraints; a constraint that goes loses its comment first.

    Args:
        work: the operations, once they are those that are written.
        renames: whether they give a primary key the name that its model says.
    """
    first, last = list[MigrateOperation](), list[MigrateOperation]()
    for key in {**work.tables, **work.models}:
        found = work.tables.get(key)
        there = {one.name: one.comment for one in found.constraints if one.kind != "n"} if found else {}
        primary = next((one.name for one in found.constraints if one.kind == "p"), None) if found else None
        declared = dict(_declared(work, key, None if renames else primary))
        if renames and primary and (name := _name_of_key(work, key)):
            there[name] = there.pop(primary)
        table_goes = bool(work.of((ops.DropTableOp, classes.DropTableConcurrentlyOp), key))
        gone = {name for name in there if table_goes or is_dropped(work, key, name)}
        first += [paired(_set(key, name, None), _set(key, name, there[name])) for name in sorted(gone) if there[name]]
        for name, comment in declared.items():
            if name not in there or name in gone:
                stage = Stage.BEHIND if _commits(work, key, name) else Stage.OTHERS
                last += [paired(_set(key, name, comment), nothing(key[1], key[0]), stage=stage)] if comment else []
            elif comment != there[name]:
                last.append(paired(_set(key, name, comment), _set(key, name, there[name])))
    if first or last:
        work.operations[:] = [*first, *work.operations, *last]
        work.changed = True


def _declared(work: Work, key: Key, primary: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield what is said of each constraint of a model; that of its primary key may have another name."""
    table = work.models.get(key)
    if table is None:
        return
    for one in (*table.constraints, *(one for column in table.columns for one in column.constraints)):
        name = work.name(one)  # SQLAlchemy says nothing of what has none
        name = primary if primary and name and isinstance(one, sa.PrimaryKeyConstraint) else name
        if name and one._ddl_if is None and work.included(one, name, _FILTERED.get(type(one), "check_constraint"), key):
            yield str(name), one.comment or None


def _name_of_key(work: Work, key: Key) -> str | None:
    table = work.models.get(key)
    return work.name(table.primary_key) if table is not None and table.primary_key.columns else None


_FILTERED = {sa.ForeignKeyConstraint: "foreign_key_constraint", sa.UniqueConstraint: "unique_constraint"}


def _commits(work: Work, key: Key, name: str) -> bool:
    """Return whether an operation that commits on its own creates it."""
    own = (one for one in work.operations if isinstance(one, PlanOperation) and work.table_of(one) == key)
    return any(one.bound.arguments.get("constraint_name") == name and not one.shared for one in own)


def _set(key: Key, name: str, comment: str | None) -> MigrateOperation:
    return executed(comment_sql("CONSTRAINT", f"{ident(name)} ON {sql_name(key)}", comment))
