-- view_times_daily. Grain: one content item, day, and bucket of watch time; null holds views nobody watched.
-- Inputs: followed_views, content_days.
with
counted as (
    select
        date, content_no,
        case when watch_time_seconds > 0 then log_bucket(watch_time_seconds) end as bucket,
        count(*) as views
    from followed_views
    group by 1, 2, 3
)
select c.date, d.workspace_id, d.content_id, d.creator_id, c.bucket, c.views
from counted as c
inner join content_days as d on d.date = c.date and d.content_no = c.content_no
order by c.content_no, c.bucket
