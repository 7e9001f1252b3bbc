"""Who sees what in an archive, held against its table: whose it is, what is granted, which rows policies show."""

from __future__ import annotations

from collections.abc import Iterator

from schema_kit.errors import PlanError
from schema_kit.model import Table

_REPAIR = "(op.repair_archive_table with access=True)"


def differences(table: Table, archive: Table) -> Iterator[tuple[str, str, str]]:
    """Yield what an archive has otherwise than its table: its kind, the object, a sentence."""
    name, whose = str(archive.name), tuple(one.owner or "the current role" for one in (archive, table))
    if archive.owner != table.owner:
        yield "owner", name, f"{name} belongs to {whose[0]}, and {table.name} to {whose[1]} {_REPAIR}"
    mine, theirs = _granted(archive), _granted(table)
    for grant in sorted(theirs - mine):
        yield "grant missing", name, f"{name} has no grant like {table.name}: {grant} {_REPAIR}"
    for grant in sorted(mine - theirs):
        yield "grant extra", name, f"{name} has a grant that {table.name} has not: {grant} {_REPAIR}"
    for what, in_archive, in_table in (
        ("row security", archive.row_security, table.row_security),
        ("forced row security", archive.force_row_security, table.force_row_security),
    ):
        if in_archive != in_table:
            state = "on" if in_archive else "off"
            yield "row security", name, f"{what} is {state} in {name}, unlike {table.name} {_REPAIR}"
    for policy, _ in sorted({*table.policies} ^ {*archive.policies}):
        yield "policy", policy, f"policy {policy} is not the same in {name} and {table.name} {_REPAIR}"


def _granted(table: Table) -> set[str]:
    """Privilege by privilege: one grant of two is as good as two of one."""
    by = {grant: f" by {grant.by}" if grant.by else "" for grant in table.grants}
    found = {f"{what} to {grant.to}{by[grant]}" for grant in table.grants for what in grant.what.split(", ")}
    return found | {f"{what} withheld from its owner" for what in table.withheld.split(", ") if what}


def refuse_open(table: Table, archive: Table) -> None:
    """Rows that row security hides in a table are not shown by its archive.

    Raises:
        PlanError: they would be.
    """
    if table.row_security and not archive.row_security and (readers := [g.to for g in archive.grants if not g.own]):
        raise PlanError(
            f"{archive.name} has no row security, and {table.name} has: {', '.join(dict.fromkeys(readers))} would see "
            f"each row that goes there. op.repair_archive_table with access=True gives it what {table.name} has, or "
            f"REVOKE what is granted on {archive.name}."
        )
