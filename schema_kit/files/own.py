"""What a partition has of its own: a file describes it, and what comes back is compared with that."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from schema_kit.catalog import properties
from schema_kit.catalog.session import observing, rows
from schema_kit.errors import PlanError
from schema_kit.files.table import Source
from schema_kit.model import Property
from schema_kit.names import QualifiedName
from schema_kit.plans.files import beside_bounds, missing, named, own


def described(connection: Connection, source: Source) -> list[list[str]]:
    """Return all that PostgreSQL prints of a table, for its file. Call it in the transaction that reads the rows."""
    return [[one.object, one.property, one.text] for one in properties.read(connection, source.name)]


def of(connection: Connection, source: Source) -> tuple[Property, ...]:
    """Return what no other partition of its parent has by itself. Call it while observing."""
    if source.parent is None:
        return ()
    has = own(properties.read(connection, source.name), properties.read(connection, source.parent))
    ends = ((">=", source.lower), ("<", source.upper))
    at = source.control
    bounds = [f"{at} IS NOT NULL", *(f"{at} {sign} {end}" for sign, end in ends if end is not None)]
    return has if source.attached else beside_bounds(has, " AND ".join(bounds))


def note(url: str, name: QualifiedName, has: tuple[Property, ...]) -> str:
    """Return what is said before a table is dropped for a file."""
    return (
        f"{name} has of its own: {named(has)}. The description in {url} keeps this; `archive import` brings the rows "
        "back, names what they lack of it, and does not create it"
    )


def refuse_untold(url: str, name: QualifiedName, has: tuple[Property, ...], description: dict[str, Any]) -> None:
    """A file that an earlier run has written describes all that the table has by now.

    Raises:
        PlanError: it does not, and the table is to be dropped.
    """
    told = set(_properties(description))
    if untold := tuple(one for one in has if one not in told):
        raise PlanError(
            f"cannot drop {name}: {url} exists already and does not describe what the table has of its own by now: "
            f"{named(untold)}. Name another destination, or remove the file."
        )


def lost(
    connection: Connection, description: dict[str, Any], parent: QualifiedName, name: QualifiedName
) -> tuple[Property, ...]:
    """Return what the partition had that a file was made of, and what its rows are in has not.

    Args:
        connection: where the tables are.
        description: the file's.
        parent: the table that has the rows again.
        name: the partition that they are in; where there is none of that name, any new one of the parent's would do.
    """
    with observing(connection):
        theirs, has = properties.read(connection, parent), list(properties.read(connection, name))
        has += [one for one in theirs if not has or one.object.startswith("constraint ")]  # a key is the parent's
        proof = rows(connection, "SELECT pg_get_partition_constraintdef(to_regclass(%(name)s))", {"name": name.sql})
    return beside_bounds(missing(_properties(description), has), proof[0][0] or "")


def _properties(description: dict[str, Any]) -> tuple[Property, ...]:
    return tuple(Property(*one) for one in description.get("properties", ()))
