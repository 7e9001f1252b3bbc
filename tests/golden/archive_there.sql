-- create archive shop.logins_archive
-- Nothing to do.

-- nothing to do
