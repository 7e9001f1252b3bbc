"""Partitioned tables made from nothing, and policies of those that exist."""

from __future__ import annotations

from dataclasses import replace

from schema_kit.model import Cut, Partition, Partitioning, Stored, Told
from schema_kit.plans import adoption, creation, partitions, policies
from schema_kit.plans.creation import DeclaredSet
from schema_kit.steps import Plan
from schema_kit.storage import COPY_CHUNK, COPY_RUN, COPY_TARGET, RETIRED_PARTITION
from tests.support.golden.cases import case
from tests.support.golden.tables import LOGINS
from tests.support.shapes import NOW, name

HALVES = Cut("id", "HASH", tuple((f"_h{n}", f"FOR VALUES WITH (MODULUS 2, REMAINDER {n})") for n in range(2)))
NEW = DeclaredSet(
    LOGINS, ("CREATE TABLE shop.logins (...)",), Partitioning(LOGINS.name, "created_at", "1 mon", premake=1)
)
REGIONS = Cut("body", "LIST", (("_eu", "FOR VALUES IN ('de', 'fr')"), ("_default", "DEFAULT")))
BY_REGION = replace(LOGINS, partition_strategy="l", partitioned_by=("body",))


@case
def set_nothing_there() -> Plan:
    """The table alone; what comes next is decided once it exists."""
    return creation.create_set(NEW, None, {}, NOW, False, Stored.MISSING)


@case
def set_table_there() -> Plan:
    """Its partitions, partitioned by hash, a default one, the policy."""
    declared = replace(NEW, below=HALVES, default=True, options=("fillfactor=90",))
    return creation.create_set(declared, LOGINS, {}, NOW, False, Stored.CURRENT)


@case
def set_of_regions_half_done() -> Plan:
    """Ranges under a list: one part exists with its first partition."""
    declared = replace(NEW, table=BY_REGION, above=REGIONS)
    part = LOGINS.name.sibling("logins_eu")
    made = Partition(part.sibling("x"), "2026-11-01 00:00:00+00", "2026-12-01 00:00:00+00")
    there = {part: replace(LOGINS, name=part, partitions=(made,))}
    return creation.create_set(declared, BY_REGION, there, NOW, False, Stored.CURRENT)


@case
def set_already_there() -> Plan:
    """Nothing is missing, and the policy that was changed since stays."""
    made = tuple(
        Partition(name(f"shop.x{n}"), f"2026-{n}-01 00:00:00+00", "2026-12-01 00:00:00+00" if n == 11 else None)
        for n in (11, 12)
    )
    return creation.create_set(NEW, replace(LOGINS, partitions=made), {}, NOW, True, Stored.CURRENT)


@case
def policy_first() -> Plan:
    """No part_config yet; a partition of another width is past."""
    odd = Partition(name("shop.odd"), "2026-01-07 00:00:00+00", "2026-03-04 00:00:00+00")
    policy = policies.changed(LOGINS.name, None, {"control": "created_at", "interval": "month", "premake": None})
    return policies.set_policy(policy, None, ((policy, replace(LOGINS, partitions=(odd,)), NOW),), Stored.MISSING)


@case
def policy_changed() -> Plan:
    """Only what is given changes."""
    was = Partitioning(LOGINS.name, "created_at", "1 mon", "Asia/Bangkok", premake=9, origin="2026-02-05")
    policy = policies.changed(LOGINS.name, was, {"premake": 2, "origin": "", "encoding": None})
    return policies.set_policy(policy, was, ((policy, LOGINS, NOW),), Stored.CURRENT)


@case
def policy_there() -> Plan:
    """It is registered so."""
    was = Partitioning(LOGINS.name, "created_at", "1 mon")
    return policies.set_policy(policies.changed(LOGINS.name, was, {"interval": "1 month"}), was, (), Stored.CURRENT)


@case
def adopted_from_pg_partman() -> Plan:
    """A past partition lies on no boundaries; pg_partman's maintenance goes off."""
    odd = Partition(name("shop.odd"), "2026-01-07 00:00:00+00", "2026-03-04 00:00:00+00")
    month = Partition(name("shop.month"), "2026-11-01 00:00:00+00", "2026-12-01 00:00:00+00")
    table = replace(LOGINS, partitions=(odd, month))
    told = (Told(Partitioning(LOGINS.name, "created_at", "1 mon", premake=3), "it", name("partman.part_config"), True),)
    seen = adoption.read_bounds(LOGINS.name, "created_at", [table], {}, told, [("Etc/UTC", "the database's")])
    sets = [(seen.policy, table, NOW)]
    return adoption.adopt(seen, None, sets, Stored.CURRENT, (), told, take_over=True, leave_irregular=True)


@case
def policy_dropped() -> Plan:
    """The row goes."""
    return policies.drop_policy(LOGINS.name, registered=True)


@case
def part_config_dropped_with_what_is_finished() -> Plan:
    """No copy is in progress, and no partition is out."""
    records = (RETIRED_PARTITION, COPY_RUN, COPY_TARGET, COPY_CHUNK)
    return partitions.drop_part_config(False, exists=True, alone=True, records=records)
