-- What lies in which file. A row is written when the file is complete, has its name and was read back; where the table
-- is dropped for it, in that very commit. So rows are in the table until a row of this one says dropped_at, and in the
-- file from then on, until it says restored_at.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.archive_file (
    file_url     text        PRIMARY KEY,
    table_name   text        NOT NULL, -- the table that was written
    table_oid    oid         NOT NULL, -- as it was then; nothing is found by it
    parent_table text,                 -- the partitioned table that it was a partition of
    control      text,                 -- the column that the bounds are of
    lower_bound  text,                 -- inclusive, as it reads under TimeZone UTC and DateStyle ISO
    upper_bound  text,                 -- exclusive
    format       text        NOT NULL CHECK (format IN ('parquet', 'copy')),
    row_count    bigint      NOT NULL,
    byte_count   bigint      NOT NULL,
    sha256       text        NOT NULL, -- of the file
    columns      jsonb       NOT NULL, -- in their order: name, type, how it is stored, checksum over all rows
    written_at   timestamptz NOT NULL DEFAULT pg_catalog.now(),
    dropped_at   timestamptz,          -- the table was dropped: the rows are in the file and nowhere else
    restored_at  timestamptz,          -- they are back in the database
    restored_to  text
);

-- What export --drop has detached to write it to a file: the next run on its parent goes on there. A row goes with the
-- table; one whose table was attached again, or dropped by others, means nothing.
CREATE TABLE IF NOT EXISTS @schema@.archive_file_due (
    table_name   text CONSTRAINT archive_file_due_pkey PRIMARY KEY,
    parent_table text NOT NULL
);

-- Earlier versions knew a table by its oid.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_attribute WHERE attname = 'table_oid'
               AND attrelid = '@schema@.archive_file_due'::pg_catalog.regclass::pg_catalog.oid) THEN
        DELETE FROM @schema@.archive_file_due d USING @schema@.archive_file_due later
        WHERE later.table_name = d.table_name AND later.table_oid > d.table_oid;
        ALTER TABLE @schema@.archive_file_due DROP COLUMN table_oid;
        ALTER TABLE @schema@.archive_file_due ADD CONSTRAINT archive_file_due_pkey PRIMARY KEY (table_name);
    END IF;
END $$;
