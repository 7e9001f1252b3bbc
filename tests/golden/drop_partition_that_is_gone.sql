-- drop partition bots.messages_p20261001 of bots.messages
-- Nothing to do.

-- nothing to do
