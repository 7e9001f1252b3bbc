-- drop extension pg_trgm
-- Nothing to do: it was there before.

-- nothing to do
