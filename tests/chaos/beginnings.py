"""How tables of scenarios begin: partitions as SQL makes them, policies as operations do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

import schema_kit
from schema_kit import environment, op
from schema_kit.names import QualifiedName
from tests.chaos.tables import ANCHOR, Shape

MONTHS = [ANCHOR]
while MONTHS[-1] < datetime.now(ANCHOR.tzinfo) + timedelta(days=125):
    MONTHS.append((MONTHS[-1] + timedelta(days=32)).replace(day=1))
AFTER = "60 days"
"""How old what leaves is; no writer writes rows as old as that."""


def months(shape: Shape, since: int = 0, name: str = "p") -> list[str]:
    """A partition for each month, called as the package calls them."""
    own = QualifiedName.parse(shape.table)
    bounds = [_bound(shape, month) for month in MONTHS]
    return [
        f"CREATE TABLE {own.sibling(f'{own.name}_{name}{month:%Y%m%d}').sql} PARTITION OF {shape.table} "
        f"FOR VALUES FROM ({low}) TO ({high})"
        for month, low, high in list(zip(MONTHS, bounds, bounds[1:], strict=False))[since:]
    ]


def default_only(shape: Shape) -> list[str]:
    """Everything of the past is in the default partition."""
    now = next(i for i, month in enumerate(MONTHS) if month > datetime.now(month.tzinfo)) - 1
    own = QualifiedName.parse(shape.table)
    default = own.sibling(f"{own.name}_default").sql
    return [f"CREATE TABLE {default} PARTITION OF {shape.table} DEFAULT", *months(shape, now + 1)]


def before(shape: Shape) -> list[str]:
    """Everything of the past is in one partition."""
    now = next(i for i, month in enumerate(MONTHS) if month > datetime.now(month.tzinfo))
    own = QualifiedName.parse(shape.table)
    one = (
        f"CREATE TABLE {own.sibling('before').sql} PARTITION OF {shape.table} "
        f"FOR VALUES FROM (MINVALUE) TO ({_bound(shape, MONTHS[now])})"
    )
    return [one, *months(shape, now)]


def _bound(shape: Shape, month: datetime) -> str:
    return f"'{shape.at(int((month - ANCHOR).total_seconds()))[0]}'"


def policy(shape: Shape, **settings: Any) -> None:
    """The table is known to the package."""
    name = QualifiedName.parse(shape.table).name
    op.set_partition_policy(name, schema="chaos", control="at", interval="1 month", encoding=shape.encoding, **settings)


def archive(shape: Shape) -> None:
    policy(shape)
    name = QualifiedName.parse(shape.table).name
    op.create_archive_table(name, schema="chaos", view="everything")
    op.set_archive_policy(name, AFTER, schema="chaos")


def rows_archive(shape: Shape) -> None:
    policy(shape)
    name = QualifiedName.parse(shape.table).name
    op.create_archive_table(name, schema="chaos", view="everything")
    op.set_archive_policy(name, schema="chaos", way="rows", condition="who = 0 AND n = 0")


def ttl(shape: Shape) -> None:
    name = QualifiedName.parse(shape.table).name
    op.set_ttl_policy(
        name, "at", age=AFTER, schema="chaos", encoding=shape.encoding, batch_size=50, target_seconds=0.05
    )


def operate(url: str, shape: Shape, operations: Callable[[Shape], None]) -> None:
    """Operations of the package, undisturbed."""
    with (
        environment.connect(sa.make_url(url).set(drivername="postgresql+psycopg"), autocommit=True) as connection,
        schema_kit.operations(connection),
    ):
        operations(shape)
