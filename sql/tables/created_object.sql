-- What migrations made because it was missing: a downgrade drops that and nothing else.
-- @schema@ stands for the schema it is installed in.

DO $do$ BEGIN -- one that a DBA has made is enough: CREATE SCHEMA asks for rights on the database before it looks
    IF pg_catalog.to_regnamespace($name$@schema@$name$) IS NULL THEN CREATE SCHEMA IF NOT EXISTS @schema@; END IF;
END $do$;

CREATE TABLE IF NOT EXISTS @schema@.created_object (
    kind text NOT NULL, -- schema, table, type, sequence, extension
    name text NOT NULL,
    PRIMARY KEY (kind, name)
);
