-- create next partitions of public.events
-- One exists under a name of its own: it is known by its bounds.

-- create partition public.events_p20261101 from 2026-11-01 to 2026-12-01
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20261101" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261101" FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
COMMIT;

-- create partition public.events_p20270101 from 2027-01-01 to 2027-02-01
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20270101" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20270101" FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2027-02-01 00:00:00+00');
COMMIT;
