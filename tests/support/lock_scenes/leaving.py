"""Partitions are detached, attached and dropped."""

from __future__ import annotations

import psycopg
import pytest

from schema_kit.catalog import Catalog
from schema_kit.model import Index
from schema_kit.names import QualifiedName
from schema_kit.steps import constraints, retirement
from schema_kit.steps.storage import EnsureTable
from tests.support.lock_scenes.tables import IN, LEAVING, T, come_in, gone, leave
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_partitions_leave(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "CREATE SCHEMA away")
    connection = proof.database.sqlalchemy()
    for name in IN:
        seen = Catalog(connection).detaching(T, QualifiedName("s", name))
        assert seen is not None
        proof.beside(retirement.DetachConcurrently(seen), "SELECT 1 FROM s.pc")  # the lock that it takes last
        proof.run(come_in(name))
        with psycopg.connect(proof.database.url) as holder, proof.database.connect() as other:
            holder.execute("SELECT 1 FROM s.t")
            other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(f"ALTER TABLE s.t DETACH PARTITION s.{name} CONCURRENTLY")
        proof.run(leave(name))
        gone_away = Catalog(connection).detaching(T, QualifiedName("s", name))
        assert gone_away is not None
        proof.prove(retirement.MovePartition(gone_away, "away"))
        proof.proved.add(retirement.MovePartition)
        proof.run(gone(name))


def scene_partitions_leave_beside_a_default(proof: Proof) -> None:
    proof.database.sql(
        *LEAVING, "CREATE TABLE s.td PARTITION OF s.t DEFAULT", "INSERT INTO s.td VALUES (1, '2030-01-01')"
    )
    for name in IN:
        proof.run(leave(name))
        proof.run(come_in(name))
        proof.run(gone(name))


def scene_partitions_of_a_table_that_refers_to_itself(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "ALTER TABLE s.t ADD up bigint, ADD up_at date")
    proof.database.sql("ALTER TABLE s.t ADD FOREIGN KEY (up, up_at) REFERENCES s.t")
    for name in IN:
        proof.run(leave(name))
        proof.run(come_in(name))


def scene_a_table_becomes_a_partition(proof: Proof) -> None:
    proof.database.sql(*LEAVING, "DROP TABLE s.c, s.pc", "DROP TABLE s.t1", "CREATE INDEX t_word ON s.t (word)")
    proof.database.sql("CREATE TABLE s.t1 (LIKE s.t)", "INSERT INTO s.t1 VALUES (1, '2026-01-05')")
    proof.run(come_in("t1"))
    one = QualifiedName("s", "one")
    proof.database.sql("CREATE TABLE s.one (id bigint, body text)")
    like = retirement.CreateIndexLikeParents("ix", one, Index("ix", "btree (id)"))
    proof.beside(like, "LOCK TABLE s.one IN ROW EXCLUSIVE MODE")


SCENES: Scenes = {
    scene_partitions_leave: {
        EnsureTable,
        retirement.RecordRetired,
        retirement.DetachConcurrently,
        retirement.FinalizeDetach,
        retirement.AttachPartition,
        retirement.MovePartition,
        retirement.DropPartition,
    },
    scene_partitions_leave_beside_a_default: {
        retirement.Detach,
        retirement.AttachPartition,
        constraints.AddCheck,
        constraints.ValidateConstraint,
        retirement.ForgetRetired,
        retirement.DropPartition,
    },
    scene_partitions_of_a_table_that_refers_to_itself: {retirement.Detach, retirement.AttachPartition},
    scene_a_table_becomes_a_partition: {
        retirement.CreateIndexLikeParents,
        constraints.AddKeyUsingIndex,
        constraints.AddForeignKey,
        retirement.AttachPartition,
    },
}

LONGER: tuple[Scene, ...] = (
    scene_partitions_leave_beside_a_default,
    scene_partitions_of_a_table_that_refers_to_itself,
)
