"""Cold archives: made for a table, and the partitions that go there and come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from sqlalchemy.exc import DBAPIError

from schema_kit.catalog import Catalog
from schema_kit.catalog.drivers import diagnosis, sqlstate
from schema_kit.errors import PlanError, refuse_for
from schema_kit.model import (
    ArchivePolicy,
    ColdArchive,
    ColdMove,
    ColdPartition,
    ColdServer,
    Partition,
    Partitioning,
    Property,
    Range,
    Table,
)
from schema_kit.model.grid import grid
from schema_kit.names import QualifiedName
from schema_kit.offline import EmptyDatabase
from schema_kit.plans import archives, cold
from schema_kit.steps import Plan, Step
from schema_kit.steps.cold import DropCopy
from schema_kit.steps.storage import ensure
from schema_kit.storage import COLD_ARCHIVE
from schema_kit.tasks import Database
from schema_kit.tasks.archives import invoker


def create(database: Database, declared: ColdArchive) -> Plan:
    """Make a cold archive; the server is asked whether it can take what goes there."""
    known = database.cold_archives()
    table, archive = database.table(declared.table), database.table(declared.archive)
    columns = database.cold_columns(declared.archive) if archive else ()
    reasons: tuple[str, ...] = ()
    there = any(one.table == declared.table for one in known)
    if archive and not there and not isinstance(database, EmptyDatabase):
        schemas = {declared.cold.schema, *((declared.view.schema,) if declared.view else ())}
        server = database.cold_server(declared.server)
        reasons = (*database.missing_rights(create_in=schemas), *server.missing)
        reasons += () if server.missing else database.cold_refusals(server, declared.remote_schema, columns)
    return cold.create(
        declared, table, archive, columns, known, database.cold_config_is_there(), reasons, invoker=invoker(database)
    )


def drop(database: Database, table: QualifiedName, name: QualifiedName | None) -> Plan:
    """Drop a cold archive without partitions, and have its view show the table and the archive again."""
    known = database.cold_archives()
    one = next((one for one in known if one.table == table and name in (None, one.cold)), None)
    return cold.drop(
        one,
        database.table(table),
        database.table(one.archive) if one else None,
        database.cold_partitions(table),
        next((policy for policy in database.archive_policies() if policy.table == table), None),
        database.missing_archive_rights((one.cold,)) if one else (),
        invoker=invoker(database),
        last=len(known) == 1 and not isinstance(database, EmptyDatabase),
    )


def of(database: Database, policy: ArchivePolicy) -> ColdArchive | None:
    """Return the cold archive behind an archive."""
    found = (one for one in database.cold_archives() if (one.table, one.archive) == (policy.table, policy.archive))
    return next(found, None)


def differences(catalog: Catalog, policy: ArchivePolicy, table: Table, archive: Table) -> Iterator[str]:
    """Yield what stops partitions of an archive from going to its cold archive, or from coming back."""
    one = of(catalog, policy)
    if one:
        views = archives.spanning(table, archive)
        yield from catalog.cold_server(one.server).missing
        yield from cold.unlike(one, catalog.cold_columns(one.archive), catalog.table(one.cold), views)


def behind(catalog: Catalog, policy: ArchivePolicy, table: Table, archive: Table) -> Iterator[str]:
    """Yield that the view over all three lacks columns of the table, if it does."""
    one, views = of(catalog, policy), {view.name for view in archives.spanning(table, archive)}
    if one and one.view in views and catalog.view_lacks(one.view, [column.name for column in table.columns]):
        yield f"view {one.view} lacks columns of {table.name} (op.repair_archive_table with view={str(one.view)!r})"


def summed(catalog: Catalog, policy: ArchivePolicy) -> Iterator[tuple[QualifiedName, int, str, str]]:
    """Yield the rows and the checksum of each partition on the server, and how they differ from what went there.

    Raises:
        PlanError: the server cannot be read.
    """
    one = of(catalog, policy)
    for part in catalog.cold_partitions(policy.table) if one else ():
        if one is None or not part.cold:
            continue
        try:
            count, text = catalog.checksum(part.foreign, cold.still(part, catalog.cold_columns(one.cold)))
        except DBAPIError as error:
            said = diagnosis(error, "message_primary") or str(error.orig)
            raise PlanError(f"{part.foreign} cannot be read: {said} [{sqlstate(error)}].") from error
        went = f"{part.rows} rows, checksum {part.checksum}"
        differs = part.checksum is not None and (count, text) != (part.rows, part.checksum)
        yield (
            part.foreign,
            count,
            text,
            f"{part.foreign} has {count} rows, checksum {text}; {went}, went there" * differs,
        )


class _Moving:
    """What moves of one table's partitions are made of.

    Args:
        catalog: where to look.
        one: the cold archive.
        partitioning: the table's policy.
        archive: its archive.
    """

    def __init__(self, catalog: Catalog, one: ColdArchive, partitioning: Partitioning, archive: Table) -> None:
        self.catalog, self.one, self.archive = catalog, one, archive
        self.control = partitioning.control
        self.server: ColdServer = catalog.cold_server(one.server)
        self.columns = catalog.cold_columns(one.archive)

    @cached_property
    def parents(self) -> tuple[tuple[Property, ...], ...]:
        """What PostgreSQL prints of the archive, and of the table."""
        return tuple(self.catalog.printed(name)[0] for name in (self.archive.name, self.one.table))

    def of(self, part: Partition | ColdPartition) -> ColdMove:
        """Describe one of them."""
        return cold.move(self.one, self.server, self.columns, self.control, part)

    def refuse(self, title: str, table: Table) -> None:
        """Refuse all of them, if something stands in the way.

        Raises:
            PlanError: something does.
        """
        views = archives.spanning(table, self.archive)
        reasons = [*self.server.missing, *cold.clone(self.one, self.catalog.cluster())]
        reasons += self.catalog.missing_archive_rights((self.one.cold, self.archive.name))
        reasons += cold.unlike(self.one, self.columns, self.catalog.table(self.one.cold), views)
        refuse_for(f"cannot {title}", reasons, lines=True)

    def out(self, part: Partition, known: ColdPartition | None) -> tuple[tuple[Step, ...], tuple[str, ...]]:
        """Plan the steps of one that goes to the server; and return why it stays, or what does not come back."""
        seen, table = self.catalog.detaching(self.archive.name, part.name), self.catalog.table(part.name)
        if seen is None or table is None:
            return (), ()
        refuse_for(f"cannot move {part.name}", seen.missing_rights)
        if why := cold.stays(seen, self.archive):
            return (), (f"{part.name} is to go to server {self.one.server} and stays: {'; '.join(why)}",)
        copied = known is not None and known.copied
        has, bounds = self.catalog.printed(part.name)
        own = cold.own(has, self.parents, bounds)
        steps = cold.out(
            self.of(known or part), table.foreign_keys, table, own, prepared=known is not None, copied=copied
        )
        return tuple(steps), cold.told(part.name, own, "leaves behind what it has of its own")


def going(
    catalog: Catalog, policy: ArchivePolicy, partitioning: Partitioning, table: Table, archive: Table
) -> tuple[list[Step], list[str]]:
    """Plan what goes from an archive to its cold server, after what an earlier run has left; say what stays, and why.

    Raises:
        PlanError: something stands in the way of all of it.
    """
    title = f"move partitions of {policy.archive} to the cold server"
    if not (policy.beside_cold or policy.cold_after):
        return [], []
    one = of(catalog, policy)
    if one is None:
        lost = [f"{policy.table} has no cold archive for cold_after (op.create_cold_archive)"]
        refuse_for(f"cannot {title}", lost if policy.cold_after else [], lines=True)
        return [], []
    wanted = cold.due(policy, partitioning, archive, catalog.here(partitioning, table))
    known = {part.name: part for part in catalog.cold_partitions(policy.table)}
    names = [part.name for part in wanted]
    if not wanted and all(part.cold and not part.returns for part in known.values()):
        return [], []
    moving = _Moving(catalog, one, partitioning, archive)
    steps, drops, notes = list[Step](), list[Step](), list[str]()
    for part in known.values():
        found, note = cold.resumed(part, moving.of(part), archive, policy.table, names)
        steps += (step for step in found if not isinstance(step, DropCopy))
        drops += (step for step in found if isinstance(step, DropCopy))
        notes += [note] if note else []
    waiting = {step.move.name for step in drops if isinstance(step, DropCopy)}
    for due in wanted:
        if due.name not in waiting:
            found, said = moving.out(due, known.get(due.name))
            steps += found
            notes += said
    if steps or drops:
        moving.refuse(title, table)
        steps = [*ensure(COLD_ARCHIVE, catalog.cold_config_is_there()), *steps]
    return [*steps, *drops], notes


def returning(
    catalog: Catalog, policy: ArchivePolicy, partitioning: Partitioning, table: Table, archive: Table, wanted: Range
) -> tuple[list[Step], list[Step], list[str]]:
    """Plan what comes back from the cold server to the archive, of a range; and what is dropped there after that.

    Third, what does not come back.

    Raises:
        PlanError: something stands in the way.
    """
    one = of(catalog, policy) if policy.beside_cold else None
    known = catalog.cold_partitions(policy.table) if one else ()
    if one is None or not known:
        return [], [], []
    lines = grid(replace(partitioning, parent=archive.name), archive)
    moving = _Moving(catalog, one, partitioning, archive)
    steps, drops, notes = list[Step](), list[Step](), list[str]()
    for part in known:
        held = lines.range_of(Partition(part.name, part.lower, part.upper))
        if part.cold and (part.returns or held.overlaps(wanted)):
            *first, last = cold.back(moving.of(part), part, archive, policy.table)
            steps += first
            drops.append(last)
            notes += cold.told(part.name, part.own, "comes back without what it had of its own")
        elif not part.cold:
            found, _ = cold.resumed(part, moving.of(part), archive, policy.table, ())
            drops += found
    if steps or drops:
        moving.refuse(f"restore {policy.table} from server {one.server}", table)
        steps = [*ensure(COLD_ARCHIVE, catalog.cold_config_is_there()), *steps]
    return steps, drops, notes


def all_back(
    catalog: Catalog, policy: ArchivePolicy, table: Table, archive: Table
) -> tuple[list[Step], list[Step], list[str]]:
    """Plan how everything that is on the cold server of a table comes back; its policy may be gone."""
    policy = replace(policy, beside_cold=True)
    cut = Partitioning(archive.name, archive.partitioned_by[0], "1 day")
    return returning(catalog, policy, catalog.policy(table.name) or cut, table, archive, Range(None, None))
