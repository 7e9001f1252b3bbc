"""Checks that only the database has: a model has lost them, which Alembic sees with a plugin alone."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic.operations import ops

from schema_kit.autogenerate.drift import as_found_check, declared_checks, is_dropped, likeness
from schema_kit.autogenerate.work import Key, Work
from schema_kit.autogenerate.written import dropped, paired
from schema_kit.catalog.compared import FoundConstraint, FoundTable
from schema_kit.from_sqlalchemy import sql_of
from schema_kit.marks import BOUND_CHECK

_TEMPORARY = re.compile(r"__not_null(_?\d+)?$")
"""What SET NOT NULL without a scan leaves if it is interrupted."""
_NOT_NULL = re.compile(r'CHECK \(\(("(?:[^"]|"")+"|\w+) IS NOT NULL\)\)')


def checks(work: Work) -> None:
    """Drop the checks that the model of a table lacks; those that another step needs, or that are inherited, stay."""
    for key, table, found in work.existing():
        if any(map(_may_go, found.constraints)):
            for one in _only_there(work, key, table, found):
                thing = sa.CheckConstraint(one.definition, name=one.name)
                if work.included(thing, one.name, "check_constraint", key, reflected=True):
                    work.add(paired(dropped(one.name, "check", key[1], key[0]), as_found_check(work, one, key)))


def _may_go(one: FoundConstraint) -> bool:
    ours = one.name == BOUND_CHECK or _TEMPORARY.search(one.name)
    return one.kind == "c" and not one.inherited and not ours


def _only_there(work: Work, key: Key, table: sa.Table, found: FoundTable) -> list[FoundConstraint]:
    own = [*table.constraints, *(one for column in table.columns for one in column.constraints)]
    named = {work.name(one) for one in own if isinstance(one, sa.CheckConstraint)}
    gone = {one.column_name for one in work.of(ops.DropColumnOp, key)}
    required = {column.name for column in table.columns if not column.nullable}
    left = [one for one in found.constraints if _may_go(one) and one.name not in named and not gone & {*one.columns}]
    left = [one for one in left if not (_NOT_NULL.fullmatch(one.definition) and {*one.columns} <= required)]
    for check in declared_checks(work, table):
        if work.name(check) is None and left:
            if (same := likeness(work, key, sql_of(check.sqltext), left)) is None:
                return []  # it may be any of them
            left = [one for one in left if one not in same]
    return [one for one in left if not is_dropped(work, key, one.name)]
