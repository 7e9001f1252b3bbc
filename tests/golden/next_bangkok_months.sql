-- create next partitions of bots.messages
-- Midnight in Bangkok; foreign keys, storage parameters and the owner as the table has them.

-- create partition bots.messages_p20261101 from 2026-11-01 to 2026-12-01
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: SHARE ROW EXCLUSIVE on bots.chats
-- locks: SHARE ROW EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."chats", ONLY "bots"."reactions" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages_p20261101" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20261101" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20261101" FROM reader;
ALTER TABLE "bots"."messages_p20261101" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20261101" IS 'what people and bots say';
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20261101" FOR VALUES FROM ('2026-10-31 17:00:00+00') TO ('2026-11-30 17:00:00+00');
COMMIT;

-- create partition bots.messages_p20261201 from 2026-12-01 to 2027-01-01
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: SHARE ROW EXCLUSIVE on bots.chats
-- locks: SHARE ROW EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."chats", ONLY "bots"."reactions" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages_p20261201" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20261201" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20261201" FROM reader;
ALTER TABLE "bots"."messages_p20261201" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20261201" IS 'what people and bots say';
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20261201" FOR VALUES FROM ('2026-11-30 17:00:00+00') TO ('2026-12-31 17:00:00+00');
COMMIT;

-- create partition bots.messages_p20270101 from 2027-01-01 to 2027-02-01
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages
-- locks: SHARE ROW EXCLUSIVE on bots.chats
-- locks: SHARE ROW EXCLUSIVE on bots.reactions
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '5000ms';
DO 'BEGIN LOCK TABLE ONLY "bots"."chats", ONLY "bots"."reactions" IN SHARE ROW EXCLUSIVE MODE; EXCEPTION WHEN query_canceled THEN RAISE lock_not_available USING MESSAGE = ''locks not taken in time''; END';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "bots"."messages_p20270101" (LIKE "bots"."messages" INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor=90, autovacuum_vacuum_scale_factor=0.05);
REVOKE ALL ON "bots"."messages_p20270101" FROM PUBLIC;
REVOKE ALL ON "bots"."messages_p20270101" FROM reader;
ALTER TABLE "bots"."messages_p20270101" OWNER TO "bots";
COMMENT ON TABLE "bots"."messages_p20270101" IS 'what people and bots say';
ALTER TABLE "bots"."messages" ATTACH PARTITION "bots"."messages_p20270101" FOR VALUES FROM ('2026-12-31 17:00:00+00') TO ('2027-01-31 17:00:00+00');
COMMIT;
