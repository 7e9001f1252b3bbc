"""The tables of versions of pg_partman that no package brings: as its documentation describes their columns."""

from __future__ import annotations

COMMON = """parent_table text PRIMARY KEY, control text NOT NULL, partition_interval text NOT NULL,
 partition_type text NOT NULL CHECK (partition_type IN ('range', 'list')), premake int NOT NULL DEFAULT 4,
 automatic_maintenance text NOT NULL DEFAULT 'on', template_table text, retention text, retention_schema text,
 retention_keep_index boolean NOT NULL DEFAULT true, retention_keep_table boolean NOT NULL DEFAULT true,
 epoch text NOT NULL DEFAULT 'none', constraint_cols text[], optimize_constraint int NOT NULL DEFAULT 30,
 infinite_time_partitions boolean NOT NULL DEFAULT false, datetime_string text, jobmon boolean NOT NULL DEFAULT true,
 sub_partition_set_full boolean NOT NULL DEFAULT false, undo_in_progress boolean NOT NULL DEFAULT false,
 inherit_privileges boolean DEFAULT false, constraint_valid boolean NOT NULL DEFAULT true,
 ignore_default_data boolean NOT NULL DEFAULT true, date_trunc_interval text"""
VERSIONS = {
    "5.1": ", default_table boolean NOT NULL DEFAULT true, maintenance_order int, "
    "retention_keep_publication boolean NOT NULL DEFAULT false, maintenance_last_run timestamptz",
    "5.6": ", time_encoder text, time_decoder text, maintenance_order int, "
    "retention_keep_publication boolean NOT NULL DEFAULT false, maintenance_last_run timestamptz, "
    "async_partitioning_in_progress text, detach_before_drop boolean NOT NULL DEFAULT false, "
    "maintenance_role text NOT NULL DEFAULT current_user, child_table_prefix text NOT NULL DEFAULT '_p'",
}
"""What each version has beyond those columns."""

SUB = """sub_parent text PRIMARY KEY REFERENCES partman.part_config (parent_table)
 ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, sub_control text NOT NULL,
 sub_partition_interval text NOT NULL, sub_partition_type text NOT NULL CHECK (sub_partition_type IN ('range', 'list')),
 sub_premake int NOT NULL DEFAULT 4, sub_automatic_maintenance text NOT NULL DEFAULT 'on', sub_template_table text,
 sub_retention text, sub_retention_schema text, sub_retention_keep_index boolean NOT NULL DEFAULT true,
 sub_retention_keep_table boolean NOT NULL DEFAULT true, sub_epoch text NOT NULL DEFAULT 'none',
 sub_constraint_cols text[], sub_optimize_constraint int NOT NULL DEFAULT 30,
 sub_infinite_time_partitions boolean NOT NULL DEFAULT false, sub_jobmon boolean NOT NULL DEFAULT true,
 sub_inherit_privileges boolean DEFAULT false, sub_constraint_valid boolean NOT NULL DEFAULT true,
 sub_ignore_default_data boolean NOT NULL DEFAULT true, sub_default_table boolean NOT NULL DEFAULT true,
 sub_date_trunc_interval text, sub_maintenance_order int,
 sub_retention_keep_publication boolean NOT NULL DEFAULT false"""
SUB_VERSIONS = {
    "5.1": "",
    "5.6": ", sub_time_encoder text, sub_time_decoder text, sub_control_not_null boolean DEFAULT true, "
    "sub_detach_before_drop boolean NOT NULL DEFAULT false, sub_maintenance_role text NOT NULL DEFAULT current_user",
}


def tables_of_5(version: str) -> tuple[str, str]:
    """What makes the two tables of 5.1 or 5.6 in the schema partman."""
    return (
        f"CREATE TABLE partman.part_config ({COMMON}{VERSIONS[version]})",
        f"CREATE TABLE partman.part_config_sub ({SUB}{SUB_VERSIONS[version]})",
    )
