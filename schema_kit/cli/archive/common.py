"""What the commands of archives and files have in common."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from schema_kit.catalog import Catalog
from schema_kit.errors import DeclarationError, PlanError, SchemaKitError
from schema_kit.intervals import Ids, parse
from schema_kit.keys import Moments, WallClock
from schema_kit.model import Partition, Table
from schema_kit.model.grid import Grid, grid
from schema_kit.model.ranges import placed
from schema_kit.names import QualifiedName


def lines_of(catalog: Catalog, table: QualifiedName) -> tuple[Grid, Table] | None:
    """Return how a table is partitioned by its policy, or its parent's; None without one."""
    own = catalog.policy(table)
    sets = catalog.sets([own] if own else catalog.policies(lambda _, error: None))
    return next(((grid(one, found), found) for one, found in sets if found and found.name == table), None)


def older_than(catalog: Catalog, table: QualifiedName, age: str) -> list[QualifiedName]:
    """Return the partitions of a table that ended so long ago on the table's own clock, the oldest first.

    Raises:
        DeclarationError: *age* is neither a length of time nor a number of ids.
        PlanError: the table has no policy, which says what its clock is.
    """
    found = lines_of(catalog, table)
    if found is None:
        raise PlanError(
            f"{table} has no policy in schema_kit.part_config, which says on which clock it ages. Name the end by "
            "--until."
        )
    lines, seen = found
    length = parse(age, lines.key.calendar.key if lines.key.calendar else "UTC")
    if isinstance(length, Ids) is not lines.of_ids:
        write = "how many ids: 1000000" if lines.of_ids else "a length of time: '90 days'"
        raise DeclarationError(f"--older-than of {table} is {write}, not {age!r}.")
    end = lines.interval.back(catalog.here(lines.policy, seen), length)
    past = [(taken.upper, part.name) for taken, part in placed(lines, seen) if taken.upper is not None]
    return [name for upper, name in sorted(past) if upper <= end]


def bounds_of(catalog: Catalog, table: QualifiedName) -> Callable[[str | None], str | None]:
    """Reads an end of a range as a person writes it: on the wall clock of the table's policy, where it names no zone.

    Of a table without a policy it stays as it is, which PostgreSQL reads in UTC.
    """
    found = lines_of(catalog, table)
    lines = found[0] if found else None

    def read(text: str | None) -> str | None:
        if text is None or lines is None:
            return text
        encoded = not (lines.of_ids or isinstance(lines.key, Moments | WallClock))
        if encoded and text.removeprefix("-").isdigit():  # as the column holds it
            return text
        return lines.key.encode(lines.read(text))

    return read


def shown_by(catalog: Catalog, table: QualifiedName) -> Callable[[str | None], str | None]:
    """Write a bound of a partition as a person reads it: on the table's clock, where *table* has a policy."""
    found = lines_of(catalog, table)

    def shown(text: str | None) -> str | None:
        if text is None or found is None:
            return text
        try:
            taken = found[0].range_of(Partition(table, text, None))
        except SchemaKitError:
            return text  # a bound of something else
        return text if taken.lower is None else found[0].shown(taken.lower)

    return shown


def needed() -> None:
    """The libraries that files need, asked for before anything is begun.

    Raises:
        DeclarationError: they are not installed.
    """
    try:
        for library in ("pyarrow", "numpy", "fsspec", "adbc_driver_postgresql"):
            import_module(library)
    except ImportError as error:
        raise DeclarationError(f"files need more libraries ({error}): pip install 'schema-kit[files]'.") from error
