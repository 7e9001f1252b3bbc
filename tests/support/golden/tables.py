"""The tables and policies that cases share."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Conversion, Index, Partition, Partitioning, Range, Relation, Table
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from tests.support.shapes import AWARE, MESSAGES, NOW, REACTION_KEY, name, referring, rich, simple

MONTHLY = Partitioning(MESSAGES, "created_at", "1 month", "Asia/Bangkok", premake=2)
EVENTS = Partitioning(name("public.events"), "created_at", "1 month", premake=2)


def two_months(policy: Partitioning) -> tuple[Range, ...]:
    return tuple(grid(policy, rich()).windows(NOW.replace(month=10), NOW))


def plain(*own: Index) -> Relation:
    return Relation(MESSAGES, own)


def partitioned(kind: str = AWARE) -> Table:
    return replace(
        simple(kind=kind),
        partition_strategy="r",
        partitioned_by=("created_at",),
        primary_key=("id", "created_at"),
    )


def month(table: str, first: str, last: str) -> Partition:
    return Partition(QualifiedName("public", table), f"{first} 00:00:00+00", f"{last} 00:00:00+00")


def rich_seen() -> Conversion:
    return Conversion(rich(), NOW, referring=(referring(REACTION_KEY),))


LOGINS = replace(
    simple("shop.logins"),
    name=name("shop.logins"),
    partition_strategy="r",
    partitioned_by=("created_at",),
    partitions=(),
)
