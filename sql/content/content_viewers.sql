-- content_viewers: distinct people over every day whose viewers are kept. Grain: one content item.
select
    workspace_id, content_id,
    count(distinct viewer_hash) as unique_viewers,
    $now as counted_at
from viewer_days
where date <= $today
group by workspace_id, content_id
order by workspace_id, content_id
