-- Grain: one content item of the relation `hours` (hour_start, views): the most views that 24 consecutive hours saw,
-- and the end of the first such span.
with
rolling as (
    select
        workspace_id, content_id, hour_start,
        sum(views) over (
            partition by workspace_id, content_id order by hour_start
            range between interval 23 hour preceding and current row
        ) as views_24h
    from hours
)
select
    workspace_id, content_id,
    max(views_24h) as peak_views,
    min(hour_start) filter (where is_peak) + interval 1 hour as peak_at
from (
    select *, views_24h = max(views_24h) over (partition by workspace_id, content_id) as is_peak from rolling
)
group by workspace_id, content_id
