"""Rows are updated in batches, and leave."""

from __future__ import annotations

from schema_kit.model import ForeignKey, KeyColumn, TimeToLive
from schema_kit.names import QualifiedName
from schema_kit.plans.batches import update_in_batches
from schema_kit.steps import batches, rows
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import TTL_POLICY
from tests.support.lock_scenes.tables import RICH, T
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_update_in_batches(proof: Proof) -> None:
    proof.database.sql(*RICH)
    change = batches.Change(T, (("body", "body || '!'"),))
    batch = batches.UpdateBatch("run", change, (), 0.5, None, None)
    proof.run(lambda catalog: update_in_batches(batch, 30, catalog.batch_target(T, "run")))
    proof.steps(batches.UpdateAtOnce(change), batches.FindBatches("run", "1:2"))


def scene_rows_leave(proof: Proof) -> None:
    proof.database.sql(
        *RICH, "CREATE TABLE s.kept (LIKE s.t)", "CREATE TABLE s.note (t bigint)", "CREATE INDEX ON s.note (t)"
    )
    key = ForeignKey("note_fkey", QualifiedName("s", "note"), ("t",), T, ("id",), "", on_delete="c")
    of = (KeyColumn("id", "bigint"),)
    due, kept = rows.Due(T, "id < 10", of), T.sibling("kept")
    columns = tuple(
        row[0]
        for row in proof.database.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 's.t'::regclass AND attnum > 0"
        )
    )
    proof.steps(
        rows.RemoveRows(key.table, False, (), due, (key,)),
        rows.RemoveRows(T, False, of, due, (), (key,), archive=rows.Archive(kept, columns)),
        rows.RemoveRows(kept, False, (), rows.Due(kept, "true", ()), archive=rows.Archive(T, columns, None, True, of)),
        EnsureTable(TTL_POLICY),
        rows.RegisterTtl(TimeToLive(T, "created_at", "90 days")),
        rows.UnregisterTtl(T),
        DropTables((TTL_POLICY,)),
    )


SCENES: Scenes = {
    scene_update_in_batches: {
        EnsureTable,
        batches.StartBatches,
        batches.FindBatches,
        batches.UpdateBatch,
        batches.EndPass,
        batches.UpdateAtOnce,
    },
    scene_rows_leave: {
        rows.RemoveRows,
        EnsureTable,
        rows.RegisterTtl,
        rows.UnregisterTtl,
        DropTables,
    },
}

LONGER: tuple[Scene, ...] = ()
