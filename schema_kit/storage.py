"""schema_kit's own tables: where they live, and what they are called."""

from schema_kit.names import QualifiedName

CONFIG_SCHEMA = "schema_kit"
"""Where part_config and created_object live."""

ARCHIVE_FILE = QualifiedName(CONFIG_SCHEMA, "archive_file")
ARCHIVE_FILE_DUE = QualifiedName(CONFIG_SCHEMA, "archive_file_due")
ARCHIVE_POLICY = QualifiedName(CONFIG_SCHEMA, "archive_policy")
ARCHIVED_PARTITION = QualifiedName(CONFIG_SCHEMA, "archived_partition")
BATCH_PROGRESS = QualifiedName(CONFIG_SCHEMA, "batch_progress")
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
