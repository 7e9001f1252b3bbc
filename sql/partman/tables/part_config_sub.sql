-- What the sub-partitions of a set are made by, and the columns of part_config that only the functions in SQL use.
-- @schema@ stands for the schema it is installed in; part_config.sql comes before.

ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS maintenance_order integer;
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS retention_keep_publication boolean NOT NULL DEFAULT false;
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS default_table boolean NOT NULL DEFAULT true;
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS async_partitioning_in_progress text;

CREATE TABLE IF NOT EXISTS @schema@.part_config_sub (
    sub_parent                     text    NOT NULL PRIMARY KEY REFERENCES @schema@.part_config (parent_table)
        ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    sub_control                    text    NOT NULL,
    sub_time_encoder               text,
    sub_time_decoder               text,
    sub_partition_interval         text    NOT NULL,
    sub_partition_type             text    NOT NULL CHECK (sub_partition_type IN ('range', 'list')),
    sub_premake                    integer NOT NULL DEFAULT 4 CHECK (sub_premake > 0),
    sub_automatic_maintenance      text    NOT NULL DEFAULT 'on' CHECK (sub_automatic_maintenance IN ('on', 'off')),
    sub_template_table             text,
    sub_retention                  text,
    sub_retention_schema           text    CHECK (sub_retention_schema <> ''),
    sub_retention_keep_index       boolean NOT NULL DEFAULT true,
    sub_retention_keep_table       boolean NOT NULL DEFAULT true,
    sub_epoch                      text    NOT NULL DEFAULT 'none'
        CHECK (sub_epoch IN ('none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds')),
    sub_constraint_cols            text[],
    sub_optimize_constraint        integer NOT NULL DEFAULT 30,
    sub_infinite_time_partitions   boolean NOT NULL DEFAULT false,
    sub_jobmon                     boolean NOT NULL DEFAULT true,
    sub_inherit_privileges         boolean NOT NULL DEFAULT false,
    sub_constraint_valid           boolean NOT NULL DEFAULT true,
    sub_ignore_default_data        boolean NOT NULL DEFAULT true,
    sub_default_table              boolean NOT NULL DEFAULT true,
    sub_date_trunc_interval        text,
    sub_maintenance_order          integer,
    sub_retention_keep_publication boolean NOT NULL DEFAULT false,
    sub_control_not_null           boolean NOT NULL DEFAULT true,
    CONSTRAINT control_constraint_col_chk CHECK ((sub_constraint_cols @> ARRAY[sub_control]) <> true)
);

DO $do$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conname = 'control_constraint_col_chk'
                   AND conrelid = $name$@schema@.part_config$name$::pg_catalog.regclass::pg_catalog.oid) THEN
        ALTER TABLE @schema@.part_config
            ADD CONSTRAINT control_constraint_col_chk CHECK ((constraint_cols @> ARRAY[control]) <> true);
    END IF;
END $do$;
