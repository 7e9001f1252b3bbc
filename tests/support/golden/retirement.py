"""Partitions are detached, dropped, exported and attached."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import ArchiveFile, Attaching, Detaching, Index, KeyColumn, Relation, Stored
from schema_kit.plans import attachment, retirement
from schema_kit.plans.files import register
from schema_kit.steps import Plan
from schema_kit.steps.files import AttachLoaded, DropLoaded, KeepLoaded, LoadFile, MergeFile, RecordRestored
from tests.support.golden.cases import case
from tests.support.shapes import MESSAGES, name, simple

LEAVING = Detaching(
    MESSAGES,
    name("bots.messages_p20261001"),
    16400,
    MESSAGES,
    bounds="FOR VALUES FROM ('2026-09-30 17:00:00+00') TO ('2026-10-31 17:00:00+00')",
    referenced=(name("bots.chats"),),
    incoming=(name("bots.reactions"),),
    attached_by="733",
)


@case
def detach_with_foreign_keys() -> Plan:
    """Its locks have a share of the budget each."""
    return retirement.detach(MESSAGES, LEAVING.name, LEAVING)


@case
def detach_beside_a_default() -> Plan:
    """The blocking way, all locks at once."""
    beside = replace(LEAVING, default=name("bots.messages_default"), has_record=Stored.CURRENT)
    return retirement.detach(MESSAGES, LEAVING.name, beside)


@case
def drop_partition_that_is_detach_pending() -> Plan:
    """An earlier run was interrupted between the two transactions of the detach."""
    pending = replace(LEAVING, pending=True, recorded=True, has_record=Stored.CURRENT)
    return retirement.drop(MESSAGES, LEAVING.name, pending)


@case
def drop_partition_that_is_detached() -> Plan:
    """Only the drop is left."""
    out = replace(LEAVING, attached_to=None, bounds="", recorded=True, has_record=Stored.CURRENT)
    return retirement.drop(MESSAGES, LEAVING.name, out)


@case
def drop_partition_that_is_gone() -> Plan:
    """Nothing to do."""
    return retirement.drop(MESSAGES, LEAVING.name, None)


@case
def file_registered_and_its_table_dropped() -> Plan:
    """Both in one commit, when they are sent."""
    out = replace(LEAVING, attached_to=None, bounds="", recorded=True, has_record=Stored.CURRENT)
    columns = (("id", "bigint", "int64", "00d1a1c0ffee0000"), ("body", "text", "text", "5c17a3d20e6f48b1"))
    bounds = "created_at", "2026-09-01 00:00:00+00", "2026-10-01 00:00:00+00"
    url, digest = "file:///srv/archive/it's.parquet", "9f" * 32
    file = ArchiveFile(url, out.name, 16400, MESSAGES, *bounds, "parquet", 31, 4299, digest, columns)
    return register(file, out)


@case
def attach_beside_a_filled_default() -> Plan:
    """Both are validated first."""
    default = simple("bots.messages_default")
    seen = Detaching(MESSAGES, name("bots.imported"), 16500, default=default.name)
    proof = '"created_at" IS NOT NULL AND "created_at" < \'2026-09-30 17:00:00+00\''
    wanted = Attaching(seen, "created_at", None, "2026-09-30 17:00:00+00", proof)
    parent = Relation(MESSAGES, (Index("messages_created_at_idx", "btree (created_at)", ("created_at",)),))
    return attachment.attach(wanted, [parent], [Relation(seen.name)], (), f"CHECK ({proof})", default)


LOAD = LoadFile("file:///srv/a.parquet", name("s.t__restored"), (), name("s.t"), ("id", 'n"'), "parquet")
MERGE = MergeFile(
    LOAD.url, LOAD.name, name("s.t"), ("id", 'n"', "twice"), ("twice",), (KeyColumn("id", "bigint"),), "", moved=True
)


@case
def file_loaded_and_merged() -> Plan:
    """The key says what exists already; the manifest says in the same commit that the rows are back."""
    return Plan("import", (LOAD, MERGE))


@case
def file_loaded_and_merged_without_a_key() -> Plan:
    """All of the range is the file's, or there is nothing of it."""
    load = replace(LOAD, columns=('"id" bigint NOT NULL',), like=None, copied=("id",), form="copy")
    return Plan("import", (load, replace(MERGE, key=(), within="t.\"id\" >= '7'", moved=False)))


@case
def file_loaded_and_attached_by_list() -> Plan:
    """Its bounds are what PostgreSQL has printed when it was written."""
    attach = AttachLoaded(name("s.t"), LOAD.name, "FOR VALUES IN ('a''b', NULL)")
    return Plan("import", (LOAD, KeepLoaded(LOAD.name), attach, RecordRestored(LOAD.url, LOAD.name)))


@case
def file_loaded_beside() -> Plan:
    """It stays there; what an earlier run has left is dropped first."""
    return Plan("import", (DropLoaded(LOAD.name), LOAD, KeepLoaded(LOAD.name), RecordRestored(LOAD.url, LOAD.name)))
