"""Compare an archive with its table: columns, types, defaults, checks, indexes, access, distribution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schema_kit.model import Table
from schema_kit.plans import archive_access
from schema_kit.plans.attachment import alike
from schema_kit.steps.archives import ARCHIVED_AT


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that an archive has otherwise than its table."""

    kind: str
    """column missing, column extra, generated, type, default, not null, check missing, check extra, index missing,
    index extra, owner, grant missing, grant extra, row security, policy or distribution."""
    object: str
    sentence: str
    blocks: bool = False
    """PostgreSQL would take no partition into the archive."""


def differences(table: Table, archive: Table) -> Iterator[Difference]:
    """Yield what an archive has otherwise than its table, what matters most first."""
    access = (Difference(*one) for one in archive_access.differences(table, archive))
    found = (*_distribution(table, archive), *_columns(table, archive), *_others(table, archive), *access)
    yield from sorted(found, key=lambda one: not one.blocks)


def blocking(table: Table, archive: Table) -> list[str]:
    """Return the differences for which PostgreSQL would take no partition into the archive."""
    return [one.sentence for one in differences(table, archive) if one.blocks]


def _distribution(table: Table, archive: Table) -> Iterator[Difference]:
    own, theirs = table.distribution, archive.distribution
    spread = [bool(one and one.spread) for one in (own, theirs)]
    if any(spread) and not (all(spread) and own and theirs and own.colocation == theirs.colocation):
        given = f"{own.column!r}, colocate_with={table.name.name!r}" if own and own.column else "..."
        said = (
            f"{table.name} is {own.text if own else 'local'}, and {archive.name} is "
            f"{theirs.text if theirs else 'local'}: rows and partitions go only between tables that are colocated "
            f"(op.distribute_table_concurrently({archive.name.name!r}, {given}), while it is empty)"
        )
        yield Difference("distribution", archive.name.name, said, blocks=True)


def _columns(table: Table, archive: Table) -> Iterator[Difference]:
    name = archive.name
    for column in table.columns:
        mine = archive.column(column.name)
        if mine is None:
            yield Difference("column missing", column.name, f"{name} has no column {column.name}", blocks=True)
            continue
        if mine.generated != column.generated:
            one = name if mine.generated else table.name
            said = f"column {column.name} is generated in {one}, and not in the other table"
            yield Difference("generated", column.name, said, blocks=True)
        elif mine.type != column.type:
            said = f"column {column.name} of {name} is {mine.type}, and {column.type} in {table.name}"
            yield Difference("type", column.name, said, blocks=True)
        if mine.not_null != column.not_null:
            may = "is NOT NULL" if mine.not_null else "may be NULL"
            said = f"column {column.name} of {name} {may}, other than in {table.name}"
            yield Difference("not null", column.name, said, blocks=mine.not_null)
        elif mine.default != column.default:
            said = f"the default of {column.name} is {mine.default} in {name}, and {column.default} in {table.name}"
            yield Difference("default", column.name, said)
    for mine in archive.columns:
        if table.column(mine.name) is None:
            said = f"{name} has a column {mine.name}, which {table.name} has not"
            if mine.name == ARCHIVED_AT:
                said += " (no partition can bring it; schema_kit.archived_partition says when each one came)"
            yield Difference("column extra", mine.name, said, blocks=True)


def _others(table: Table, archive: Table) -> Iterator[Difference]:
    theirs = {(check[0], _plain(check[1])) for check in table.checks}
    mine = {(check[0], _plain(check[1])) for check in archive.checks}
    for check, _ in sorted(mine - theirs):
        said = f"{archive.name} has a check {check} that {table.name} has not so"
        yield Difference("check extra", check, said, blocks=True)
    for check, _ in sorted(theirs - mine):
        yield Difference("check missing", check, f"{archive.name} has no check {check} as {table.name} has")
    for index in table.indexes:
        if index.valid and not alike(index, archive.indexes):
            said = f"{archive.name} has no index like {index.name} of {table.name}"
            yield Difference("index missing", index.name, said)
    for index in archive.indexes:
        if not alike(index, table.indexes):
            said = (
                f"{archive.name} has an index {index.name} that {table.name} has not: each partition gets it before it "
                "goes, concurrently"
            )
            yield Difference("index extra", index.name, said)


def _plain(definition: str) -> str:
    return definition.removesuffix(" NOT VALID")
