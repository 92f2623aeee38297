-- At which hour of the day (UTC, 0 to 23) a content item is viewed, over the hours that are kept
-- (METRICS_EVENTS_DAYS). share is the hour's part of the item's views, null without views. Hours in which nothing ever
-- happened have no row.
with
hours as (
    select
        workspace_id, content_id, hour as hour_of_day,
        sum(views)::bigint as views,
        stable_sum(watch_time_seconds) as watch_time_seconds
    from content_hourly
    group by workspace_id, content_id, hour
)
select *, views / nullif(sum(views) over (partition by workspace_id, content_id), 0) as share
from hours
