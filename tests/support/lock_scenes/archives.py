"""Archives are made, filled, given back: by partition, on another server, in files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from schema_kit.catalog import Catalog
from schema_kit.model import ArchiveFile, ArchivePolicy, KeyColumn, Partitioning
from schema_kit.names import QualifiedName
from schema_kit.sqlscripts import load
from schema_kit.steps import access_method, archives, cold, cold_columns, files, retirement
from schema_kit.steps.partitions import register_sql
from schema_kit.steps.storage import DropTables, EnsureTable
from schema_kit.storage import ARCHIVE_FILE
from schema_kit.tasks.archiving import by_partition
from tests.support.cold import LOOPBACK
from tests.support.lock_scenes.tables import IN, LEAVING, T, decided_by
from tests.support.proof_of_locks import Proof, Scene, Scenes


def scene_files(proof: Proof) -> None:
    proof.database.sql(*LEAVING)
    file = ArchiveFile("file:///x", T, 1, None, None, None, None, "copy", 0, 0, "", ())
    made = EnsureTable(ARCHIVE_FILE)
    proof.steps(
        made,
        made,
        files.RecordDue(T, T),
        files.RecordFile(file),
        files.RecordFile(file, drops=True),
        files.RecordRestored(file.url, T),
        files.ForgetFile(file.url),
    )
    own, columns = QualifiedName("s", "own"), ("id", "at", "o", "po", "word")
    of = (KeyColumn("id", "bigint"), KeyColumn("at", "timestamp with time zone"))
    loading = files.LoadFile(file.url, own, (), T, columns, "parquet")
    merging = files.MergeFile(file.url, own, T, columns, (), of, "", moved=True)
    proof.steps(loading, files.DropLoaded(own), loading, files.KeepLoaded(own), merging)
    proof.steps(replace(loading, form="copy"), replace(merging, key=(), within="t.at >= '2026-01-01'", moved=False))
    parts = QualifiedName("s", "parts")
    proof.database.sql("CREATE TABLE s.parts (id bigint PRIMARY KEY, at date) PARTITION BY LIST (id)")
    proof.database.sql("CREATE TABLE s.parts1 PARTITION OF s.parts FOR VALUES IN (1)")
    proof.database.sql("CREATE TABLE s.own (LIKE s.parts)")
    proof.steps(files.AttachLoaded(parts, own, "FOR VALUES IN ('2', '3')"))


def scene_archives(proof: Proof) -> None:
    proof.database.sql(
        "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
        *LEAVING,
        *load("partman/tables/part_config.sql"),
        register_sql(Partitioning(T, "at", "1 mon")),
        "CREATE TABLE s.tn PARTITION OF s.t FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    policy = ArchivePolicy(T, QualifiedName("s", "t_archive"), "2 months", "partition")
    later = Catalog(proof.database.sqlalchemy(), datetime(2026, 5, 20, tzinfo=UTC))
    named: tuple[dict[str, str], ...] = ({}, {"view": "every"})
    for view in named:
        proof.run(decided_by(partial(_made, view)))
        proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s")))
        proof.run(lambda _: by_partition(later, policy))
        count = "SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t_archive'::regclass"
        assert proof.database.sql(count) == [(2,)]
        proof.run(decided_by(lambda op: op.drop_archive_policy("t", schema="s")))
        proof.run(decided_by(partial(_dropped, view)))
        for name, ends in IN.items():
            proof.database.sql(f"CREATE TABLE s.{name} PARTITION OF s.t FOR VALUES FROM ('{ends[0]}') TO ('{ends[1]}')")
    proof.run(decided_by(partial(_made, {"view": "every"})))
    proof.database.sql("ALTER TABLE s.t ADD more varchar(9) DEFAULT '3'")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", view="every")))
    proof.run(decided_by(lambda op: op.alter_column_concurrently("t", "more", schema="s", type_=sa.Text())))
    proof.run(decided_by(lambda op: op.drop_column_concurrently("t", "more", schema="s")))
    proof.run(decided_by(lambda op: op.drop_column_concurrently("t_archive", "more", schema="s")))
    proof.database.sql("CREATE POLICY mine ON s.t USING (true)", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY")
    proof.database.sql("CREATE POLICY yours ON s.t_archive USING (true)", "GRANT SELECT ON s.t_archive TO pg_monitor")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", access=True)))
    proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s")))
    proof.steps(
        access_method.ChangeAccessMethod(QualifiedName("s", "t1"), "heap2", ("id", "at")),
        archives.ForgetMove(QualifiedName("s", "t1"), "a test"),
        retirement.FindRetired(QualifiedName("s", "t")),
        archives.KeepRestored(T, "true"),
        archives.ForgetRestored(T),
    )


def scene_cold(proof: Proof) -> None:
    proof.database.sql(*LEAVING, *LOOPBACK, *load("partman/tables/part_config.sql"))
    proof.database.sql(
        register_sql(Partitioning(T, "at", "1 mon")),
        "ALTER TABLE s.t DROP CONSTRAINT t_o_fkey, DROP CONSTRAINT t_po_fkey",  # they stay behind
        "CREATE TABLE s.tn PARTITION OF s.t FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')",
    )
    archive = QualifiedName("s", "t_archive")
    policy = ArchivePolicy(T, archive, "2 months", "partition", cold_after="3 months")
    proof.run(decided_by(partial(_made, {"view": "every"})))
    proof.run(
        decided_by(lambda op: op.create_cold_archive("t", "cold", schema="s", remote_schema="there", view="every"))
    )
    proof.run(decided_by(lambda op: op.set_archive_policy("t", "2 months", schema="s", cold_after="3 months")))
    later = Catalog(proof.database.sqlalchemy(), datetime(2026, 6, 20, tzinfo=UTC))
    proof.run(lambda _: by_partition(later, policy))
    assert proof.database.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 's.t_cold'::regclass") == [(1,)]
    proof.database.sql("ALTER TABLE s.t ADD later int DEFAULT 1")
    proof.run(decided_by(lambda op: op.repair_archive_table("t", schema="s", view="every")))
    proof.run(decided_by(lambda op: op.restore_archive_table("t", schema="s")))
    proof.run(decided_by(lambda op: op.drop_cold_archive("t", schema="s")))
    proof.run(decided_by(partial(_dropped, {"view": "every"})))


def _made(view: dict[str, str], op: Any) -> None:
    op.create_archive_table("t", schema="s", **view)


def _dropped(view: dict[str, str], op: Any) -> None:
    op.drop_archive_table("t", schema="s", **view)


SCENES: Scenes = {
    scene_cold: {
        EnsureTable,
        archives.CreateArchiveView,
        cold.CreateColdArchive,
        cold.PrepareCold,
        cold.CopyToCold,
        cold.SwapToCold,
        cold.CopyFromCold,
        cold.SwapFromCold,
        cold.DropCopy,
        cold_columns.AddColumnThere,
        cold_columns.AddColumnsHere,
        cold.DropColdArchive,
    },
    scene_archives: {
        EnsureTable,
        access_method.ChangeAccessMethod,
        archives.CreateArchiveTable,
        archives.CreateArchiveView,
        DropTables,
        archives.DropArchiveTable,
        archives.GiveArchiveAccess,
        archives.RegisterArchivePolicy,
        archives.UnregisterArchivePolicy,
        archives.RecordMove,
        archives.AttachMoved,
        archives.MovePartitionAcross,
        archives.ForgetMove,
        retirement.FindRetired,
        archives.KeepRestored,
        archives.ForgetRestored,
    },
    scene_files: {
        files.AttachLoaded,
        EnsureTable,
        files.DropLoaded,
        files.KeepLoaded,
        files.LoadFile,
        files.MergeFile,
        files.RecordDue,
        files.RecordFile,
        files.RecordRestored,
        files.ForgetFile,
    },
}

LONGER: tuple[Scene, ...] = (scene_archives,)
