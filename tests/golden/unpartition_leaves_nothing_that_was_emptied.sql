-- make bots.messages a plain table again
-- No session sees rows any more in what held them.

-- drop the table that held rows of bots.messages until they moved
-- locks: ACCESS EXCLUSIVE on bots.messages_p20270101
BEGIN;
SET LOCAL row_security = 'off';
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
DO 'DECLARE schema_kit_path text := pg_catalog.current_setting(''search_path''); older boolean; BEGIN PERFORM pg_catalog.set_config(''search_path'', ''pg_catalog, pg_temp'', true); IF EXISTS (SELECT 1 FROM ONLY "bots"."messages_p20270101") THEN RAISE object_in_use USING MESSAGE = ''rows were written into what was emptied for bots.messages: bots.messages_p20270101''; END IF; older := EXISTS (SELECT format(''pid %s%s has a snapshot from before, its transaction is open for %s'', a.pid, '' ('' || nullif(a.application_name, '''') || '')'', date_trunc(''second'', clock_timestamp() - a.xact_start)) FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type NOT IN (''autovacuum worker'', ''walsender'') AND age(a.backend_xmin) >= (coalesce(age(substring(obj_description(to_regclass(''"bots"."messages_p20270101"''), ''pg_class'') FROM '' in ([0-9]+) at '')::xid), 0)) AND (coalesce(age(substring(obj_description(to_regclass(''"bots"."messages_p20270101"''), ''pg_class'') FROM '' in ([0-9]+) at '')::xid), 0)) >= 0); PERFORM pg_catalog.set_config(''search_path'', schema_kit_path, true); IF NOT older THEN DROP TABLE "bots"."messages_p20270101"; END IF; END';
COMMIT;
