-- drop extension pg_trgm
-- Nothing to do: it existed before.

-- nothing to do
