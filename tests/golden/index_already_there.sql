-- create index ix_messages_chat on bots.messages
-- Nothing to do.

-- nothing to do
