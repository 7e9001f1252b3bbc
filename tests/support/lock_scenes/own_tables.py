"""What schema_kit keeps: its own tables, and the list of what it has made."""

from __future__ import annotations

from datetime import UTC, datetime

from schema_kit.model import BaselineObject, BaselineTable, Column, ForeignKey, IgnoredFinding, Stored, Table
from schema_kit.names import QualifiedName
from schema_kit.steps import baseline, health, partitions
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import CREATED_OBJECT, HEALTH_IGNORED, HEALTH_SNAPSHOT, PART_CONFIG, RETIRED_PARTITION, SCRIPTS
from tests.support.lock_scenes.tables import POLICY, T
from tests.support.older import OLDER
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_baseline(proof: Proof) -> None:
    proof.database.sql("CREATE TABLE owner (id bigint PRIMARY KEY)", "CREATE TABLE place (id bigint PRIMARY KEY)")
    table = QualifiedName("made", "t")
    owners = tuple(
        ForeignKey(f"t_{name}", table, (f"{name}_id",), QualifiedName("public", name), ("id",), "")
        for name in ("owner", "place")
    )
    create = (
        "CREATE TABLE made.t (id bigint PRIMARY KEY, up bigint REFERENCES made.t, "
        "owner_id bigint REFERENCES public.owner, place_id bigint REFERENCES public.place)"
    )
    noun = BaselineTable(Table(table, (Column("id", "bigint"),), foreign_keys=owners), (create,))
    objects = (
        BaselineObject(QualifiedName("made", "kind"), "enum", "AS ENUM ('a')", ("a",)),
        BaselineObject(QualifiedName("made", "price"), "domain", "AS numeric CHECK (value > 0)"),
        BaselineObject(QualifiedName("made", "ids"), "sequence", "CYCLE"),
    )
    proof.steps(
        EnsureTable(CREATED_OBJECT),
        EnsureTable(PART_CONFIG),
        baseline.CreateExtension("pg_trgm"),
        baseline.CreateSchema("made"),
        *(baseline.CreateObject(one) for one in objects),
        *(baseline.DropObject(one) for one in objects),
        baseline.CreateTable(noun),
        baseline.DropTable(table, tuple(sorted(key.referenced for key in owners))),
        baseline.DropSchema("made", empty=True),
        baseline.DropExtension("pg_trgm"),
        partitions.RegisterPolicy(POLICY),
        partitions.RememberMaintenance((T,)),
        partitions.UnregisterPolicy(T),
        EnsureTable(RETIRED_PARTITION),
        DropTables((PART_CONFIG, RETIRED_PARTITION)),
        DropTables((CREATED_OBJECT,), with_schema=True),
    )


def scene_findings_ignored(proof: Proof) -> None:
    finding = IgnoredFinding("index_unused", "s.t", "i")
    proof.steps(
        EnsureTable(HEALTH_IGNORED),
        health.IgnoreFinding(finding, "why"),
        health.HeedFinding(finding),
        DropTables((HEALTH_IGNORED,)),
        EnsureTable(HEALTH_SNAPSHOT),
        health.RememberCounters(datetime(2026, 1, 1, tzinfo=UTC), "", None, ("s.i",), {"s.i": 1}),
    )


def scene_own_tables(proof: Proof) -> None:
    for table in SCRIPTS:  # a new one, then one of an older version
        proof.database.sql("DROP SCHEMA IF EXISTS schema_kit CASCADE")
        proof.steps(EnsureTable(table))
        proof.database.sql(*OLDER.get(table, ()))
        proof.steps(EnsureTable(table, Stored.OLDER))


SCENES: Scenes = {
    scene_findings_ignored: {
        EnsureTable,
        health.IgnoreFinding,
        health.HeedFinding,
        DropTables,
        health.RememberCounters,
    },
    scene_own_tables: {EnsureTable},
    scene_baseline: {
        EnsureTable,
        DropTables,
        baseline.CreateSchema,
        baseline.DropSchema,
        baseline.CreateTable,
        baseline.DropTable,
        baseline.CreateExtension,
        baseline.CreateObject,
        baseline.DropObject,
        baseline.DropExtension,
        partitions.RegisterPolicy,
        partitions.RememberMaintenance,
        partitions.UnregisterPolicy,
    },
}

LONGER: tuple[Scene, ...] = ()
