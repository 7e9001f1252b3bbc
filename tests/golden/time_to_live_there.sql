-- set the time-to-live of chat.sessions
-- The policy is that already.

-- nothing to do
