-- Which events of the inbox the table does not hold yet, and whose content they are about.
-- Grain: one row per sequence of `incoming` that is to be stored, in the order of their sequence.
-- Inputs: incoming (new events), events (its days around them), content (attributes).
with firsts as (
    select min(sequence) as sequence
    from incoming
    group by workspace_id, event_id
),
creators as (
    select workspace_id, content_id, max(creator_id) as creator_id
    from content
    group by workspace_id, content_id
)
select i.sequence, coalesce(i.creator_id, c.creator_id) as creator_id
from incoming as i
inner join firsts as f on i.sequence = f.sequence
left join creators as c on i.workspace_id = c.workspace_id and i.content_id = c.content_id
where not exists (
    select 1 from events as e where e.workspace_id = i.workspace_id and e.event_id = i.event_id
)
order by i.sequence
