-- drop index bots.ix_messages_chat
-- Nothing to do.

-- nothing to do
