-- What PostgreSQL's counters said when `schema_kit health --remember` looked: a row for each run and server, kept as
-- long as the policy of time-to-live of this table says, else 400 days. With it, an index that was not used lately is told from one that is new.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.health_snapshot (
    taken_at timestamptz NOT NULL,
    server   text        NOT NULL, -- '': the one that it lies on; else host:port/database of a replica
    since    timestamptz, -- when that server's counters were reset last; NULL: never
    indexes  jsonb       NOT NULL, -- the names of indexes that are not part of another one
    scans    jsonb       NOT NULL, -- of each index that was scanned, its name and how often
    PRIMARY KEY (taken_at, server)
);

-- A column that came later: of each table on the server that it lies on, as a whole where it is partitioned, its bytes
-- with indexes and TOAST, its rows and its partitions; under '' the bytes of the database. NULL: of another server.
ALTER TABLE @schema@.health_snapshot ADD COLUMN IF NOT EXISTS sizes jsonb;

-- Columns that came later: of each table the rows that were read from end to end, pages of it that were asked for and
-- were in shared_buffers, and the same of its indexes; of each statement of pg_stat_statements, by a hash of its text,
-- calls and seconds. NULL: of another server.
ALTER TABLE @schema@.health_snapshot ADD COLUMN IF NOT EXISTS activity jsonb;
ALTER TABLE @schema@.health_snapshot ADD COLUMN IF NOT EXISTS statements jsonb;
