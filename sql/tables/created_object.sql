-- What migrations made because it was missing: a downgrade drops that and nothing else.
-- @schema@ stands for the schema it is installed in.

CREATE SCHEMA IF NOT EXISTS @schema@;

CREATE TABLE IF NOT EXISTS @schema@.created_object (
    kind text NOT NULL, -- schema, table, type, extension
    name text NOT NULL,
    PRIMARY KEY (kind, name)
);
