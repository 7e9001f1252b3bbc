-- How the partitions of a set that are sub-partitioned are: one row where all are alike.
CREATE OR REPLACE FUNCTION @partman@.check_subpart_sameconfig(p_parent_table text)
RETURNS TABLE (
    sub_control text, sub_partition_interval text, sub_partition_type text, sub_premake integer,
    sub_automatic_maintenance text, sub_template_table text, sub_retention text, sub_retention_schema text,
    sub_retention_keep_index boolean, sub_retention_keep_table boolean, sub_epoch text, sub_constraint_cols text[],
    sub_optimize_constraint integer, sub_infinite_time_partitions boolean, sub_jobmon boolean,
    sub_inherit_privileges boolean, sub_constraint_valid boolean, sub_date_trunc_interval text,
    sub_ignore_default_data boolean, sub_default_table boolean, sub_maintenance_order integer,
    sub_retention_keep_publication boolean)
LANGUAGE sql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT DISTINCT c.sub_control, c.sub_partition_interval, c.sub_partition_type, c.sub_premake,
           c.sub_automatic_maintenance, c.sub_template_table, c.sub_retention, c.sub_retention_schema,
           c.sub_retention_keep_index, c.sub_retention_keep_table, c.sub_epoch, c.sub_constraint_cols,
           c.sub_optimize_constraint, c.sub_infinite_time_partitions, c.sub_jobmon, c.sub_inherit_privileges,
           c.sub_constraint_valid, c.sub_date_trunc_interval, c.sub_ignore_default_data, c.sub_default_table,
           c.sub_maintenance_order, c.sub_retention_keep_publication
    FROM @schema@.part_config_sub c JOIN pg_inherits i ON i.inhrelid = @partman@._oid(c.sub_parent)
    WHERE i.inhparent = @partman@._oid(p_parent_table)
$body$;
