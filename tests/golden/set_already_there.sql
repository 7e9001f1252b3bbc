-- create partitioned table shop.logins
-- Nothing is missing, and the policy that was changed since stays.

-- nothing to do
