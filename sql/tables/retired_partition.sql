-- What was detached from where: how long a table has been out of its set, and with which bounds it could come back.
-- Written before the detach; a row whose table is attached is not retired yet, one whose table is gone is forgotten.
-- A table is known by its name; where its oid is another than here, by its bounds too, and only after a dump and restore.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.retired_partition (
    partition_name text        CONSTRAINT retired_partition_pkey PRIMARY KEY,
    partition_oid  oid         NOT NULL, -- tells a table that was made since under its name, until oids mean nothing
    parent_table   text        NOT NULL,
    by_policy      boolean     NOT NULL, -- retired by its set's policy, which may drop it, or by an operation
    bounds         text        NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    retired_at     timestamptz NOT NULL DEFAULT pg_catalog.now() -- the grace period begins here
);

-- Columns that came later.
ALTER TABLE @schema@.retired_partition ADD COLUMN IF NOT EXISTS by_ttl boolean NOT NULL DEFAULT false; -- to be dropped
ALTER TABLE @schema@.retired_partition ADD COLUMN IF NOT EXISTS record_oid oid; -- of this table itself, when the row was
-- written: another one, or none, says that the database was dumped and restored since, or that nobody knows.

-- Earlier versions knew a partition by its oid.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_catalog.pg_index x JOIN pg_catalog.pg_attribute a
               ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND a.attname = 'partition_oid'
               WHERE x.indrelid = '@schema@.retired_partition'::pg_catalog.regclass::pg_catalog.oid AND x.indisprimary) THEN
        DELETE FROM @schema@.retired_partition r USING @schema@.retired_partition later
        WHERE later.partition_name = r.partition_name
          AND (later.retired_at, later.partition_oid) > (r.retired_at, r.partition_oid);
        ALTER TABLE @schema@.retired_partition DROP CONSTRAINT retired_partition_pkey;
        ALTER TABLE @schema@.retired_partition ADD CONSTRAINT retired_partition_pkey PRIMARY KEY (partition_name);
        UPDATE @schema@.retired_partition r SET record_oid = r.tableoid FROM pg_catalog.pg_class c
        WHERE c.oid = r.partition_oid AND pg_catalog.strpos(r.partition_name, c.relname) > 0;
    END IF;
END $$;
