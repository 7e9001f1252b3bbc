-- create next partitions of public.events
-- One partition reaches over all that is asked for.

-- nothing to do
