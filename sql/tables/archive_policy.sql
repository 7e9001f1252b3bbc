-- Which rows of a table go to which archive, and when: one row a table; and which partitions went, or are on their way.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.archive_policy (
    table_name    text    NOT NULL PRIMARY KEY,
    archive_table text    NOT NULL,
    archive_after text,    -- how far behind the present: '90 days', or so many ids; NULL where the condition alone decides
    way           text    NOT NULL CHECK (way IN ('partition', 'rows')),
    control       text,    -- by rows: the column that the age is counted from
    condition     text,    -- by rows: SQL over the table's columns
    archived_at   text,    -- by rows: the archive's column that takes the moment
    tree          jsonb,   -- by rows: the tables that go along, children first
    CHECK (archive_after IS NOT NULL OR condition IS NOT NULL)
);

CREATE TABLE IF NOT EXISTS @schema@.archived_partition (
    partition_name text CONSTRAINT archived_partition_pkey PRIMARY KEY, -- it is known by that, and by its bounds
    table_name     text NOT NULL,
    archive_table  text NOT NULL,
    bounds         text NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    goes_to        text NOT NULL, -- the table that it belongs to: the archive, or what it was restored to
    moved_at       timestamptz    -- since when it does; NULL while it is on its way
);

-- Columns that came later: by rows, conditions of those that were taken back and stay; and by partition, above how many
-- rows of the table the oldest ones go before their time.
ALTER TABLE @schema@.archive_policy ADD COLUMN IF NOT EXISTS restored text[];
ALTER TABLE @schema@.archive_policy ADD COLUMN IF NOT EXISTS max_rows bigint CHECK (max_rows > 0);

-- Another one: by partition, the table access method of what has come to the archive.
ALTER TABLE @schema@.archive_policy ADD COLUMN IF NOT EXISTS access_method text;

-- And another: by partition, how far behind the present what is in the archive goes on to the cold server.
ALTER TABLE @schema@.archive_policy ADD COLUMN IF NOT EXISTS cold_after text;

-- Earlier versions knew a partition by its oid.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_attribute WHERE attname = 'partition_oid'
               AND attrelid = '@schema@.archived_partition'::pg_catalog.regclass::pg_catalog.oid) THEN
        DELETE FROM @schema@.archived_partition m USING @schema@.archived_partition later
        WHERE later.partition_name = m.partition_name
          AND (coalesce(later.moved_at, 'infinity'), later.partition_oid)
              > (coalesce(m.moved_at, 'infinity'), m.partition_oid);
        ALTER TABLE @schema@.archived_partition DROP COLUMN partition_oid;
        ALTER TABLE @schema@.archived_partition ADD CONSTRAINT archived_partition_pkey PRIMARY KEY (partition_name);
    END IF;
END $$;
