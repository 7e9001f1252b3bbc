-- Move the rows of one table that meet a condition to another; gives back how many. All of them arrive, or it fails.
CREATE OR REPLACE FUNCTION @partman@._transfer(
    p_from text, p_to text, p_columns text, p_overriding text, p_condition text) RETURNS bigint
LANGUAGE plpgsql SET search_path TO pg_catalog, pg_temp SET "TimeZone" TO 'UTC' SET "DateStyle" TO 'ISO, YMD'
SET row_security TO off AS $body$
DECLARE
    v_gone bigint;
    v_came bigint;
BEGIN
    EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE %2$s RETURNING %3$s), '
                   'came AS (INSERT INTO %4$s (%3$s)%5$s SELECT %3$s FROM gone RETURNING 1) '
                   'SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM came)',
                   p_from, p_condition, p_columns, p_to, p_overriding) INTO v_gone, v_came;
    IF v_gone <> v_came THEN
        RAISE EXCEPTION '% rows left % and % arrived in %: a trigger or a rule is in the way', v_gone, p_from, v_came, p_to;
    END IF;
    RETURN v_came;
END
$body$;
