-- One row a set: pg_partman's columns (5.x) with pg_partman's meanings, then our own.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.part_config (
    parent_table             text    NOT NULL PRIMARY KEY,
    control                  text    NOT NULL,
    time_encoder             text,
    time_decoder             text,
    partition_interval       text    NOT NULL,
    partition_type           text    NOT NULL DEFAULT 'range' CHECK (partition_type IN ('range', 'list')),
    premake                  integer NOT NULL DEFAULT 4 CHECK (premake > 0),
    automatic_maintenance    text    NOT NULL DEFAULT 'on' CHECK (automatic_maintenance IN ('on', 'off')),
    template_table           text,
    retention                text,
    retention_schema         text    CHECK (retention_schema <> ''),
    retention_keep_index     boolean NOT NULL DEFAULT true,
    retention_keep_table     boolean NOT NULL DEFAULT true,
    epoch                    text    NOT NULL DEFAULT 'none'
        CHECK (epoch IN ('none', 'seconds', 'milliseconds', 'microseconds', 'nanoseconds')),
    constraint_cols          text[],
    optimize_constraint      integer NOT NULL DEFAULT 30,
    infinite_time_partitions boolean NOT NULL DEFAULT false,
    datetime_string          text,
    jobmon                   boolean NOT NULL DEFAULT true,
    sub_partition_set_full   boolean NOT NULL DEFAULT false,
    undo_in_progress         boolean NOT NULL DEFAULT false,
    inherit_privileges       boolean NOT NULL DEFAULT false,
    constraint_valid         boolean NOT NULL DEFAULT true,
    ignore_default_data      boolean NOT NULL DEFAULT true,
    date_trunc_interval      text,
    timezone                 text    NOT NULL DEFAULT 'UTC'
);

-- A column of pg_partman's that came later.
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS maintenance_last_run timestamptz;
-- Columns of ours that came later: a table that is there already gets them.
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS origin text;
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS encoding text;
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS retention_grace text NOT NULL DEFAULT '7 days';
ALTER TABLE @schema@.part_config ADD COLUMN IF NOT EXISTS detach text NOT NULL DEFAULT 'auto'
    CHECK (detach IN ('auto', 'concurrently', 'blocking'));

COMMENT ON COLUMN @schema@.part_config.timezone IS 'Partitions follow the wall clock of this IANA time zone';
COMMENT ON COLUMN @schema@.part_config.origin IS 'Where some partition begins, on that clock or among the ids';
COMMENT ON COLUMN @schema@.part_config.encoding IS 'How a key that is no date or time holds a moment: uuidv7, ulid, snowflake; pg_partman''s epoch says the others';
COMMENT ON COLUMN @schema@.part_config.retention_grace IS 'How long a detached partition is kept before it is dropped, where retention_keep_table is false';
COMMENT ON COLUMN @schema@.part_config.detach IS 'auto is concurrently wherever PostgreSQL can, and blocking where it cannot';
