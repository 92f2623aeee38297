-- Sums of messages by entity and day, with the days that are known and had none. Inputs: the relations entity_messages
-- and known_days, and those of messaging/message_sums.sql.
select * from (
    -- include messaging/message_sums.sql
)
union all by name
select k.* from known_days as k
anti join entity_messages as m
    on m.date = k.date and m.workspace_id = k.workspace_id and m.entity_id = k.entity_id
