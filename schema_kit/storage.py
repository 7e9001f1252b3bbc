"""schema_kit's own tables: where they live, and what they are called."""

from collections.abc import Mapping

from schema_kit.names import QualifiedName

CONFIG_SCHEMA = "schema_kit"
"""Where part_config and created_object live."""

ARCHIVE_FILE = QualifiedName(CONFIG_SCHEMA, "archive_file")
ARCHIVE_FILE_DUE = QualifiedName(CONFIG_SCHEMA, "archive_file_due")
ARCHIVE_POLICY = QualifiedName(CONFIG_SCHEMA, "archive_policy")
ARCHIVED_PARTITION = QualifiedName(CONFIG_SCHEMA, "archived_partition")
BATCH_PROGRESS = QualifiedName(CONFIG_SCHEMA, "batch_progress")
COLD_ARCHIVE = QualifiedName(CONFIG_SCHEMA, "cold_archive")
COLD_PARTITION = QualifiedName(CONFIG_SCHEMA, "cold_partition")
COPY_CHUNK = QualifiedName(CONFIG_SCHEMA, "copy_chunk")
COPY_RUN = QualifiedName(CONFIG_SCHEMA, "copy_run")
COPY_TARGET = QualifiedName(CONFIG_SCHEMA, "copy_target")
CREATED_OBJECT = QualifiedName(CONFIG_SCHEMA, "created_object")
HEALTH_IGNORED = QualifiedName(CONFIG_SCHEMA, "health_ignored")
HEALTH_SNAPSHOT = QualifiedName(CONFIG_SCHEMA, "health_snapshot")
PART_CONFIG = QualifiedName(CONFIG_SCHEMA, "part_config")
PART_CONFIG_SUB = QualifiedName(CONFIG_SCHEMA, "part_config_sub")
"""How sub-partitions are made, of pg_partman's functions in SQL; it refers to part_config: both are empty together."""
RETIRED_PARTITION = QualifiedName(CONFIG_SCHEMA, "retired_partition")
TTL_POLICY = QualifiedName(CONFIG_SCHEMA, "ttl_policy")

SCRIPTS: Mapping[QualifiedName, str] = {
    ARCHIVE_FILE: "tables/archive_file.sql",
    ARCHIVE_POLICY: "tables/archive_policy.sql",
    BATCH_PROGRESS: "tables/batch_progress.sql",
    COLD_ARCHIVE: "tables/cold_archive.sql",
    COPY_RUN: "tables/copy_run.sql",
    CREATED_OBJECT: "tables/created_object.sql",
    HEALTH_IGNORED: "tables/health_ignored.sql",
    HEALTH_SNAPSHOT: "tables/health_snapshot.sql",
    PART_CONFIG: "partman/tables/part_config.sql",
    RETIRED_PARTITION: "tables/retired_partition.sql",
    TTL_POLICY: "tables/ttl_policy.sql",
}
"""The file below sql/ that makes a table, with those that belong to it, or brings it up to date."""

ALTERED: Mapping[QualifiedName, tuple[QualifiedName, ...]] = {
    ARCHIVE_FILE: (ARCHIVE_FILE_DUE,),
    ARCHIVE_POLICY: (ARCHIVE_POLICY, ARCHIVED_PARTITION),
    BATCH_PROGRESS: (BATCH_PROGRESS,),
    COLD_ARCHIVE: (COLD_PARTITION,),
    COPY_RUN: (COPY_RUN,),
    HEALTH_SNAPSHOT: (HEALTH_SNAPSHOT,),
    PART_CONFIG: (PART_CONFIG,),
    RETIRED_PARTITION: (RETIRED_PARTITION,),
}
"""Those that its file alters where they are of an older version."""
