-- partition public.events by created_at, 1 month
-- Nothing to do: a premake that a user has changed since is theirs.

-- nothing to do
