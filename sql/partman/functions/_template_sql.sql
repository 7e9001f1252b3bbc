-- What gives a new partition the keys and indexes of the template that its parent has not; %1$s stands for the partition.
CREATE OR REPLACE FUNCTION @partman@._template_sql(p_template oid, p_parent oid) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path TO pg_catalog, pg_temp AS $body$
    SELECT CASE WHEN s.oid IS NULL THEN d.made
                ELSE 'SET LOCAL default_tablespace = ' || replace(quote_literal(s.spcname), '%', '%%') || '; ' || d.made
                     || '; SET LOCAL default_tablespace = '
                     || replace(quote_literal(current_setting('default_tablespace')), '%', '%%') END
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
    LEFT JOIN pg_tablespace s ON s.oid = i.reltablespace
    LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = p_template AND k.contype IN ('p', 'u', 'x')
    CROSS JOIN LATERAL (SELECT substring(pg_get_indexdef(x.indexrelid) FROM ' (USING .*)$') AS tail) t
    CROSS JOIN LATERAL (SELECT CASE
        WHEN k.oid IS NULL THEN 'CREATE ' || CASE WHEN x.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ON %1$s '
                                || replace(t.tail, '%', '%%')
        ELSE 'ALTER TABLE %1$s ADD ' || replace(pg_get_constraintdef(k.oid), '%', '%%') END AS made) d
    WHERE x.indrelid = p_template AND x.indisvalid
      AND NOT EXISTS (SELECT 1 FROM pg_index y WHERE y.indrelid = p_parent AND y.indisunique = x.indisunique
                      AND substring(pg_get_indexdef(y.indexrelid) FROM ' (USING .*)$') = t.tail)
    ORDER BY x.indisprimary DESC, i.relname
$body$;
