"""Indexes are built, replaced, dropped; tables are analyzed."""

from __future__ import annotations

from schema_kit.names import QualifiedName
from schema_kit.ops.operation import task
from schema_kit.steps import indexes, partitions
from schema_kit.tasks.indexes import create, drop, replaced
from tests.support.lock_scenes.tables import RICH, converting, index_on
from tests.support.proof_of_locks import Proof, Scene, Scenes

TREE = (
    "CREATE SCHEMA s",
    "CREATE TABLE s.tree (id bigint, region text, at date, body text) PARTITION BY LIST (region)",
    "CREATE TABLE s.tree_a PARTITION OF s.tree FOR VALUES IN ('a') PARTITION BY RANGE (at)",
    "CREATE TABLE s.tree_a1 PARTITION OF s.tree_a FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
    "CREATE TABLE s.tree_a2 PARTITION OF s.tree_a FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
    "CREATE TABLE s.tree_b PARTITION OF s.tree FOR VALUES IN ('b')",
    "INSERT INTO s.tree SELECT i, 'a', '2026-05-05', 'b' FROM generate_series(1, 100) i",
)


def scene_index_of_a_partition_tree(proof: Proof) -> None:
    proof.database.sql(*TREE)
    tree = QualifiedName("s", "tree")
    proof.run(task(create, index_on(tree)))
    proof.run(task(drop, QualifiedName("s", "ix"), tree))


def scene_concurrent_index(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE TABLE s.one (id bigint, body text)")
    one = QualifiedName("s", "one")
    gate = "LOCK TABLE s.one IN ROW EXCLUSIVE MODE"
    proof.beside(indexes.CreateIndexConcurrently(index_on(one), "ix", one), gate)
    proof.beside(indexes.DropIndexConcurrently(QualifiedName("s", "ix"), one), gate)
    proof.steps(indexes.WaitForBuild("ix", one))


def scene_index_beside_foreign_tables(proof: Proof) -> None:
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.t (id bigint, body text) PARTITION BY RANGE (id)",
        "CREATE TABLE s.t1 PARTITION OF s.t FOR VALUES FROM (0) TO (10)",
        "CREATE EXTENSION file_fdw",
        "CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw",
        "CREATE FOREIGN TABLE s.cold PARTITION OF s.t FOR VALUES FROM (10) TO (20) SERVER nowhere "
        "OPTIONS (filename '/dev/null')",
    )
    proof.run(task(create, index_on(QualifiedName("s", "t"))))


def scene_reindex(proof: Proof) -> None:
    proof.database.sql("CREATE SCHEMA s", "CREATE TABLE s.one (id bigint, body text)", "CREATE INDEX ix ON s.one (id)")
    one = QualifiedName("s", "one")
    gate = "LOCK TABLE s.one IN ROW EXCLUSIVE MODE"
    proof.beside(indexes.ReindexConcurrently("INDEX", QualifiedName("s", "ix"), one), gate)
    proof.beside(indexes.ReindexConcurrently("TABLE", one, one), gate)


def scene_replaced_index(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE INDEX ix ON s.tree (id)", "COMMENT ON INDEX s.ix IS 'an index'")
    proof.run(task(replaced, index_on(QualifiedName("s", "tree"))))


def scene_analyze(proof: Proof) -> None:
    proof.database.sql(*TREE, "CREATE TABLE s.one (id bigint, body text)")
    proof.beside(partitions.Analyze(QualifiedName("s", "one")), "LOCK TABLE s.one IN SHARE UPDATE EXCLUSIVE MODE")


def scene_analyze_of_partitions(proof: Proof) -> None:
    proof.database.sql(*RICH)
    proof.database.run(converting("drop"))
    proof.database.sql("ALTER TABLE s.child DROP COLUMN t_id")
    table = QualifiedName("s", "t")
    leaves = [
        QualifiedName("s", row[0])
        for row in proof.database.sql(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 's.t'::regclass"
        )
    ]
    sampling = f"LOCK TABLE ONLY {leaves[0].sql} IN ACCESS EXCLUSIVE MODE"
    each = [f"LOCK TABLE ONLY {leaf.sql} IN SHARE UPDATE EXCLUSIVE MODE" for leaf in leaves]
    proof.beside(partitions.Analyze(table, tuple(leaves)), sampling, *each)
    if proof.database.sql("SHOW server_version_num") >= [("180000",)]:
        proof.beside(partitions.Analyze(table, only=True), sampling)


SCENES: Scenes = {
    scene_index_of_a_partition_tree: {indexes.CreateParentIndex, indexes.AttachIndex, indexes.DropParentIndex},
    scene_concurrent_index: {
        indexes.CreateIndexConcurrently,
        indexes.DropIndexConcurrently,
        indexes.WaitForBuild,
    },
    scene_index_beside_foreign_tables: {indexes.AdoptIndexes},
    scene_reindex: {indexes.ReindexConcurrently},
    scene_replaced_index: {indexes.CreateParentIndex, indexes.RenameIndexes, indexes.DropParentIndex},
    scene_analyze: {partitions.Analyze},
    scene_analyze_of_partitions: {partitions.Analyze},
}

LONGER: tuple[Scene, ...] = ()
