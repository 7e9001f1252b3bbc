-- drain the default partition of public.events
-- No row in the default partition that has a window.

-- nothing to do
