"""``schema_kit archive status``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from schema_kit.catalog import Catalog
from schema_kit.cli.archive.common import shown_by
from schema_kit.cli.output import echo_json, wrapped
from schema_kit.cli.run import Run, looks
from schema_kit.cli.ttl.status import MOST_COUNTED
from schema_kit.errors import SchemaKitError
from schema_kit.model import ArchivePolicy, Moved
from schema_kit.names import QualifiedName
from schema_kit.plans import archives
from schema_kit.sizes import pretty
from schema_kit.steps.rows import RemoveRows
from schema_kit.tasks.archiving import of, rows_due
from schema_kit.tasks.cold import of as of_table


def seen(catalog: Catalog, policy: ArchivePolicy) -> dict[str, Any]:
    """Return all that can be said of one policy."""
    archive = catalog.table(policy.archive)
    known = of(catalog, policy)
    since = {row.name: row for row in known}
    measured = catalog.measured(archive) if archive else None
    shown = shown_by(catalog, policy.table)
    parts = [
        {
            "partition": str(part.name),
            "from": shown(part.lower),
            "to": shown(part.upper),
            "rows": part.rows,
            "bytes": part.bytes,
            "archived_at": _moment(since.get(part.name), policy.archive),
        }
        for part in (measured.partitions if measured else ())
    ]
    told: dict[str, Any] = {
        "table": str(policy.table),
        "archive": str(policy.archive),
        "way": policy.way,
        "archive_after": policy.archive_after,
        "max_rows": policy.max_rows,
        "condition": policy.condition,
        "when": policy.when,
        "partitions": parts,
        "cold": _cold(catalog, policy, shown),
        "cold_after": policy.cold_after,
        "on_their_way": [str(row.name) for row in known if row.since is None and row.attached_to is None],
        "restored": [str(row.name) for row in known if row.since and row.there and row.goes_to != policy.archive],
    }
    told |= {"kept_rows": list(policy.restored), "rows_due": None, "counted_all": None}
    try:
        told |= {"due": [str(name) for name in due(catalog, policy)], "error": None}
        if policy.way == "rows":
            one, plan = rows_due(catalog, policy)
            order = next(step.due.order for step in reversed(plan.steps) if isinstance(step, RemoveRows))
            count, _ = catalog.waiting(policy.table, order[0].name, one.where, MOST_COUNTED)
            told |= {"rows_due": count, "counted_all": count < MOST_COUNTED}
    except SchemaKitError as error:
        told |= {"due": [], "error": str(error)}
    return told


def _cold(catalog: Catalog, policy: ArchivePolicy, shown: Callable[[str | None], str | None]) -> list[dict[str, Any]]:
    """Return what is on the cold server, and what is in transit."""
    one = of_table(catalog, policy) if policy.beside_cold else None
    return [
        {
            "partition": str(part.name),
            "from": shown(part.lower),
            "to": shown(part.upper),
            "rows": part.rows,
            "server": one.server if one else None,
            "moved_at": part.moved_at.isoformat() if part.moved_at else None,
            "in_transit": part.returns or not part.cold,
        }
        for part in (catalog.cold_partitions(policy.table) if one else ())
    ]


def due(catalog: Catalog, policy: ArchivePolicy) -> tuple[QualifiedName, ...]:
    """Return the partitions that the next run would take, as far as their age decides.

    Raises:
        SchemaKitError: that is unknown.
    """
    partitioning = catalog.policy(policy.table)
    if policy.way != "partition" or partitioning is None:
        return ()
    table = catalog.table(policy.table)
    names, _ = archives.due(policy, partitioning, table, catalog.here(partitioning, table))
    if table is None:
        return ()
    back = archives.restored(policy, partitioning, table, of(catalog, policy))
    return tuple(name for name in names if name not in back)


def _moment(row: Moved | None, archive: QualifiedName) -> str | None:
    return row.since.isoformat() if row and row.since and row.goes_to == archive else None


def _minute(moment: str) -> str:
    """Return a moment as a person reads it; JSON has it whole."""
    return f"{moment[:16].replace('T', ' ')} UTC"


@click.command("status")
@looks("text", "json")
def command(run: Run) -> None:
    """Show what each archive and its cold server hold, what is due and what is in transit.

    Rows of partitions are the planner's estimate, -1 before the first ANALYZE; by rows, those that are due are
    counted up to 100,000. It changes nothing.

    Example: schema_kit archive status --format json
    """
    told = [seen(run.catalog, policy) for policy in run.policies(ArchivePolicy)]
    if run.form == "json":
        echo_json(told)
        return
    for one in told:
        click.echo("\n".join(map(wrapped, _text(one))))
    if not told:
        click.echo("no table has an archive policy (op.set_archive_policy registers one)", err=True)


def _text(one: dict[str, Any]) -> Iterator[str]:
    parts = one["partitions"]
    sizes = [part["bytes"] for part in parts]
    size = pretty(-1 if -1 in sizes else sum(sizes))
    yield f"{one['table']} to {one['archive']}, by {one['way']}, {one['when']}"
    if one["way"] == "partition":
        yield f"  {len(parts)} partitions, {size}"
    for part in parts:
        came = f", since {_minute(part['archived_at'])}" if part["archived_at"] else ""
        yield (
            f"  {part['partition']}: {part['from']} to {part['to']}, {part['rows']} rows, {pretty(part['bytes'])}{came}"
        )
    for part in one["cold"]:
        since = f", since {_minute(part['moved_at'])}" if part["moved_at"] else ""
        where = f"in transit, server {part['server']}" if part["in_transit"] else f"on server {part['server']}"
        yield f"  {part['partition']}: {part['from']} to {part['to']}, {part['rows']} rows, {where}{since}"
    for word, what in (("due", "due"), ("in transit", "on_their_way"), ("restored", "restored")):
        yield from (f"  {word}: {name}" for name in one[what])
    if one["rows_due"] is not None:
        yield f"  due: {one['rows_due']:,}{'' if one['counted_all'] else ' or more'} rows"
    yield from (f"  restored: rows where {which}" for which in one["kept_rows"])
    if one["error"]:
        yield f"  error: {one['error']}"
