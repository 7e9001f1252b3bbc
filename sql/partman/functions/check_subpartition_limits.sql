-- From where to where a set can hold anything that is itself a partition by the same column: ids inclusive, times not.
CREATE OR REPLACE FUNCTION @partman@.check_subpartition_limits(p_parent_table text, p_type text, OUT sub_min text, OUT sub_max text)
LANGUAGE plpgsql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
DECLARE
    s record;
    l record;
BEGIN
    SELECT * INTO s FROM @partman@._set(p_parent_table);
    SELECT * INTO l FROM @partman@._limits(p_parent_table);
    IF p_type = 'id' THEN
        sub_min := trim_scale(l.low_id)::text;
        sub_max := trim_scale(l.high_id - 1)::text;
    ELSIF p_type = 'time' THEN
        sub_min := @partman@._moment(l.low_wall, s.zone)::text;
        sub_max := @partman@._moment(l.high_wall, s.zone)::text;
    ELSE
        RAISE EXCEPTION 'Invalid type given to function. Must be "id" or "time"';
    END IF;
END
$body$;
