-- viewer_days. Grain: one viewer of one content item on one UTC day. Inputs: viewers, content_days.
with
items as (
    -- numbers sort faster than names
    select
        date, content_no, workspace_id, content_id, creator_id,
        row_number() over (order by workspace_id, creator_id, content_id, date) as place
    from content_days
)
select v.date, i.workspace_id, i.content_id, i.creator_id, v.viewer_hash, v.views, v.watch_time_seconds
from viewers as v
inner join items as i on i.date = v.date and i.content_no = v.content_no
order by i.place, v.viewer_hash
