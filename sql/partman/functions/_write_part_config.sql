-- What is written to the view part_config goes to the table: names as schema_kit spells them.
CREATE OR REPLACE FUNCTION @partman@._write_part_config() RETURNS trigger
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM @schema@.part_config WHERE parent_table IN (OLD.parent_table, @partman@._stored(OLD.parent_table));
        RETURN OLD;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE @schema@.part_config SET
                parent_table = CASE WHEN NEW.parent_table = OLD.parent_table THEN parent_table
                    ELSE @partman@._stored(NEW.parent_table) END,
                control = NEW.control, time_encoder = NEW.time_encoder, time_decoder = NEW.time_decoder,
                partition_interval = NEW.partition_interval, partition_type = NEW.partition_type, premake =
                NEW.premake, automatic_maintenance = NEW.automatic_maintenance, template_table = NEW.template_table,
                retention = NEW.retention, retention_schema = NEW.retention_schema, retention_keep_index =
                NEW.retention_keep_index, retention_keep_table = NEW.retention_keep_table, epoch = NEW.epoch,
                constraint_cols = NEW.constraint_cols, optimize_constraint = NEW.optimize_constraint,
                infinite_time_partitions = NEW.infinite_time_partitions, datetime_string = NEW.datetime_string,
                jobmon = NEW.jobmon, sub_partition_set_full = NEW.sub_partition_set_full, undo_in_progress =
                NEW.undo_in_progress, inherit_privileges = NEW.inherit_privileges, constraint_valid =
                NEW.constraint_valid, ignore_default_data = NEW.ignore_default_data, default_table =
                NEW.default_table, date_trunc_interval = NEW.date_trunc_interval, maintenance_order =
                NEW.maintenance_order, retention_keep_publication = NEW.retention_keep_publication,
                maintenance_last_run = NEW.maintenance_last_run, timezone = NEW.timezone, origin = NEW.origin,
                encoding = NEW.encoding, retention_grace = NEW.retention_grace, detach = NEW.detach,
                async_partitioning_in_progress = NEW.async_partitioning_in_progress
        WHERE parent_table IN (OLD.parent_table, @partman@._stored(OLD.parent_table));
        RETURN NEW;
    END IF;
    INSERT INTO @schema@.part_config
                (parent_table, control, time_encoder, time_decoder, partition_interval, partition_type, premake,
                automatic_maintenance, template_table, retention, retention_schema, retention_keep_index,
                retention_keep_table, epoch, constraint_cols, optimize_constraint, infinite_time_partitions,
                datetime_string, jobmon, sub_partition_set_full, undo_in_progress, inherit_privileges,
                constraint_valid, ignore_default_data, default_table, date_trunc_interval, maintenance_order,
                retention_keep_publication, maintenance_last_run, timezone, origin, encoding, retention_grace,
                detach, async_partitioning_in_progress)
        VALUES (@partman@._stored(NEW.parent_table),
                NEW.control, NEW.time_encoder, NEW.time_decoder, NEW.partition_interval, NEW.partition_type,
                NEW.premake, NEW.automatic_maintenance, NEW.template_table, NEW.retention, NEW.retention_schema,
                NEW.retention_keep_index, NEW.retention_keep_table, NEW.epoch, NEW.constraint_cols,
                NEW.optimize_constraint, NEW.infinite_time_partitions, NEW.datetime_string, NEW.jobmon,
                NEW.sub_partition_set_full, NEW.undo_in_progress, NEW.inherit_privileges, NEW.constraint_valid,
                NEW.ignore_default_data, NEW.default_table, NEW.date_trunc_interval, NEW.maintenance_order,
                NEW.retention_keep_publication, NEW.maintenance_last_run, NEW.timezone, NEW.origin, NEW.encoding,
                NEW.retention_grace, NEW.detach, NEW.async_partitioning_in_progress);
    RETURN NEW;
END
$body$;
