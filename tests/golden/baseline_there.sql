-- create the baseline
-- A team has more columns and indexes: its own affair.

-- nothing to do
