-- content_daily. Grain: one content item on one UTC day. Inputs: content_days (sums of hours), viewers (each once).
with
audiences as (
    select date, workspace_id, content_id, count(*) as unique_viewers
    from viewers
    group by date, workspace_id, content_id
)
select d.*, coalesce(a.unique_viewers, 0) as unique_viewers
from content_days as d
left join audiences as a
    on a.date = d.date and a.workspace_id = d.workspace_id and a.content_id = d.content_id
order by d.workspace_id, d.content_id
