-- How far each update in batches has come. A row that is finished keeps its update from being run again; without it,
-- the update begins anew.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.batch_progress (
    name text PRIMARY KEY,
    table_name text NOT NULL,
    change text NOT NULL,
    target text NOT NULL, -- the table's oid and its columns' numbers: a column that is made anew is another one
    key_columns text[] NOT NULL,
    last_key jsonb, -- the last row of the last batch; NULL before the first
    rows_seen bigint NOT NULL DEFAULT 0,
    rows_changed bigint NOT NULL DEFAULT 0,
    batch_size integer NOT NULL, -- of the next batch
    started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    batch_at timestamptz,
    passes integer NOT NULL DEFAULT 1, -- how often it has gone through the table
    ended_at timestamptz, -- when the last pass came to the end; rows that it has missed are looked for then
    missed bigint NOT NULL DEFAULT 0, -- rows that were gone, or had another key, when a batch came to them
    stays boolean NOT NULL DEFAULT false, -- whether a row meets WHERE still when it has been updated
    finished_at timestamptz
);

-- A column that came later: the oid of this table itself, when the row was written. Another one says that the database
-- was dumped and restored since, so that target means nothing; none, that nobody knows.
ALTER TABLE @schema@.batch_progress ADD COLUMN IF NOT EXISTS record_oid oid;
-- Of a table from before there were these columns.
ALTER TABLE @schema@.batch_progress ADD COLUMN IF NOT EXISTS passes integer NOT NULL DEFAULT 1;
ALTER TABLE @schema@.batch_progress ADD COLUMN IF NOT EXISTS ended_at timestamptz;
ALTER TABLE @schema@.batch_progress ADD COLUMN IF NOT EXISTS missed bigint NOT NULL DEFAULT 0;
ALTER TABLE @schema@.batch_progress ADD COLUMN IF NOT EXISTS stays boolean NOT NULL DEFAULT false;
