-- The rows of message_statuses about the messages of incoming.
-- Grain: message. Inputs: message_statuses, incoming (the table's key columns).
select known.*
from message_statuses as known
where exists (
    select 1
    from incoming
    where incoming.workspace_id = known.workspace_id
        and incoming.platform = known.platform
        and incoming.account_id = known.account_id
        and incoming.message_id = known.message_id
)
