-- What is written to the view part_config_sub goes to the table: names as schema_kit spells them.
CREATE OR REPLACE FUNCTION @partman@._write_part_config_sub() RETURNS trigger
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM @schema@.part_config_sub WHERE sub_parent IN (OLD.sub_parent, @partman@._stored(OLD.sub_parent));
        RETURN OLD;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE @schema@.part_config_sub SET
                sub_parent = CASE WHEN NEW.sub_parent = OLD.sub_parent THEN sub_parent
                    ELSE @partman@._stored(NEW.sub_parent) END,
                sub_control = NEW.sub_control, sub_time_encoder = NEW.sub_time_encoder, sub_time_decoder =
                NEW.sub_time_decoder, sub_partition_interval = NEW.sub_partition_interval, sub_partition_type =
                NEW.sub_partition_type, sub_premake = NEW.sub_premake, sub_automatic_maintenance =
                NEW.sub_automatic_maintenance, sub_template_table = NEW.sub_template_table, sub_retention =
                NEW.sub_retention, sub_retention_schema = NEW.sub_retention_schema, sub_retention_keep_index =
                NEW.sub_retention_keep_index, sub_retention_keep_table = NEW.sub_retention_keep_table, sub_epoch =
                NEW.sub_epoch, sub_constraint_cols = NEW.sub_constraint_cols, sub_optimize_constraint =
                NEW.sub_optimize_constraint, sub_infinite_time_partitions = NEW.sub_infinite_time_partitions,
                sub_jobmon = NEW.sub_jobmon, sub_inherit_privileges = NEW.sub_inherit_privileges,
                sub_constraint_valid = NEW.sub_constraint_valid, sub_ignore_default_data =
                NEW.sub_ignore_default_data, sub_default_table = NEW.sub_default_table, sub_date_trunc_interval =
                NEW.sub_date_trunc_interval, sub_maintenance_order = NEW.sub_maintenance_order,
                sub_retention_keep_publication = NEW.sub_retention_keep_publication, sub_control_not_null =
                NEW.sub_control_not_null
        WHERE sub_parent IN (OLD.sub_parent, @partman@._stored(OLD.sub_parent));
        RETURN NEW;
    END IF;
    INSERT INTO @schema@.part_config_sub
                (sub_parent, sub_control, sub_time_encoder, sub_time_decoder, sub_partition_interval, sub_partition_type,
                sub_premake, sub_automatic_maintenance, sub_template_table, sub_retention, sub_retention_schema,
                sub_retention_keep_index, sub_retention_keep_table, sub_epoch, sub_constraint_cols,
                sub_optimize_constraint, sub_infinite_time_partitions, sub_jobmon, sub_inherit_privileges,
                sub_constraint_valid, sub_ignore_default_data, sub_default_table, sub_date_trunc_interval,
                sub_maintenance_order, sub_retention_keep_publication, sub_control_not_null)
        VALUES (@partman@._stored(NEW.sub_parent),
                NEW.sub_control, NEW.sub_time_encoder, NEW.sub_time_decoder, NEW.sub_partition_interval,
                NEW.sub_partition_type, NEW.sub_premake, NEW.sub_automatic_maintenance, NEW.sub_template_table,
                NEW.sub_retention, NEW.sub_retention_schema, NEW.sub_retention_keep_index,
                NEW.sub_retention_keep_table, NEW.sub_epoch, NEW.sub_constraint_cols, NEW.sub_optimize_constraint,
                NEW.sub_infinite_time_partitions, NEW.sub_jobmon, NEW.sub_inherit_privileges,
                NEW.sub_constraint_valid, NEW.sub_ignore_default_data, NEW.sub_default_table,
                NEW.sub_date_trunc_interval, NEW.sub_maintenance_order, NEW.sub_retention_keep_publication,
                NEW.sub_control_not_null);
    RETURN NEW;
END
$body$;
