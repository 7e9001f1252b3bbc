-- build the indexes of bots.messages again
-- Each partition by itself; the TOAST table of one has a leftover.

-- drop index pg_toast.pg_toast_1_index_ccnew concurrently
-- locks: SHARE UPDATE EXCLUSIVE on pg_toast.pg_toast_1
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS "pg_toast"."pg_toast_1_index_ccnew";
RESET lock_timeout;
RESET statement_timeout;

-- build all indexes of bots.messages_2026 again concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2026
SET lock_timeout = 0;
SET statement_timeout = 0;
REINDEX TABLE CONCURRENTLY "bots"."messages_2026";
RESET lock_timeout;
RESET statement_timeout;

-- build all indexes of bots.messages_2025_a again concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_a
SET lock_timeout = 0;
SET statement_timeout = 0;
REINDEX TABLE CONCURRENTLY "bots"."messages_2025_a";
RESET lock_timeout;
RESET statement_timeout;

-- build all indexes of bots.messages_2025_b again concurrently
-- locks: SHARE UPDATE EXCLUSIVE on bots.messages_2025_b
SET lock_timeout = 0;
SET statement_timeout = 0;
REINDEX TABLE CONCURRENTLY "bots"."messages_2025_b";
RESET lock_timeout;
RESET statement_timeout;
