-- create next partitions of public.events
-- Cairo, 24 April 2026: the day begins at one o'clock.

-- create partition public.events_p20260423 from 2026-04-23 to 2026-04-24 01:00:00
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20260423" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20260423" FOR VALUES FROM ('2026-04-22 22:00:00+00') TO ('2026-04-23 22:00:00+00');
COMMIT;

-- create partition public.events_p20260424 from 2026-04-24 01:00:00 to 2026-04-25
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20260424" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20260424" FOR VALUES FROM ('2026-04-23 22:00:00+00') TO ('2026-04-24 21:00:00+00');
COMMIT;

-- create partition public.events_p20260425 from 2026-04-25 to 2026-04-26
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20260425" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20260425" FOR VALUES FROM ('2026-04-24 21:00:00+00') TO ('2026-04-25 21:00:00+00');
COMMIT;
