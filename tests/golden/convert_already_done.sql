-- partition public.events by created_at, 1 month
-- Nothing to do.

-- nothing to do
