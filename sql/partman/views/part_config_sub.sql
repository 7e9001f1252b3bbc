-- How sub-partitions are made, under pg_partman's name, its names of tables without quotes.
CREATE OR REPLACE VIEW @partman@.part_config_sub AS
SELECT CASE WHEN strpos(c.sub_parent, '"') = 0 THEN c.sub_parent ELSE @partman@._shown(c.sub_parent) END AS sub_parent,
       c.sub_control, c.sub_time_encoder, c.sub_time_decoder, c.sub_partition_interval, c.sub_partition_type,
       c.sub_premake, c.sub_automatic_maintenance, @partman@._shown(c.sub_template_table) AS sub_template_table, c.sub_retention,
       c.sub_retention_schema, c.sub_retention_keep_index, c.sub_retention_keep_table, c.sub_epoch,
       c.sub_constraint_cols, c.sub_optimize_constraint, c.sub_infinite_time_partitions, c.sub_jobmon,
       c.sub_inherit_privileges, c.sub_constraint_valid, c.sub_ignore_default_data, c.sub_default_table,
       c.sub_date_trunc_interval, c.sub_maintenance_order, c.sub_retention_keep_publication,
       c.sub_control_not_null
FROM @schema@.part_config_sub c;

ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_partition_type SET DEFAULT 'range';
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_premake SET DEFAULT 4;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_automatic_maintenance SET DEFAULT 'on';
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_retention_keep_index SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_retention_keep_table SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_epoch SET DEFAULT 'none';
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_optimize_constraint SET DEFAULT 30;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_infinite_time_partitions SET DEFAULT false;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_jobmon SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_inherit_privileges SET DEFAULT false;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_constraint_valid SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_ignore_default_data SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_default_table SET DEFAULT true;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_retention_keep_publication SET DEFAULT false;
ALTER VIEW @partman@.part_config_sub ALTER COLUMN sub_control_not_null SET DEFAULT true;

CREATE OR REPLACE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON @partman@.part_config_sub
    FOR EACH ROW EXECUTE FUNCTION @partman@._write_part_config_sub();

DO $do$ BEGIN -- readers need the right to read the table: the view lends its owner's to nobody
    IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 150000 THEN
        EXECUTE 'ALTER VIEW ' OPERATOR(pg_catalog.||) $name$@partman@.part_config_sub$name$
                OPERATOR(pg_catalog.||) ' SET (security_invoker = true)';
    END IF;
END $do$;
