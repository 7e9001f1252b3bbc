-- Which tables have a cold archive on another server, and which partitions lie there or are in transit.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.cold_archive (
    table_name    text NOT NULL PRIMARY KEY,
    archive_table text NOT NULL,
    cold_table    text NOT NULL UNIQUE, -- partitioned; its partitions are foreign tables
    server_name   text NOT NULL,        -- the foreign server
    remote_schema text NOT NULL,        -- the schema of its tables there
    view_name     text,                 -- the view over all three
    identity      uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(), -- in the comment of each of its tables there
    cluster       text NOT NULL -- the database that they belong to: a clone of it must not change what is there
);

CREATE TABLE IF NOT EXISTS @schema@.cold_partition (
    partition_name text NOT NULL PRIMARY KEY, -- as it is called in the archive
    table_name     text NOT NULL,
    foreign_table  text NOT NULL UNIQUE,
    remote_table   text NOT NULL, -- its name on the server
    bounds         text NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    copied_at      timestamptz,   -- since when the copy is complete, there or, where it returns, here; NULL: it is not
    returns        boolean NOT NULL DEFAULT false,
    moved_at       timestamptz,   -- since when it is a partition of the cold table; NULL where it is not
    row_count      bigint,        -- what was copied there
    checksum       numeric,       -- NULL: not compared when it returns
    differs        text           -- how a copy differed, so that it was made again
);

-- Columns that came later: which columns the checksum is of, where the tables have had others since; and what a partition
-- had of its own, object by object, which does not come back with its rows.
ALTER TABLE @schema@.cold_partition ADD COLUMN IF NOT EXISTS summed text[];
ALTER TABLE @schema@.cold_partition ADD COLUMN IF NOT EXISTS own jsonb;
