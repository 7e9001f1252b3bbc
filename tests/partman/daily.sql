-- A set by days in pgTAP: made, filled, maintained, emptied of what is old, undone. One transaction that is rolled back.
SELECT set_config('search_path', 'partman, public', true);
SELECT plan(28);

CREATE SCHEMA partman_test;
CREATE SCHEMA partman_retention_test;
CREATE TABLE partman_test.daily (col1 int, col2 text DEFAULT 'stuff', col3 timestamptz NOT NULL DEFAULT now()) PARTITION BY RANGE (col3);
CREATE TABLE partman_test.undone (LIKE partman_test.daily INCLUDING ALL);
CREATE TABLE partman_test.template (LIKE partman_test.daily);
ALTER TABLE partman_test.template ADD PRIMARY KEY (col1);
CREATE FUNCTION day(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'daily_p' || to_char(now() + $1 * interval '1 day', 'YYYYMMDD') $$;

SELECT ok(create_parent('partman_test.daily', 'col3', '1 day', p_template_table := 'partman_test.template'), 'create_parent makes partitions');
SELECT has_table('partman_test', day(n), 'day ' || n || ' exists') FROM generate_series(-4, 4) n;
SELECT hasnt_table('partman_test', day(5), 'day 5 does not exist');
SELECT hasnt_table('partman_test', day(-5), 'day -5 does not exist');
SELECT has_table('partman_test', 'daily_default', 'the default exists');
SELECT col_is_pk('partman_test', day(0), ARRAY['col1'], 'the template gives a primary key');

INSERT INTO partman_test.daily (col1, col3) SELECT generate_series(1, 10), now();
INSERT INTO partman_test.daily (col1, col3) SELECT generate_series(11, 20), now() + interval '3 days';
SELECT is_empty('SELECT * FROM ONLY partman_test.daily', 'the parent has no rows of its own');
SELECT results_eq('SELECT count(*)::int FROM partman_test.' || day(3), ARRAY[10], 'day 3 has its rows');
SELECT run_maintenance();
SELECT has_table('partman_test', day(7), 'rows ahead of the clock make more partitions');
SELECT hasnt_table('partman_test', day(8), 'and no more than premake');
SELECT results_eq($$SELECT partition_tablename FROM show_partitions('partman_test.daily') LIMIT 1$$, ARRAY[day(-4)], 'the first partition');
SELECT results_eq($$SELECT partition_table, table_exists FROM show_partition_name('partman_test.daily', (now() + interval '1 year')::text)$$,
                  'SELECT day(n), false FROM (SELECT (now() + interval ''1 year'')::date - now()::date) x (n)', 'a name to come');

SELECT is(drop_partition_time('partman_test.daily', '3 days', p_keep_table := false), 1, 'one partition is past its retention');
SELECT hasnt_table('partman_test', day(-4), 'it is gone');
UPDATE part_config SET retention = '2 days' WHERE parent_table = 'partman_test.daily';
SELECT is(drop_partition_time('partman_test.daily', p_retention_schema := 'partman_retention_test'), 1, 'another one moves');
SELECT has_table('partman_retention_test', day(-3), 'it is in the other schema');

SELECT undo_partition('partman_test.daily', 'partman_test.undone', 20, p_keep_table := false);
SELECT results_eq('SELECT count(*)::int FROM partman_test.undone', ARRAY[20], 'all rows are in the target');
SELECT hasnt_table('partman_test', day(0), 'partitions are gone');
SELECT hasnt_table('partman_test', 'daily_default', 'the default is gone');
SELECT is_empty($$SELECT * FROM part_config WHERE parent_table = 'partman_test.daily'$$, 'the set is forgotten');
SELECT * FROM finish();
