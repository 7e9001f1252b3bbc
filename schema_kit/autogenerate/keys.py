"""What Alembic does not compare of keys: order, INCLUDE and DEFERRABLE of unique constraints, MATCH, NOT ENFORCED."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.operations import ops

from schema_kit.autogenerate.drift import is_dropped
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import deferral
from schema_kit.catalog.compared import FoundConstraint, FoundTable


def unique(work: Work) -> None:
    """Replace unique constraints that have the name and columns of the models', and are otherwise not the same."""
    for key, table, found in work.existing():
        for one in sorted(
            (c for c in table.constraints if isinstance(c, sa.UniqueConstraint)), key=lambda c: str(c.name)
        ):
            name = work.name(one)
            there = next((c for c in found.constraints if c.kind == "u" and c.name == name), None)
            if name is None or there is None or _definition(one) == _printed(there):
                continue
            if work.included(one, name, "unique_constraint", key) and not is_dropped(work, key, name):
                create: Any = ops.AddConstraintOp.from_constraint(one)
                _replace(work, key, there, create, _as_found(key, found, there))


def primary(work: Work) -> None:
    """Say which primary keys have other options than those of the models."""
    for _, table, found in work.existing():
        there = next((one for one in found.constraints if one.kind == "p"), None)
        if there and tuple(column.name for column in table.primary_key.columns) == found.primary_key:
            declared = _definition(table.primary_key)
            if declared != _printed(there):
                work.say(
                    f"The primary key of {found.name} is {there.definition}, and its model says {declared}. No "
                    "operation replaces it while writes continue; change the model, or replace it by hand."
                )


def foreign(work: Work) -> None:
    """Replace foreign keys that match rows otherwise than those of the models."""
    for key, table, found in work.existing():
        for one in sorted(table.foreign_key_constraints, key=lambda c: str(c.name)):
            columns, to = tuple(column.name for column in one.columns), one.referred_table.name
            alike = [c for c in found.constraints if c.kind == "f" and (c.columns, c.referenced) == (columns, to)]
            if len(alike) != 1 or is_dropped(work, key, alike[0].name):
                continue
            declared = (one.match or "SIMPLE").upper()
            has = "FULL" if " MATCH FULL" in alike[0].definition else "SIMPLE"
            if declared != has and work.included(one, alike[0].name, "foreign_key_constraint", key):
                create, old = (_named(ops.AddConstraintOp.from_constraint(one), alike[0].name) for _ in range(2))
                old.kw["match"] = has if has == "FULL" else None
                _replace(work, key, alike[0], create, old)


def not_enforced(work: Work) -> None:
    """Say which constraints of the models are NOT ENFORCED, which no validation changes."""
    for _, table, found in work.existing():
        keys = {tuple(column.name for column in one.columns) for one in table.foreign_key_constraints}
        checks = {work.name(one) for one in table.constraints if isinstance(one, sa.CheckConstraint)}
        for one in found.constraints:
            if not one.enforced and (one.name in checks if one.kind == "c" else one.columns in keys):
                work.say(
                    f"{one.name} of {found.name} is NOT ENFORCED, and its model enforces it. To enforce it while "
                    "writes continue: op.drop_constraint_concurrently, then op.create_check_constraint_concurrently or "
                    "op.create_foreign_key_concurrently."
                )


def _named(create: Any, name: str) -> Any:
    create.constraint_name = create.constraint_name or name
    return create


def _replace(work: Work, key: Key, there: FoundConstraint, create: Any, old: Any) -> None:
    kind = "unique" if there.kind == "u" else "foreignkey"
    work.add(ops.DropConstraintOp(there.name, key[1], type_=kind, schema=key[0], _reverse=old))
    work.add(create)


def _printed(there: FoundConstraint) -> str:
    """Return what PostgreSQL prints of it, without quotes and what no model can say."""
    return there.definition.replace('"', "").replace(" WITHOUT OVERLAPS", "")


def _definition(one: sa.UniqueConstraint | sa.PrimaryKeyConstraint) -> str:
    """Return what PostgreSQL prints of a model's, without quotes."""
    options = one.dialect_kwargs
    what = "PRIMARY KEY" if isinstance(one, sa.PrimaryKeyConstraint) else "UNIQUE"
    nulls = " NULLS NOT DISTINCT" if options.get("postgresql_nulls_not_distinct") else ""
    include = ", ".join(str(getattr(each, "name", each)) for each in options.get("postgresql_include") or ())
    deferred = str(one.initially).upper() == "DEFERRED"
    return "".join(
        (
            f"{what}{nulls} ({', '.join(column.name for column in one.columns)})",
            f" INCLUDE ({include})" if include else "",
            " DEFERRABLE" if one.deferrable or deferred else "",
            " INITIALLY DEFERRED" if deferred else "",
        )
    ).replace('"', "")


def _as_found(key: Key, found: FoundTable, there: FoundConstraint) -> ops.CreateUniqueConstraintOp:
    index = found.index(there.name)
    options: dict[str, Any] = {"postgresql_include": [*index.include]} if index and index.include else {}
    options |= {"postgresql_nulls_not_distinct": True} if index and index.nulls_not_distinct else {}
    options |= deferral(there.definition)
    columns = [text for text, _ in index.keys] if index else [*there.columns]
    return ops.CreateUniqueConstraintOp(there.name, key[1], columns, schema=key[0], **options)
