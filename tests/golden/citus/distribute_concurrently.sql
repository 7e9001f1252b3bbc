-- distribute shop.items by tenant while writes continue
-- locks: EXCLUSIVE on shop.items
SET lock_timeout = 0;
SET statement_timeout = 0;
SELECT pg_catalog.create_distributed_table_concurrently('"shop"."items"', 'tenant', colocate_with => '"shop"."tenants"');
RESET lock_timeout;
RESET statement_timeout;

