-- create next partitions of public.events
-- A date column.

-- create partition public.events_p20261116 from 2026-11-16 to 2026-11-23
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20261116" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261116" FOR VALUES FROM ('2026-11-16') TO ('2026-11-23');
COMMIT;

-- create partition public.events_p20261123 from 2026-11-23 to 2026-11-30
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20261123" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261123" FOR VALUES FROM ('2026-11-23') TO ('2026-11-30');
COMMIT;

-- create partition public.events_p20261130 from 2026-11-30 to 2026-12-07
-- locks: SHARE UPDATE EXCLUSIVE on public.events
BEGIN;
SET LOCAL lock_timeout = '5000ms';
SET LOCAL statement_timeout = '0ms';
CREATE TABLE "public"."events_p20261130" (LIKE "public"."events" INCLUDING ALL EXCLUDING IDENTITY);
ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_p20261130" FOR VALUES FROM ('2026-11-30') TO ('2026-12-07');
COMMIT;
