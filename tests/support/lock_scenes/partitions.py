"""Partitioned tables and partitions are made; pg_partman's functions come and go."""

from __future__ import annotations

from collections.abc import Callable

from schema_kit.catalog import Catalog
from schema_kit.model import Column, Cut, ForeignKey, Partitioning, Table
from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.plans.creation import DeclaredSet, create_set
from schema_kit.plans.partitions import create_next
from schema_kit.steps import Plan, constraints, partitions, partman
from schema_kit.steps.storage import EnsureTable
from schema_kit.tasks import partman as partman_sql
from tests.support.lock_scenes.tables import RICH, T, converting
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_new_partitions(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.run(lambda catalog: create_next(Partitioning(T, "at", "1 mon", premake=4), catalog.table(T), catalog.now()))


def scene_new_partitions_beside_a_default(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.database.sql("CREATE TABLE s.t_default PARTITION OF s.t DEFAULT")
    more = Partitioning(T, "at", "1 mon", premake=3)

    def ahead(policy: Partitioning) -> Callable[[Catalog], Plan]:
        return lambda catalog: create_next(
            policy, catalog.table(T), catalog.now(), catalog.filled_default(catalog.table(T))
        )

    proof.run(ahead(more))
    proof.database.sql("INSERT INTO s.t (at, body) VALUES ('2090-01-01', 'far')")
    proof.run(ahead(Partitioning(T, "at", "1 mon", premake=4)))


def scene_new_set(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA s", "CREATE TABLE s.r (id bigint PRIMARY KEY)")
    new = Table(
        T,
        (Column("id", "bigint"), Column("at", "date", not_null=True), Column("r", "bigint")),
        partition_strategy="l",
        partitioned_by=("id",),
        foreign_keys=(ForeignKey("t_r_fkey", T, ("r",), QualifiedName("s", "r"), ("id",), ""),),
    )
    make = "CREATE TABLE s.t (id bigint, at date NOT NULL, r bigint REFERENCES s.r) PARTITION BY LIST (id)"
    cut = Cut("id", "LIST", (("_a", "FOR VALUES IN (1)"), ("_b", "DEFAULT")))
    declared = DeclaredSet(new, (make,), Partitioning(T, "at", "1 mon", premake=1), above=cut, default=True)

    def decide(catalog: Catalog) -> Plan:
        sets = {one.parent: table for one, table in catalog.sets((declared.policy,)) if table}
        registered = catalog.policy(T) is not None
        config = catalog.config_is_current()
        return create_set(declared, catalog.table(T), sets, catalog.now(), registered, config)

    proof.run(decide)


def scene_partman_stopped(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA p", "CREATE TABLE p.part_config (parent_table text, automatic_maintenance text)")
    proof.steps(partitions.StopPartman(QualifiedName("p", "part_config"), T))


def scene_partman_sql(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA partman")
    install = task(partman_sql.install, "partman")
    proof.run(install)
    for kind, name in (("VIEW", "partman.part_config"), ("TABLE", "schema_kit.part_config_sub")):
        proof.database.sql(f"COMMENT ON {kind} {name} IS 'Older. (schema_kit 000000000000.00000000)'")
    proof.run(install)
    proof.run(task(partman_sql.remove, "partman"))
    proof.database.sql(
        "CREATE SCHEMA partman", "CREATE TABLE partman.part_config (parent_table text PRIMARY KEY, premake int)"
    )
    config, parent = QualifiedName("partman", "part_config"), QualifiedName("s", "t")
    proof.steps(
        partman.HandOver(parent, config, (partman.Registered(parent, (("parent_table", "'s.t'"), ("premake", "4"))),)),
        partman.TakeOver(parent, (("premake", "4"),)),
        partman.StartMaintenance(parent),
    )
    proof.database.sql("CREATE SCHEMA IF NOT EXISTS s", "CREATE TABLE s.p (id int) PARTITION BY RANGE (id)")
    proof.database.sql("CREATE TABLE s.p_1 PARTITION OF s.p FOR VALUES FROM (1) TO (2) PARTITION BY RANGE (id)")
    proof.steps(
        partman.RenamePartition(QualifiedName("s", "p_1"), QualifiedName("s", "p_p1"), registered=True),
    )


SCENES: Scenes = {
    scene_new_partitions: {partitions.CreatePartition},
    scene_partman_stopped: {partitions.StopPartman},
    scene_new_set: {
        EnsureTable,
        partitions.CreatePartitionedTable,
        partitions.CreatePartition,
        partitions.RegisterPolicy,
    },
    scene_new_partitions_beside_a_default: {
        constraints.AddCheck,
        constraints.ValidateConstraint,
        partitions.CreatePartition,
    },
    scene_partman_sql: {
        partman.InstallPartmanSql,
        partman.RemovePartmanSql,
        partman.HandOver,
        partman.TakeOver,
        partman.RenamePartition,
        partman.StartMaintenance,
    },
}

LONGER: tuple[Scene, ...] = (scene_new_partitions_beside_a_default,)
