-- When rows expire, and what goes with them: one row a table, which `schema_kit ttl run` works by.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.ttl_policy (
    table_name      text    PRIMARY KEY,
    column_name     text    NOT NULL,
    age             text, -- how old a row becomes; NULL where the column itself says when it expires
    timezone        text    NOT NULL DEFAULT 'UTC',
    encoding        text    NOT NULL DEFAULT '', -- of a column that is no date or time
    tree            jsonb, -- the tables whose rows go along; NULL: those whose foreign keys say ON DELETE CASCADE
    archive_first   boolean NOT NULL DEFAULT false,
    batch_size      integer NOT NULL DEFAULT 1000, -- of the first batch
    target_seconds  float8  NOT NULL DEFAULT 0.5,
    max_replica_lag float8           DEFAULT 10, -- NULL: never pause
    max_dead_share  float8           DEFAULT 0.2
);
