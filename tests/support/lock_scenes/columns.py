"""Columns and constraints change."""

from __future__ import annotations

import sqlalchemy as sa

from schema_kit.steps import columns, constraints
from tests.support.lock_scenes.tables import decided_by
from tests.support.matrix import SHAPES, Operate, build
from tests.support.operations import COLUMNS, CONSTRAINTS
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_constraints(proof: Proof) -> None:
    for shape in SHAPES:
        for case in CONSTRAINTS.values():
            build(proof.database, shape)
            proof.database.sql(*case.before)
            proof.run(decided_by(case.operate))


def scene_columns(proof: Proof) -> None:
    for shape in SHAPES:
        for operate, _ in COLUMNS.values():
            build(proof.database, shape)
            proof.database.sql(
                "ALTER TABLE s.t ALTER v SET NOT NULL, ADD PRIMARY KEY (id, k, v), ADD FOREIGN KEY (ref) REFERENCES s.r"
            )
            proof.run(decided_by(operate))
        build(proof.database, shape)
        proof.database.sql("ALTER TABLE s.t ALTER word SET NOT NULL, ADD FOREIGN KEY (ref) REFERENCES s.r")
        proof.run(decided_by(lambda op: op.alter_column_concurrently("t", "word", schema="s", nullable=True)))
        proof.run(decided_by(lambda op: op.drop_column_concurrently("t", "ref", schema="s")))


def scene_foreign_keys_to_partitions(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.r (id varchar(9) PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE s.r1 PARTITION OF s.r FOR VALUES FROM ('a') TO ('m')",
        "CREATE TABLE s.r2 PARTITION OF s.r DEFAULT",
        "CREATE TABLE s.p (id varchar(9), up varchar(9)) PARTITION BY LIST (id)",
        "CREATE TABLE s.p1 PARTITION OF s.p DEFAULT",
        "CREATE TABLE s.t (id varchar(9) PRIMARY KEY, up varchar(9) REFERENCES s.t)",
    )

    def on(table: str) -> list[Operate]:
        column = sa.Column("c", sa.String(9), sa.ForeignKey("s.r.id"))
        schemas = {"source_schema": "s", "referent_schema": "s"}
        return [
            lambda op: op.add_column_concurrently(table, column, schema="s"),
            lambda op: op.create_foreign_key_concurrently(f"{table}_fkey", table, "r", ["up"], ["id"], **schemas),
            lambda op: op.drop_constraint_concurrently(f"{table}_fkey", table, schema="s"),
            lambda op: op.alter_column_concurrently(table, "c", type_=sa.String(20), schema="s"),
            lambda op: op.alter_column_concurrently("t", "id", type_=sa.String(20), schema="s"),
            lambda op: op.drop_column_concurrently(table, "c", schema="s"),
            lambda op: op.drop_table_concurrently(table, schema="s"),
        ]

    for operate in (*on("p"), *on("t")):
        proof.run(decided_by(operate))


SCENES: Scenes = {
    scene_constraints: {
        constraints.AddForeignKey,
        constraints.AddParentKey,
        constraints.AddKeyUsingIndex,
        constraints.SetNotNull,
        constraints.AddCheck,
        constraints.ValidateConstraint,
    },
    scene_columns: {
        columns.AddColumn,
        columns.AlterColumnType,
        columns.DropColumn,
        columns.DropNotNull,
        columns.DropWholeTable,
        columns.SetDefault,
        constraints.DropConstraint,
    },
    scene_foreign_keys_to_partitions: {
        columns.AddColumn,
        columns.AlterColumnType,
        columns.DropColumn,
        columns.DropWholeTable,
        constraints.AddForeignKey,
        constraints.DropConstraint,
    },
}

LONGER: tuple[Scene, ...] = (
    scene_constraints,
    scene_columns,
    scene_foreign_keys_to_partitions,
)
