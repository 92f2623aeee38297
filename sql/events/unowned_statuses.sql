-- Statuses of messages in quarantine, received on one day, whose account some workspace has by now.
-- Grain: status. Inputs: rejected_events, owned (external_id); parameters: code, day.
select refused.payload
from rejected_events as refused
where refused.date = $day
    and refused.code = $code
    and refused.workspace_id is null
    and exists (
        select 1
        from owned
        where owned.external_id = json_field(refused.payload, 'external_id')
    )
