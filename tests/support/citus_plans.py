"""Plans over tables that Citus distributes: their SQL is golden, and parsed by a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from schema_kit.model import (
    Column,
    DeclaredArchive,
    Detaching,
    Distribution,
    Index,
    KeyColumn,
    LeavingTable,
    Partitioning,
    Stored,
    Table,
)
from schema_kit.names import QualifiedName
from schema_kit.plans import archives, distribution, retirement, rows
from schema_kit.plans.rows import Leaving
from schema_kit.steps import Plan
from schema_kit.steps.access_method import ChangeAccessMethod
from schema_kit.steps.batches import Change, UpdateBatch
from schema_kit.steps.files import LoadFile

CASES: dict[str, Callable[[], Plan]] = {}

BY_TENANT = Distribution("hash", "tenant", 7)
ITEMS, ARCHIVE = QualifiedName("shop", "items"), QualifiedName("shop", "items_archive")
KEY = (KeyColumn("tenant", "integer"), KeyColumn("at", "timestamp with time zone", moment=True))
ROWS = LeavingTable(ITEMS, ("tenant", "at", "word"), KEY, (KEY, KEY[1:]), distribution=BY_TENANT)
ARCHIVED = replace(ROWS, name=ARCHIVE, columns=("tenant", "at", "word", "archived_at"))
TABLE = Table(
    ITEMS,
    (Column("tenant", "integer", True), Column("at", "timestamp with time zone", True), Column("word", "text")),
    primary_key=("tenant", "at"),
    indexes=(Index("items_pkey", "btree (tenant, at)", ("tenant", "at"), unique=True, primary=True),),
)
DUE = "at <= '2026-01-05 00:00:00+00' AND word LIKE '100%'"


def case(make: Callable[[], Plan]) -> Callable[[], Plan]:
    CASES[make.__name__] = make
    return make


def distributed(wanted: Distribution, **more: object) -> Plan:
    given = {"blocking": False, "beside": None, "shard_count": None, **more}
    return distribution.distribute(
        ITEMS,
        wanted,
        TABLE,
        given["beside"],  # type: ignore[arg-type]
        given["shard_count"],  # type: ignore[arg-type]
        {},
        blocking=bool(given["blocking"]),
        citus=True,
    )


@case
def distribute_concurrently() -> Plan:
    """Next to another table."""
    other = replace(TABLE, name=QualifiedName("shop", "tenants"), distribution=BY_TENANT)
    return distributed(Distribution("hash", "tenant"), beside=(other.name, other))


@case
def distribute_blocking() -> Plan:
    """In a transaction, in so many shards."""
    return distributed(Distribution("hash", "tenant"), blocking=True, shard_count=64)


@case
def distribute_reference() -> Plan:
    """A reference table."""
    return distributed(Distribution("reference"))


@case
def distribute_single_shard() -> Plan:
    """All in one shard."""
    return distributed(Distribution("single"))


@case
def undistribute() -> Plan:
    """Back to the coordinator."""
    return distribution.undistribute(ITEMS, replace(TABLE, distribution=BY_TENANT), citus=True)


@case
def archive_beside() -> Plan:
    """An archive lies next to its table."""
    policy = Partitioning(ITEMS, "at", "1 month")
    table = replace(TABLE, distribution=BY_TENANT, partitioned_by=("at",), partition_strategy="r")
    return archives.create(DeclaredArchive(ITEMS, ARCHIVE), table, None, policy, Stored.CURRENT)


@case
def archive_of_a_reference_table() -> Plan:
    """An archive of a reference table is one."""
    return archives.create(
        DeclaredArchive(ITEMS, ARCHIVE),
        replace(TABLE, distribution=Distribution("reference")),
        None,
        None,
        Stored.CURRENT,
    )


@case
def file_beside() -> Plan:
    """What a file is loaded into lies next to the table that it was of."""
    columns = ("tenant integer NOT NULL", "at timestamp with time zone NOT NULL", "word text")
    load = LoadFile(
        *("file:///a/items.parquet", ITEMS.sibling("items__restored"), columns, None, ("tenant", "at", "word")),
        form="parquet",
        colocated=(BY_TENANT, ITEMS),
    )
    return Plan("import", (load,))


@case
def detach() -> Plan:
    """In the blocking way."""
    part = ITEMS.sibling("items_p20260101")
    bounds = "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')"
    return retirement.detach(
        ITEMS,
        part,
        Detaching(
            ITEMS, part, 1, ITEMS, bounds=bounds, has_record=Stored.CURRENT, recorded=True, distribution=BY_TENANT
        ),
    )


@case
def access_method() -> Plan:
    """A partition of an archive becomes columnar."""
    step = ChangeAccessMethod(ARCHIVE.sibling("items_p20260101"), "columnar", ("tenant", "at"), ARCHIVE, by_citus=True)
    return Plan("archive", (step,))


@case
def rows_expire() -> Plan:
    """A literal LIMIT, by the key, without a lock of its own."""
    return rows.remove(Leaving(ITEMS, DUE, "at"), {ITEMS: ROWS})


@case
def rows_archived() -> Plan:
    """To a colocated table, by one statement."""
    one = Leaving(ITEMS, DUE, "at", archives={ITEMS: ARCHIVE})
    return rows.remove(one, {ITEMS: ROWS, ARCHIVE: ARCHIVED})


@case
def rows_back() -> Plan:
    """And back."""
    one = Leaving(ITEMS, DUE, "at", archives={ITEMS: ARCHIVE}, back=True)
    return Plan("back", rows.back(one, {ITEMS: ROWS, ARCHIVE: ARCHIVED}))


@case
def batches() -> Plan:
    """Up to the last key of so many rows."""
    change = Change(ITEMS, (("word", "upper(word) || '100%'"),), "word LIKE '100%'")
    return Plan("update", (UpdateBatch("upper words", change, KEY, 0.5, 10.0, 0.2, spread=True),))


@case
def batches_without_where() -> Plan:
    """All rows."""
    change = Change(ITEMS, (("word", "NULL"),))
    return Plan("update", (UpdateBatch("no words", change, KEY[:1], 0.5, None, None, spread=True),))
