-- Findings of `schema_kit health` that are left out, and why: one row each, which op.ignore_health_finding writes.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.health_ignored (
    code        text        NOT NULL,
    table_name  text        NOT NULL, -- the table, of partitions the one above all of them; '': the server
    object_name text        NOT NULL, -- the index, constraint, trigger, ... of it; '': the table itself
    reason      text        NOT NULL,
    since       timestamptz NOT NULL DEFAULT pg_catalog.now(),
    PRIMARY KEY (code, table_name, object_name)
);
