-- Make no more sub-partitions in partitions to come; those that are there stay.
CREATE OR REPLACE FUNCTION @partman@.stop_sub_partition(p_parent_table text, p_jobmon boolean DEFAULT true) RETURNS boolean
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM p_jobmon; -- there is no pg_jobmon to tell
    DELETE FROM @schema@.part_config_sub c WHERE c.sub_parent IN (p_parent_table, @partman@._stored(p_parent_table));
    RETURN true;
END
$body$;
