-- On which day of the week (ISO, 1 is Monday, 7 is Sunday) a content item is viewed, over its whole life. share is the
-- day's part of the item's views, null without views. Days on which nothing ever happened have no row.
with
weekdays as (
    select
        workspace_id, content_id,
        iso_weekday(date) as weekday,
        sum(views)::bigint as views,
        stable_sum(watch_time_seconds) as watch_time_seconds
    from content_daily
    group by workspace_id, content_id, iso_weekday(date)
)
select *, views / nullif(sum(views) over (partition by workspace_id, content_id), 0) as share
from weekdays
