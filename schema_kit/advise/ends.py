"""The ends of columns that an index leads with, as the planner would find them in the index.

A histogram ends with the greatest value of a sample. Before it uses that end, production's planner looks the greatest
value of all up in the index, which is empty on the scratch. Among the rows that were not in the sample some lie beyond
its ends: as many on average as there are rows for each that was in it. So each end moves by that share of its bucket.
"""

MOVE = """
DO $move$
DECLARE
  one record;
  step text;
BEGIN
  FOR one IN
    SELECT DISTINCT s.schemaname, s.tablename, s.attname, format_type(a.atttypid, NULL) AS type,
           s.histogram_bounds::text AS bounds, array_length(s.histogram_bounds::text::text[], 1) AS n,
           (SELECT 300 * max(coalesce(nullif(o.attstattarget, -1), current_setting('default_statistics_target')::int))
            FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attnum > 0 AND NOT o.attisdropped) AS sample,
           c.reltuples AS count
    FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam AND m.amname = 'btree'
    JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
    JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
      AND NOT s.inherited
    WHERE x.indisvalid AND x.indpred IS NULL AND c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_'
      AND s.histogram_bounds IS NOT NULL AND a.atttypid = ANY (
        '{int2,int4,int8,numeric,float4,float8,date,timestamp,timestamptz}'::regtype[])
  LOOP
    CONTINUE WHEN one.count <= one.sample OR one.n < 2;
    step := format('%s * %s', (one.n - 1)::float8 / one.sample,
                   CASE WHEN one.type LIKE 'timestamp%' THEN '(%s - %s)' ELSE '(%s - %s)::float8' END);
    step := format(CASE WHEN one.type = 'date' THEN 'round(%s)::int'
                        WHEN one.type LIKE 'timestamp%' THEN '%s' ELSE '(%s)::numeric' END, step);
    BEGIN
      EXECUTE format(
        'SELECT pg_restore_attribute_stats(''version'', 180000, ''schemaname'', $1, ''relname'', $2, ''attname'', $3, '
        '''inherited'', false, ''histogram_bounds'', (ARRAY[(b[1] - ' || format(step, 'b[2]', 'b[1]') || ')::%1$s] '
        '|| b[2:%2$s] || ARRAY[(b[%3$s] + ' || format(step, 'b[%3$s]', 'b[%2$s]') || ')::%1$s])::text) '
        'FROM (SELECT $4::%1$s[] AS b) own', one.type, one.n - 1, one.n)
      USING one.schemaname::text, one.tablename::text, one.attname::text, one.bounds;
    EXCEPTION WHEN OTHERS THEN  -- a value beyond its type, infinity: the sample's end stays
      NULL;
    END;
  END LOOP;
END $move$
"""
