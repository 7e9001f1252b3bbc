-- The sets that maintenance looks after, in their order.
CREATE OR REPLACE FUNCTION @partman@._due() RETURNS SETOF text
LANGUAGE sql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT c.parent_table FROM @schema@.part_config c
    WHERE c.automatic_maintenance = 'on' AND NOT c.undo_in_progress
    ORDER BY c.maintenance_order NULLS LAST, c.parent_table COLLATE "C"
$body$;
