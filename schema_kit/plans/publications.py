"""What publications of a table stand in the way of its conversion, and what has to be known of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from schema_kit.model import Detaching, Publication, Table
from schema_kit.names import QualifiedName, ident, idents
from schema_kit.storage import PART_CONFIG


def refused(table: Table, key: Collection[str]) -> Iterator[str]:
    """Why a table cannot change between plain and partitioned as it is published.

    Args:
        table: the table, as observed.
        key: its primary key afterwards.
    """
    for one in table.publications:
        name = f"publication {one.name}"
        if not one.via_root:
            yield (
                f"{name} holds {one.wide or 'it'}, and publishes partitions under their own names, which subscribers "
                f"do not have: ALTER PUBLICATION {ident(one.name)} SET (publish_via_partition_root = true)"
            )
        if one.named and one.closed:
            yield f"{name} lists it, and {one.closed}"
        if one.named and not table.replica_identity and {"update", "delete"} & set(one.publishes):
            yield from _short(table, one, key)


def _short(table: Table, one: Publication, key: Collection[str]) -> Iterator[str]:
    """PostgreSQL would refuse each UPDATE and DELETE, of a publisher's table."""
    again = f"ALTER PUBLICATION {ident(one.name)} DROP TABLE {table.name.sql}, then ADD TABLE {table.name.sql}"
    if one.columns and (missing := [column for column in key if column not in one.columns]):
        yield (
            f"publication {one.name} publishes columns without {', '.join(missing)}, which will be in its primary "
            f"key: in one transaction {again} ({idents((*one.columns, *missing))})"
            + (f" WHERE ({one.where})" if one.where else "")
        )
    gone = [column for column in table.primary_key if column not in key]
    if filtered := [column for column in gone if re.search(rf"\b{re.escape(column)}\b", one.where)]:
        yield (
            f"publication {one.name} publishes rows by {', '.join(filtered)}, which will not be in its primary key: in "
            f"one transaction {again} without that, or keep the primary key"
        )


def moving(table: Table, leaves: Collection[object]) -> Iterator[str]:
    """Why rows of partitions cannot move past those who subscribe."""
    if not leaves:
        return
    yield from (
        f"publication {one.name} holds {one.wide}, and would publish the rows that move; it {one.closed}"
        for one in table.publications
        if one.wide and one.closed
    )


def listed(table: Table, leaves: Collection[tuple[str, QualifiedName, bool]]) -> Iterator[str]:
    """Why partitions cannot give their place to others: they are published under their own names.

    Args:
        table: what they are partitions of.
        leaves: publication, partition, and whether it lists that by name.
    """
    said = {one.name for one in table.publications if not one.via_root}
    for name, leaf, named in leaves:
        if name not in said or named:
            drop = f"TABLE {leaf.sql}" if named else f"TABLES IN SCHEMA {ident(leaf.schema)}"
            yield f"publication {name} holds {leaf} itself: ALTER PUBLICATION {ident(name)} DROP {drop}"


def copied(table: Table, beside: Collection[QualifiedName], instead: str) -> Iterator[str]:
    """Why rows cannot be copied beside writers: what is made beside the table would be published, too.

    Args:
        table: the table, as observed.
        beside: what is written beside it.
        instead: what to do.
    """
    for one in table.publications:
        if one.wide:
            yield (
                f"publication {one.name} holds {one.wide}, so it would publish {' and '.join(map(str, beside))} as "
                f"well, and subscriptions stop at a table that they do not have; {instead}"
            )


def kept(leaving: Iterable[Detaching]) -> tuple[str, ...]:
    """What has to be known when partitions leave a published table."""
    tables = {seen.parent: ", ".join(seen.subscribed) for seen in leaving if seen.subscribed}
    return tuple(
        f"who subscribes to {names} keeps the rows of partitions that leave {table}, for DETACH and DROP are not "
        "published: detach or drop them there, too"
        for table, names in tables.items()
    )


def notes(table: Table) -> Iterator[str]:
    """What has to be known before a conversion of a published table."""
    for one in table.publications:
        if one.wide == "all tables" and one.closed:
            yield (
                f"publication {one.name} holds all tables, {PART_CONFIG} too, and {one.closed}. Make that table where "
                "it is subscribed, empty, before this: a subscription stops at a table that it does not have"
            )
