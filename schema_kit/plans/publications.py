"""What publications of a table stand in the way of its conversion, and what has to be known of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from schema_kit.errors import PlanError
from schema_kit.model import Detaching, Publication, Publishing, Table
from schema_kit.names import QualifiedName, ident, idents
from schema_kit.steps import Plan
from schema_kit.steps.publications import SetViaRoot
from schema_kit.storage import PART_CONFIG


def obstacles(table: Table, key: Collection[str]) -> Iterator[str]:
    """Yield why a table cannot change between plain and partitioned as it is published.

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
    """Yield why rows of partitions cannot move past those who subscribe."""
    if not leaves:
        return
    yield from (
        f"publication {one.name} holds {one.wide}, and would publish the rows that move; it {one.closed}"
        for one in table.publications
        if one.wide and one.closed
    )


def listed(table: Table, leaves: Collection[tuple[str, QualifiedName, bool]]) -> Iterator[str]:
    """Yield why partitions cannot give their place to others: they are published under their own names.

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
    """Yield why rows cannot be copied while writers continue: the tables of the copy would be published, too.

    Args:
        table: the table, as observed.
        beside: the tables of the copy.
        instead: what to do.
    """
    for one in table.publications:
        if one.wide:
            yield (
                f"publication {one.name} holds {one.wide}, so it would publish {' and '.join(map(str, beside))} as "
                f"well, and subscriptions stop at a table that they do not have; {instead}"
            )


def kept(leaving: Iterable[Detaching]) -> tuple[str, ...]:
    """Return what has to be known when partitions leave a published table."""
    tables = {seen.parent: ", ".join(seen.subscribed) for seen in leaving if seen.subscribed}
    return tuple(
        f"who subscribes to {names} keeps the rows of partitions that leave {table}, for DETACH and DROP are not "
        "published: detach or drop them there, too"
        for table, names in tables.items()
    )


def new_partition(table: Table, leaves: Iterable[tuple[str, QualifiedName, bool]]) -> tuple[str, ...]:
    """Return what has to be known before a partition is added to a table that is published leaf by leaf.

    Args:
        table: what gets the partition.
        leaves: publication, partition, and whether it lists that by name.
    """
    stops = [one.name for one in table.publications if not one.via_root]
    notes = [
        f"publication {name} publishes the partitions of {table.name} under their own names: a subscription stops at "
        "the first row of the new one, unless the subscriber has that table, too, and ALTER SUBSCRIPTION ... REFRESH "
        f"PUBLICATION has run. op.set_publish_via_partition_root({name!r}) ends that"
        for name in stops
    ]
    notes += [
        f"publication {name} lists partitions of {table.name} by name ({leaf}): rows of the new one are not published. "
        f"ALTER PUBLICATION {ident(name)} ADD TABLE {table.name.sql} publishes all of them"
        for name, leaf, named in leaves
        if named and name not in stops and name not in {one.name for one in table.publications}
    ]
    return tuple(dict.fromkeys(notes))


def set_via_root(wanted: SetViaRoot, seen: Publishing | None, *, subscribers_copy: bool) -> Plan:
    """Have a publication publish rows of partitions as those of the partitioned table, or under their own names.

    Args:
        wanted: the publication, and which of the two.
        seen: the publication, as observed.
        subscribers_copy: subscribers copy the tables again afterwards.

    Raises:
        PlanError: no such publication, it is another role's, or it may be subscribed to.
    """
    plan = Plan(wanted.summary)
    if seen is None:
        raise PlanError(f"cannot {plan.title}: there is no publication {wanted.publication}.")
    if seen.via_root == wanted.value:
        return plan
    if seen.closed:
        raise PlanError(f"cannot {plan.title}: {seen.closed}.")
    if seen.partitioned and seen.slots and not subscribers_copy:
        raise PlanError(
            f"cannot {plan.title}: {', '.join(seen.slots)} may subscribe to it. Changes of "
            f"{', '.join(map(str, seen.partitioned))} get lost there from then on, until the subscriber has run "
            "TRUNCATE on these tables and ALTER SUBSCRIPTION ... REFRESH PUBLICATION, which copies them again. If that "
            "is done directly afterwards, or these slots read other publications: subscribers_copy=True."
        )
    note = (
        (
            f"where {wanted.publication} is subscribed, changes of {', '.join(map(str, seen.partitioned))} get lost "
            "from now on, until TRUNCATE of these tables and ALTER SUBSCRIPTION ... REFRESH PUBLICATION there",
        )
        if seen.partitioned and seen.slots
        else ()
    )
    return Plan(plan.title, (wanted,), note)


def notes(table: Table) -> Iterator[str]:
    """Yield what has to be known before a conversion of a published table."""
    for one in table.publications:
        if one.wide == "all tables" and one.closed:
            yield (
                f"publication {one.name} holds all tables, {PART_CONFIG} too, and {one.closed}. Make that table where "
                "it is subscribed, empty, before this: a subscription stops at a table that it does not have"
            )
