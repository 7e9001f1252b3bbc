"""Columns that an archive has got go on to its cold archive."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from schema_kit.errors import refuse_for
from schema_kit.model import ColdArchive, ColdColumn, ColdServer, Table
from schema_kit.names import ident
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import cold
from schema_kit.steps import Plan
from schema_kit.steps.storage import ensure
from schema_kit.storage import COLD_ARCHIVE
from schema_kit.tasks import Database


def add(database: Database, archive: Table) -> Plan:
    """Give the cold archive of an archive, and its tables on the server, the columns that they lack.

    Raises:
        PlanError: nothing says what a column is in rows on the server, or the server cannot take it.
    """
    one = next((one for one in database.cold_archives() if one.archive == archive.name), None)
    there = database.table(one.cold) if one else None
    if one is None or there is None:
        return Plan("")
    missing = [column for column in database.cold_columns(archive.name) if there.column(column.name) is None]
    if not missing:
        return Plan("")
    if isinstance(database, EmptyDatabase):
        return cold.widened(one, ColdServer(one.server, ""), missing, archive, there, ())
    known, server = database.cold_partitions(one.table), database.cold_server(one.server)
    reasons = [*server.missing, *cold.clone(one, database.cluster()), *database.missing_archive_rights((one.cold,))]
    reasons += cold.unfit_columns(missing)
    reasons += _unknown(database, one, archive, missing) if known else ()
    reasons += () if reasons else database.cold_refusals(server, one.remote_schema, missing)
    refuse_for(f"cannot add columns to {one.cold}", reasons, lines=True)
    script = ensure(COLD_ARCHIVE, database.cold_config_is_there())
    return Plan("", script) + cold.widened(one, server, missing, archive, there, known)


def _unknown(database: Database, one: ColdArchive, archive: Table, missing: Collection[ColdColumn]) -> Iterator[str]:
    """Yield why nothing says what columns are in rows on the server."""
    for column in missing:
        own = archive.column(column.name)
        default = own.default if own else None
        why = ""
        if column.generated:
            why = "is generated"
        elif column.not_null and default is None:
            why = "is NOT NULL without a default"
        elif (
            default
            and database.rewrites(
                archive.name, f"ADD COLUMN schema_kit_scratch_column {column.type} DEFAULT {default}"
            )[0]
        ):
            why = "has a default that changes from row to row"
        if why:
            names = ", ".join(part.remote for part in database.cold_partitions(one.table))
            yield (
                f"column {column.name} of {archive.name} {why}, and nothing says what it is in rows on server "
                f"{one.server}: add and fill it there first, in schema {one.remote_schema}, tables {names} (ALTER "
                f"TABLE ... ADD COLUMN {column.there}), then here (ALTER TABLE {one.cold.sql} ADD COLUMN "
                f"{ident(column.name)} {column.type})"
            )
