-- create extension pg_trgm
-- Nothing to do.

-- nothing to do
