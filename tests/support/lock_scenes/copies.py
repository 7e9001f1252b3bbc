"""Rows are copied: a default partition drained, a partition split, a table converted, and its rollback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from schema_kit import execute
from schema_kit.catalog import Catalog
from schema_kit.execute import Event, StepStarted
from schema_kit.model import Partitioning
from schema_kit.names import QualifiedName
from schema_kit.plans.conversion import IncomingForeignKeys
from schema_kit.plans.copying import abandon
from schema_kit.steps import (
    Plan,
    Step,
    conversion,
    copied_table,
    copy_changes,
    copy_chunks,
    copy_swap,
    copying,
    rollback,
)
from schema_kit.steps.storage import EnsureTable
from schema_kit.tasks.conversion import Convert, give_up, roll_back
from schema_kit.tasks.copying import drain, split
from tests.support.database import QUICK
from tests.support.lock_scenes.conversion import PUBLISHED
from tests.support.lock_scenes.tables import POLICY, RICH, T
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_published_and_copied(proof: Proof) -> None:
    proof.database.sql(*PUBLISHED)
    proof.run(Convert(POLICY, "refuse", "copy", keep_old="fed").plan)
    proof.run(lambda catalog: roll_back(catalog, T))


def scene_copies(proof: Proof) -> None:
    parent = QualifiedName("s", "t")
    proof.database.sql(
        "CREATE SCHEMA s",
        "CREATE TABLE s.place (id bigint PRIMARY KEY)",
        "CREATE TABLE s.t (id bigint, at timestamptz, body text, place_id bigint REFERENCES s.place, "
        "PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE INDEX ON s.t (body)",
        "CREATE TABLE s.t_default PARTITION OF s.t DEFAULT",
        "CREATE TABLE s.t_old PARTITION OF s.t FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2025-04-01 00:00+00')",
        "CREATE TABLE s.child (t_id bigint, t_at timestamptz, FOREIGN KEY (t_id, t_at) REFERENCES s.t)",
        "INSERT INTO s.t SELECT i, timestamptz '2026-01-01 00:00+00' + i * interval '1 day' "
        "FROM generate_series(1, 99) i",
    )
    policy = Partitioning(parent, "at", "1 mon")

    def until(kind: type[Step]) -> None:
        class StopError(Exception):
            pass

        def stop(event: Event) -> None:
            if isinstance(event, StepStarted) and isinstance(event.step, kind):
                raise StopError

        connection = proof.database.sqlalchemy()
        with pytest.raises(StopError):
            execute.run(connection, lambda: drain(Catalog(connection), policy), QUICK, stop)

    until(copy_changes.ReplayKeys)
    default = QualifiedName("s", "t_default")
    proof.run(lambda catalog: abandon(default, catalog.copying(default, catalog.table(parent), policy, "drain")))
    proof.database.sql("DROP SCHEMA schema_kit CASCADE")
    proof.run(lambda catalog: drain(catalog, policy))
    proof.run(lambda catalog: split(catalog, policy, QualifiedName("s", "t_old")))
    target = QualifiedName("s", "t_p20260101")
    proof.beside(copy_chunks.AnalyzeTarget(target), "LOCK TABLE s.t_p20260101 IN SHARE UPDATE EXCLUSIVE MODE")


def scene_a_copied_table(proof: Proof) -> None:
    proof.database.sql(*RICH)

    def by_copy(how: IncomingForeignKeys) -> Callable[[Catalog], Plan]:
        return Convert(POLICY, how, "copy").plan

    proof.run(by_copy("composite"))
    proof.database.sql("DROP SCHEMA s CASCADE", "TRUNCATE schema_kit.copy_run CASCADE", *RICH)
    proof.run(by_copy("drop"))


def scene_a_way_back(proof: Proof) -> None:
    proof.database.sql(*RICH)
    feed = Convert(POLICY, "composite", "copy", keep_old="fed")

    def forward() -> None:
        connection = proof.database.sqlalchemy()
        execute.run(connection, lambda: feed.plan(Catalog(connection)), QUICK, lambda _: None)
        feed.keep_old = True

    forward()
    proof.run(lambda catalog: roll_back(catalog, T))
    assert proof.database.sql("SELECT relkind FROM pg_class WHERE oid = 's.t'::regclass") == [("r",)]
    forward()

    def begin(catalog: Catalog) -> Plan:
        plan = roll_back(catalog, T)
        return replace(plan, steps=plan.steps[:1] if isinstance(plan.steps[0], rollback.BeginReturn) else ())

    proof.run(begin)
    proof.run(lambda catalog: give_up(catalog, T))  # was not fed before
    proof.run(begin)
    proof.database.sql("ALTER TABLE s.t DISABLE TRIGGER schema_kit_copy_back")
    proof.run(begin)
    proof.database.sql("UPDATE schema_kit.copy_run SET fed = true")
    proof.run(lambda catalog: give_up(catalog, T))


SCENES: Scenes = {
    scene_a_way_back: {
        rollback.BeginReturn,
        rollback.StopFeeding,
        rollback.StayPartitioned,
        rollback.SettleReturn,
        rollback.SwapBack,
        rollback.EndReturn,
    },
    scene_a_copied_table: {copied_table.SwapTable, conversion.BuildParent},
    scene_copies: {
        EnsureTable,
        copying.BeginCopy,
        copying.AbandonCopy,
        copy_chunks.CutChunks,
        copy_chunks.CopyChunk,
        copy_changes.ReplayKeys,
        copy_chunks.BuildIndexes,
        copy_chunks.AnalyzeTarget,
        copy_changes.VerifyCopy,
        copy_swap.Settle,
        copy_swap.SwapCopy,
        copy_swap.DropCopied,
    },
    scene_published_and_copied: {copied_table.SwapTable, rollback.SwapBack},
}

LONGER: tuple[Scene, ...] = (
    scene_a_way_back,
    scene_a_copied_table,
    scene_copies,
)
