-- set the archive policy of shop.logins
-- It is registered so.

-- nothing to do
