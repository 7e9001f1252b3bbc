"""Archives are made, filled by partition, and dropped."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import (
    ArchivePolicy,
    Attaching,
    DeclaredArchive,
    Detaching,
    Grant,
    Index,
    Partitioning,
    Relation,
    Stored,
    View,
)
from schema_kit.names import QualifiedName
from schema_kit.plans import archives, move_partition
from schema_kit.steps import Plan
from schema_kit.steps.archives import Route
from tests.support.golden.cases import case
from tests.support.golden.tables import LOGINS
from tests.support.shapes import NOW

HOT = replace(LOGINS, grants=(Grant("SELECT", "reader"), Grant("INSERT", "writer")), default_grantees=("PUBLIC",))
OLD = HOT.name.sibling("logins_archive")
ARCHIVE = replace(HOT, name=OLD)
LOGINS_BY_MONTH = Partitioning(HOT.name, "created_at", "1 mon")
BY_PARTITION = ArchivePolicy(HOT.name, OLD, "90 days", "partition")


@case
def archive_nothing_there() -> Plan:
    """The archive, its row of part_config, and the view."""
    declared = DeclaredArchive(HOT.name, OLD, view=HOT.name.sibling("all_logins"), tablespace="slow", compression="lz4")
    return archives.create(declared, HOT, None, LOGINS_BY_MONTH, Stored.CURRENT)


@case
def archive_with_an_index_of_the_table_and_a_moment() -> Plan:
    """The primary key and one index."""
    index = Index("ix", "btree (body)", ("body",))
    table = replace(HOT, indexes=(index, *HOT.indexes))
    declared = DeclaredArchive(HOT.name, OLD, interval="1 year", indexes=("ix",), archived_at=True)
    return archives.create(declared, table, None, LOGINS_BY_MONTH, Stored.MISSING)


@case
def archive_there() -> Plan:
    """Nothing to do."""
    view = View(HOT.name.sibling("all_logins"), "me", "")
    hot, old = replace(HOT, views=(view,)), replace(ARCHIVE, views=(view,))
    return archives.create(DeclaredArchive(HOT.name, OLD, view=view.name), hot, old, LOGINS_BY_MONTH, Stored.CURRENT)


@case
def archive_dropped() -> Plan:
    """With its view and an empty partition."""
    tree = [Relation(OLD), Relation(OLD.sibling("old"))]
    return archives.drop(OLD, ARCHIVE, tree, (), False, (), View(HOT.name.sibling("all_logins"), "me", ""))


@case
def archive_dropped_with_the_last_that_is_known_of_archives() -> Plan:
    """Partitions that came and went are forgotten."""
    return archives.drop(OLD, ARCHIVE, [Relation(OLD)], (), False, (), None, remembered=True, last=True)


@case
def archive_policy_first() -> Plan:
    """No archive_policy yet."""
    return archives.set_policy(BY_PARTITION, None, HOT, ARCHIVE, LOGINS_BY_MONTH, NOW, Stored.MISSING)


@case
def archive_policy_there() -> Plan:
    """It is registered so."""
    return archives.set_policy(BY_PARTITION, BY_PARTITION, HOT, ARCHIVE, LOGINS_BY_MONTH, NOW, Stored.CURRENT)


@case
def archive_policy_dropped() -> Plan:
    """Its row goes."""
    return archives.drop_policy(HOT.name, True)


def moving(attached: bool = True, default: QualifiedName | None = None, views: tuple[View, ...] = ()) -> Plan:
    part = HOT.name.sibling("logins_p20260801")
    ends = "2026-08-01 00:00:00+00", "2026-09-01 00:00:00+00"
    at = HOT.name if attached else None
    seen = Detaching(HOT.name, part, 16600, at, bounds="FOR VALUES ...", default=default, attached_by="734")
    proof = f'"created_at" IS NOT NULL AND "created_at" >= \'{ends[0]}\' AND "created_at" < \'{ends[1]}\''
    wanted = Attaching(replace(seen, parent=OLD, default=None), "created_at", *ends, proof)
    one = move_partition.Transfer(seen, wanted, (Relation(part),), Relation(OLD), f"CHECK ({proof})")
    route = Route(HOT.name, OLD, OLD)
    steps = move_partition.transfer(route, one, views, "auto", has_record=Stored.MISSING)
    return Plan("archive", tuple(steps))


@case
def archive_partition() -> Plan:
    """Detached concurrently, then attached."""
    return moving()


@case
def archive_partition_that_is_detached() -> Plan:
    """A run was killed in between; the CHECK is validated again where it is not found."""
    return moving(attached=False)


@case
def archive_partition_under_a_view() -> Plan:
    """Both in one commit."""
    return moving(views=(View(HOT.name.sibling("all_logins"), "me", ""),))


@case
def archive_partition_beside_a_default() -> Plan:
    """Likewise."""
    return moving(default=HOT.name.sibling("logins_default"))
