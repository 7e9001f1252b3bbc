-- What was detached from where: how long a table has been out of its set, and with which bounds it could come back.
-- Written before the detach; a row whose table is attached is not retired yet, one whose table is gone is forgotten.
-- @schema@ stands for the schema it is installed in.

CREATE SCHEMA IF NOT EXISTS @schema@;

CREATE TABLE IF NOT EXISTS @schema@.retired_partition (
    partition_oid  oid         PRIMARY KEY, -- with the name: a table that was renamed or restored is another one
    partition_name text        NOT NULL,
    parent_table   text        NOT NULL,
    by_policy      boolean     NOT NULL, -- retired by its set's policy, which may drop it, or by an operation
    bounds         text        NOT NULL, -- FOR VALUES ..., as it reads under TimeZone UTC and DateStyle ISO
    retired_at     timestamptz NOT NULL DEFAULT now() -- the grace period begins here
);

-- A column that came later.
ALTER TABLE @schema@.retired_partition ADD COLUMN IF NOT EXISTS by_ttl boolean NOT NULL DEFAULT false; -- to be dropped
