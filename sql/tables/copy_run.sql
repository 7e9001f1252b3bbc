-- How far each online copy has come: draining a default partition, splitting one, converting a table.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.copy_run (
    source_table text PRIMARY KEY,
    parent_table text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('drain', 'split', 'convert')),
    identity text NOT NULL, -- of the source: its oid, its file, its columns; another one is another table
    started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    cut_at timestamptz, -- the chunks are there
    replayed bigint NOT NULL DEFAULT 0, -- keys taken from the log so far
    settled_at timestamptz, -- no snapshot from before the last chunk was left
    swapped_at timestamptz,
    finished_at timestamptz
);

CREATE TABLE IF NOT EXISTS @schema@.copy_target (
    source_table text NOT NULL REFERENCES @schema@.copy_run ON DELETE CASCADE,
    target_table text NOT NULL,
    built_as text NOT NULL, -- its name until the swap
    lower_bound text,
    upper_bound text,
    is_default boolean NOT NULL,
    source_rows bigint, -- counted in one snapshot on both sides, but for keys that were in the log
    source_sum numeric,
    target_rows bigint,
    target_sum numeric,
    verified_at timestamptz,
    PRIMARY KEY (source_table, target_table)
);

CREATE TABLE IF NOT EXISTS @schema@.copy_chunk (
    source_table text NOT NULL REFERENCES @schema@.copy_run ON DELETE CASCADE,
    number integer NOT NULL,
    lower_key text[], -- inclusive; NULL: from the first row
    upper_key text[], -- exclusive; NULL: to the last row
    rows bigint,
    began_at timestamptz,
    done_at timestamptz,
    PRIMARY KEY (source_table, number)
);

ALTER TABLE @schema@.copy_run ADD COLUMN IF NOT EXISTS cut_by text[]; -- the columns that the chunks' bounds are of
-- A conversion's plain table, which is kept: whether a trigger logs for it what changes from the swap on,
ALTER TABLE @schema@.copy_run ADD COLUMN IF NOT EXISTS fed boolean NOT NULL DEFAULT false;
-- which partitioned table it is compared with, once it shall take its place again; empty where that was given up,
ALTER TABLE @schema@.copy_run ADD COLUMN IF NOT EXISTS back_identity text;
-- and when it did.
ALTER TABLE @schema@.copy_run ADD COLUMN IF NOT EXISTS returned_at timestamptz;
