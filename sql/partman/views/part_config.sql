-- The policies of schema_kit under pg_partman's name, its names of tables without quotes, its columns in its order.
CREATE OR REPLACE VIEW @partman@.part_config AS
SELECT CASE WHEN strpos(c.parent_table, '"') = 0 THEN c.parent_table ELSE @partman@._shown(c.parent_table) END AS parent_table,
       c.control, c.time_encoder, c.time_decoder, c.partition_interval, c.partition_type, c.premake,
       c.automatic_maintenance, @partman@._shown(c.template_table) AS template_table, c.retention, c.retention_schema, c.retention_keep_index,
       c.retention_keep_table, c.epoch, c.constraint_cols, c.optimize_constraint, c.infinite_time_partitions,
       c.datetime_string, c.jobmon, c.sub_partition_set_full, c.undo_in_progress, c.inherit_privileges,
       c.constraint_valid, c.ignore_default_data, c.default_table, c.date_trunc_interval, c.maintenance_order,
       c.retention_keep_publication, c.maintenance_last_run, c.timezone, c.origin, c.encoding, c.retention_grace,
       c.detach, c.async_partitioning_in_progress
FROM @schema@.part_config c;

ALTER VIEW @partman@.part_config ALTER COLUMN partition_type SET DEFAULT 'range';
ALTER VIEW @partman@.part_config ALTER COLUMN premake SET DEFAULT 4;
ALTER VIEW @partman@.part_config ALTER COLUMN automatic_maintenance SET DEFAULT 'on';
ALTER VIEW @partman@.part_config ALTER COLUMN retention_keep_index SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN retention_keep_table SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN epoch SET DEFAULT 'none';
ALTER VIEW @partman@.part_config ALTER COLUMN optimize_constraint SET DEFAULT 30;
ALTER VIEW @partman@.part_config ALTER COLUMN infinite_time_partitions SET DEFAULT false;
ALTER VIEW @partman@.part_config ALTER COLUMN jobmon SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN sub_partition_set_full SET DEFAULT false;
ALTER VIEW @partman@.part_config ALTER COLUMN undo_in_progress SET DEFAULT false;
ALTER VIEW @partman@.part_config ALTER COLUMN inherit_privileges SET DEFAULT false;
ALTER VIEW @partman@.part_config ALTER COLUMN constraint_valid SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN ignore_default_data SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN default_table SET DEFAULT true;
ALTER VIEW @partman@.part_config ALTER COLUMN retention_keep_publication SET DEFAULT false;
ALTER VIEW @partman@.part_config ALTER COLUMN timezone SET DEFAULT pg_catalog.current_setting('TimeZone');
ALTER VIEW @partman@.part_config ALTER COLUMN retention_grace SET DEFAULT '0';
ALTER VIEW @partman@.part_config ALTER COLUMN detach SET DEFAULT 'auto';

CREATE OR REPLACE TRIGGER write INSTEAD OF INSERT OR UPDATE OR DELETE ON @partman@.part_config
    FOR EACH ROW EXECUTE FUNCTION @partman@._write_part_config();

DO $do$ BEGIN -- readers need the right to read the table: the view lends its owner's to nobody
    IF pg_catalog.current_setting('server_version_num')::pg_catalog.int4 OPERATOR(pg_catalog.>=) 150000 THEN
        EXECUTE 'ALTER VIEW ' OPERATOR(pg_catalog.||) $name$@partman@.part_config$name$
                OPERATOR(pg_catalog.||) ' SET (security_invoker = true)';
    END IF;
END $do$;
