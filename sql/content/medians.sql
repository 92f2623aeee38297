-- Grain: one content item: the median watch time of its views, within 1 % (docs/metrics.md, "Content events").
-- From the histogram of macro log_bucket.
with
buckets as (
    select workspace_id, content_id, bucket, sum(views) as views
    from (
        select workspace_id, content_id, bucket, views from view_times_totals
        union all
        select workspace_id, content_id, bucket, views from view_times_daily
        where date > $through and date <= $today
    )
    group by workspace_id, content_id, bucket
),
running as (
    select
        workspace_id, content_id, bucket,
        -- views without any watch time lasted 0 seconds: the lowest bucket
        sum(views) over (
            partition by workspace_id, content_id order by bucket nulls first
            rows between unbounded preceding and current row
        ) as views_so_far,
        sum(views) over (partition by workspace_id, content_id) as all_views
    from buckets
)
select
    workspace_id, content_id,
    coalesce(log_bucket_middle(bucket), 0) as median_watch_time
from running
where views_so_far * 2 >= all_views
qualify row_number() over (partition by workspace_id, content_id order by bucket nulls first) = 1
