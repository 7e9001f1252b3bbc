"""Plain tables become partitioned, and plain again."""

from __future__ import annotations

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted
from schema_kit.ops.operation import task
from schema_kit.steps import Step, constraints, conversion, emptied, indexes, partitions, referring
from schema_kit.steps import unpartition as unpartition_steps
from schema_kit.steps.storage import EnsureTable
from schema_kit.tasks.conversion import unpartition
from tests.support.database import QUICK
from tests.support.lock_scenes.tables import PLAIN_CHILDLESS, RICH, T, converting
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_conversion_with_incoming_keys(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.run(converting("composite"))


def scene_conversion_drops_incoming_keys(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.run(converting("drop"))


def scene_conversion_begun_again(proof: Proof) -> None:
    proof.database.sql(*PLAIN_CHILDLESS)
    done: list[Step] = []
    connection = proof.database.sqlalchemy()

    def until_built(event: Event) -> None:
        if isinstance(event, StepStarted):
            if isinstance(event.step, conversion.Swap):
                raise InterruptedError
            done.append(event.step)

    with pytest.raises(InterruptedError):
        execute.run(connection, lambda: converting("refuse")(Catalog(connection)), QUICK, until_built)
    proof.database.sql("ALTER TABLE s.t ADD COLUMN more text")
    proof.run(converting("refuse"))


def scene_conversion_given_up(proof: Proof) -> None:
    proof.database.sql(*RICH)
    connection = proof.database.sqlalchemy()

    def until_swap(event: Event) -> None:
        if isinstance(event, StepStarted) and isinstance(event.step, conversion.Swap):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        execute.run(connection, lambda: converting("composite")(Catalog(connection)), QUICK, until_swap)
    proof.run(task(unpartition, T))


def scene_keys_to_a_partitioned_table(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.place (id bigint PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE s.place1 PARTITION OF s.place FOR VALUES FROM (1) TO (100)",
        "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL, place_id bigint REFERENCES s.place)",
    )
    proof.run(converting("refuse"))
    proof.run(task(unpartition, T))


def scene_way_back(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("composite"))
    proof.run(task(unpartition, T))


def scene_way_back_without_foreign_keys(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL)",
        "CREATE VIEW s.v AS SELECT * FROM s.t",
    )
    proof.run(converting("refuse"))
    proof.run(task(unpartition, T))


PUBLISHED = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.t (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
    "ALTER TABLE s.t REPLICA IDENTITY FULL",
    "INSERT INTO s.t VALUES (1, now())",
    "CREATE PUBLICATION one FOR TABLE s.t WITH (publish_via_partition_root = true)",
)


def scene_published(proof: Proof) -> None:
    proof.database.sql(*PUBLISHED, "CREATE PUBLICATION two FOR ALL TABLES WITH (publish_via_partition_root = true)")
    proof.run(converting("refuse"))
    proof.database.sql("INSERT INTO s.t VALUES (2, now() + interval '2 months')")
    proof.run(task(unpartition, T))


SCENES: Scenes = {
    scene_conversion_with_incoming_keys: {
        EnsureTable,
        conversion.AddBound,
        constraints.ValidateConstraint,
        referring.AddFilledKeyColumn,
        referring.FillKeyColumn,
        conversion.BuildParent,
        partitions.CreatePartition,
        conversion.Swap,
    },
    scene_conversion_drops_incoming_keys: {conversion.Swap},
    scene_conversion_begun_again: {conversion.DropBuiltParent, conversion.BuildParent, conversion.Swap},
    scene_conversion_given_up: {
        referring.DropFilledKeyColumn,
        conversion.DropBuiltParent,
        indexes.DropIndexConcurrently,
        conversion.DropBound,
    },
    scene_way_back: {unpartition_steps.Unswap, constraints.ValidateConstraint},
    scene_way_back_without_foreign_keys: {conversion.Swap, unpartition_steps.Unswap, emptied.DropEmptied},
    scene_published: {conversion.BuildParent, conversion.Swap, unpartition_steps.Unswap},
    scene_keys_to_a_partitioned_table: {conversion.BuildParent, partitions.CreatePartition, conversion.Swap},
}

LONGER: tuple[Scene, ...] = (
    scene_conversion_with_incoming_keys,
    scene_way_back,
    scene_way_back_without_foreign_keys,
    scene_keys_to_a_partitioned_table,
)
