-- A default partition and how many rows it holds.
DO $do$ BEGIN
    IF to_regtype($name$@partman@.check_default_table$name$) IS NULL THEN
        CREATE TYPE @partman@.check_default_table AS (default_table text, count bigint);
    END IF;
END $do$;
