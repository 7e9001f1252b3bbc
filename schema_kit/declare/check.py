"""Refuse a declaration that its table cannot keep, when the table is made."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from schema_kit.declare.nouns import Archived, Expiring, Partitioned
from schema_kit.errors import DeclarationError, PlanError
from schema_kit.from_sqlalchemy import type_of, unique_keys
from schema_kit.intervals import parse
from schema_kit.model import Column, Table
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.plans import retention
from schema_kit.plans.creation import DeclaredSet, check_declared
from schema_kit.plans.ttl import checked

_ANYWHERE = "public"
"""The schema, in messages, of a table that names none."""


def check(
    table: sa.Table, partitioned: Partitioned | None, archived: Archived | None, expiring: Expiring | None
) -> None:
    """Compare what is declared with the table's columns and keys.

    Raises:
        DeclarationError: they do not fit.
    """
    name = QualifiedName(table.schema or _ANYWHERE, table.name)
    if partitioned:
        _partitioned(table, name, partitioned)
    if archived:
        _archived(table, archived, partitioned)
    if expiring:
        _has(table, expiring.column, "expiring")
        checked(expiring.policy(name))


def _partitioned(table: sa.Table, name: QualifiedName, one: Partitioned) -> None:
    _has(table, one.control, "partitioned")
    noun = Table(
        name,
        tuple(Column(column.name, type_of(column), not column.nullable) for column in table.columns),
        primary_key=tuple(column.name for column in table.primary_key.columns),
        partition_strategy="r",
        partitioned_by=(one.control,),
    )
    try:
        policy = one.policy(name)
        check_declared(DeclaredSet(noun, (), policy, one.partition_by, one.sub_partitions), unique_keys(table))
        retention.due(policy, noun, grid(policy, noun).here(datetime.now(UTC)))
    except PlanError as error:
        raise DeclarationError(str(error)) from error


def _archived(table: sa.Table, one: Archived, partitioned: Partitioned | None) -> None:
    if one.way not in ("partition", "rows"):
        raise DeclarationError(f"{table.name} is declared archived: way is partition or rows, not {one.way!r}.")
    if one.archive_after is None and one.condition is None:
        raise DeclarationError(f"{table.name} is declared archived: archive_after or a condition says what goes.")
    if one.archive_after is not None:
        parse(one.archive_after, "UTC")
    if one.interval is not None:
        parse(one.interval, "UTC")
    if one.way == "partition" and partitioned is None:
        raise DeclarationError(
            f"{table.name} is declared archived by partition, and not partitioned. Declare it partitioned as well, or "
            "write way='rows'."
        )
    if one.way == "partition" and one.condition is not None:
        raise DeclarationError(f"{table.name} is declared archived: a condition is looked at row by row: way='rows'.")
    if one.way == "rows" and one.archive_after is not None:
        if one.control is None:
            raise DeclarationError(f"{table.name} is declared archived: control names the column that its rows age by.")
        _has(table, one.control, "archived")


def _has(table: sa.Table, column: str, what: str) -> None:
    if column not in {one.name for one in table.columns}:
        raise DeclarationError(f"{table.name} is declared {what} by {column!r}, and has no such column.")
