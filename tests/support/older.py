"""schema_kit's own tables as earlier versions made them."""

from __future__ import annotations

from schema_kit.names import QualifiedName
from schema_kit.storage import (
    ARCHIVE_FILE,
    ARCHIVE_POLICY,
    BATCH_PROGRESS,
    COLD_ARCHIVE,
    COPY_RUN,
    HEALTH_SNAPSHOT,
    PART_CONFIG,
    RETIRED_PARTITION,
)

OLDER: dict[QualifiedName, tuple[str, ...]] = {
    ARCHIVE_FILE: (
        "ALTER TABLE schema_kit.archive_file_due DROP CONSTRAINT archive_file_due_pkey, ADD table_oid oid PRIMARY KEY",
    ),
    ARCHIVE_POLICY: (
        "ALTER TABLE schema_kit.archive_policy DROP COLUMN restored",
        "ALTER TABLE schema_kit.archived_partition DROP CONSTRAINT archived_partition_pkey, "
        "ADD partition_oid oid PRIMARY KEY",
    ),
    BATCH_PROGRESS: ("ALTER TABLE schema_kit.batch_progress DROP COLUMN record_oid, DROP COLUMN stays",),
    COLD_ARCHIVE: ("ALTER TABLE schema_kit.cold_partition DROP COLUMN summed, DROP COLUMN own",),
    COPY_RUN: ("ALTER TABLE schema_kit.copy_run DROP COLUMN fed, DROP COLUMN returned_at",),
    HEALTH_SNAPSHOT: (
        "ALTER TABLE schema_kit.health_snapshot DROP COLUMN sizes, DROP COLUMN activity, DROP COLUMN statements",
    ),
    PART_CONFIG: ("ALTER TABLE schema_kit.part_config DROP COLUMN detach, DROP COLUMN origin",),
    RETIRED_PARTITION: (
        "ALTER TABLE schema_kit.retired_partition DROP CONSTRAINT retired_partition_pkey, DROP COLUMN record_oid, "
        "ADD PRIMARY KEY (partition_oid)",
    ),
}
"""What makes a table of this version one of them."""
