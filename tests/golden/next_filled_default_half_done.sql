-- create next partitions of public.events
-- The first month's check exists and is not validated, the second one's is validated.

-- validate events_p20261101_not_here of public.events_default
-- locks: SHARE UPDATE EXCLUSIVE on public.events_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE "public"."events_default" VALIDATE CONSTRAINT "events_p20261101_not_here";
COMMIT;

-- create partition public.events_p20261101 from 2026-11-01 to 2026-12-01
-- locks: SHARE UPDATE EXCLUSIVE on public.events
-- locks: ACCESS EXCLUSIVE on public.events_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "public"."events_p20261101" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261101" FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
ALTER TABLE "public"."events_default" DROP CONSTRAINT "events_p20261101_not_here";
COMMIT;

-- create partition public.events_p20261201 from 2026-12-01 to 2027-01-01
-- locks: SHARE UPDATE EXCLUSIVE on public.events
-- locks: ACCESS EXCLUSIVE on public.events_default
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL idle_in_transaction_session_timeout = '5000ms';
SET LOCAL statement_timeout = '30000ms';
SELECT pg_catalog.set_config('transaction_timeout', '30000ms', true) WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL;
CREATE TABLE "public"."events_p20261201" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261201" FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
ALTER TABLE "public"."events_default" DROP CONSTRAINT "events_p20261201_not_here";
COMMIT;
